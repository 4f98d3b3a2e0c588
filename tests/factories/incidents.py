"""Incidents to test with, and the configuration that they need."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from incidents import actions
from incidents.models import Incident, IncidentRole, IncidentStatus, IncidentType, Severity, StatusCategory

STATUSES = [
    ("Triage", StatusCategory.TRIAGE),
    ("Investigating", StatusCategory.ACTIVE),
    ("Identified", StatusCategory.ACTIVE),
    ("Fixing", StatusCategory.ACTIVE),
    ("Monitoring", StatusCategory.ACTIVE),
    ("Resolved", StatusCategory.POST_INCIDENT),
    ("Closed", StatusCategory.CLOSED),
    ("Declined", StatusCategory.DECLINED),
    ("Merged", StatusCategory.MERGED),
    ("Canceled", StatusCategory.CANCELED),
]


def configuration() -> None:
    """Severities SEV1 to SEV4, the usual statuses, roles and one type, unless they are there."""
    for rank in range(1, 5):
        Severity.objects.get_or_create(
            slug=f"sev{5 - rank}",
            defaults={
                "name": f"SEV{5 - rank}",
                "rank": rank,
                "requires_postmortem": rank >= 3,
                "update_interval": timedelta(minutes=30),
            },
        )
    for position, (name, category) in enumerate(STATUSES, 1):
        IncidentStatus.objects.get_or_create(
            slug=name.lower(), defaults={"name": name, "category": category, "position": position}
        )
    roles = [("lead", "Incident commander"), ("comms", "Communications lead"), ("technical", "Technical lead")]
    for position, (slug, name) in enumerate([*roles, ("scribe", "Scribe")], 1):
        IncidentRole.objects.get_or_create(
            slug=slug, defaults={"name": name, "short_name": name[:20], "position": position}
        )
    IncidentType.objects.get_or_create(slug="incident", defaults={"name": "Incident", "is_default": True})


def severity(slug: str = "sev2") -> Severity:
    configuration()
    found: Severity = Severity.objects.get(slug=slug)
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
