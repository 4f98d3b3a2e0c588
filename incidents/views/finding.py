"""Finding the incident that a request is about."""

from django.http import Http404, HttpRequest

from accounts.actor import actor_of
from incidents.models import (
    Incident,
)


def visible(request: HttpRequest, number: int) -> Incident:
    """The incident with everything its page shows; 404 for one that the viewer may not see."""
    incident: Incident | None = Incident.objects.visible_to(actor_of(request)).for_lists().filter(number=number).first()
    if incident is None:
        raise Http404
    return incident
