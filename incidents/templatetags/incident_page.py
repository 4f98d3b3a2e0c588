"""What the page of an incident asks for: `{% load incident_page %}`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django import template

from incidents.models import Incident, IncidentRole
from incidents.roles import missing_roles
from incidents.times import LABELS

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

register = template.Library()

# These are known to people alone: they are asked for also while they are empty.
ASKED_FOR = ("started", "detected")


@dataclass(frozen=True)
class KnownTime:
    """One of the times of an incident, as its panel shows it."""

    name: str
    words: "StrPromise"
    at: datetime | None
    is_offered: bool

    @property
    def value(self) -> str:
        """As an editor is given it and sends it back: ISO 8601 in UTC."""
        return self.at.astimezone(UTC).isoformat() if self.at else ""


@register.simple_tag
def open_roles(incident: Incident) -> list[IncidentRole]:
    """What the severity requires and nobody plays, and the lead whatever the severity; none once it is over."""
    if not incident.is_open:
        return []
    missing = missing_roles(incident)
    if incident.lead is None and all(role.slug != "lead" for role in missing):
        missing = [*IncidentRole.objects.filter(slug="lead", is_active=True), *missing]
    return missing


@register.simple_tag
def times_of(incident: Incident) -> list[KnownTime]:
    """The times of the incident in their order."""
    return [
        KnownTime(name, words, getattr(incident, f"{name}_at"), name in ASKED_FOR) for name, words in LABELS.items()
    ]
