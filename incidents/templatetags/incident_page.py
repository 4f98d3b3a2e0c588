"""What the page of an incident asks for: `{% load incident_page %}`."""

from collections.abc import Sequence

from django import template
from django.db.models import Q

from incidents.models import Incident, IncidentRole

register = template.Library()


@register.simple_tag
def missing_roles(incident: Incident) -> Sequence[IncidentRole]:
    """The lead, and each role that the severity requires, that nobody plays now; none once it is over."""
    if not incident.is_open:
        return []
    given = [assignment.role_id for assignment in getattr(incident, "current_roles", [])]
    wanted = IncidentRole.objects.filter(Q(slug="lead") | Q(required_for=incident.severity_id), is_active=True)
    return list(wanted.exclude(pk__in=given).distinct())
