"""What the page of an incident shows of its lifecycle. The same for all its viewers."""

from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.kin import Kin, kin_of
from incidents.models import Incident

register = template.Library()


@register.simple_tag(name="kin_of")
def kin(incident: Incident) -> Kin:
    """`{% kin_of incident as kin %}`: its parent, its streams, what was merged."""
    return kin_of(incident)


@register.simple_tag
def durations_of(incident: Incident) -> list[tuple[str, timedelta]]:
    """`{% durations_of incident as lengths %}`: how long things took, as far as their ends are known."""
    found = incident.durations(timezone.now())
    named = [
        (_("To detect"), found.to_detect),
        (_("To acknowledge"), found.to_acknowledge),
        (_("To mitigate"), found.to_mitigate),
        (_("To resolve"), found.to_resolve),
        (_("Impact"), found.impact),
    ]
    return [(name, length) for name, length in named if length is not None]
