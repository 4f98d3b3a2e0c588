"""What the page of an incident shows of changes. Nobody's rights decide about it: all its viewers get the same."""

from django import template

from alerts.changes import changes_before
from alerts.models import Change
from incidents.models import Incident

register = template.Library()
SHOWN = 5


@register.simple_tag
def changes_of(incident: Incident) -> list[Change]:
    """`{% changes_of incident as changes %}`: what was changed in the hour before it began, its services' own first."""
    # (read for the page already: a prefetch of its own name)
    services = [affected.service_id for affected in getattr(incident, "current_services", [])]
    return changes_before(incident.started_at or incident.declared_at, services, shown=SHOWN)
