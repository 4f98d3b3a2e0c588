"""Incidents to test with, and the configuration that they need."""

from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from incidents import actions
from incidents.models import Incident, IncidentStatus, Severity
from incidents.presets import load_presets


def configuration() -> None:
    """The severities, statuses, roles and types that ship as presets."""
    load_presets()


def severity(slug: str = "sev2") -> Severity:
    configuration()
    found: Severity = Severity.objects.get(slug=slug)
    return found


def status(slug: str) -> IncidentStatus:
    configuration()
    found: IncidentStatus = IncidentStatus.objects.get(slug=slug)
    return found


def incident(actor: Actor | None = None, **fields: Any) -> Incident:
    """A declared SEV2 incident; fields are those of `declare_incident`, `severity` may be a slug."""
    level = fields.pop("severity", "sev2")
    fields.setdefault("name", "Payment API returning 500 errors")
    fields.setdefault("now", timezone.now())
    return actions.declare_incident(
        actor=actor or Actor.system(),
        severity=severity(level) if isinstance(level, str) else level,
        **fields,
    )
