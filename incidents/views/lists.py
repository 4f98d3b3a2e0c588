"""The list of incidents."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actor import actor_of
from accounts.lists import list_page
from incidents.filters import IncidentFilter
from incidents.models import Incident
from incidents.permissions import can_declare

SORTABLE = ("number", "name", "severity__rank", "declared_at", "resolved_at")


def incident_list(request: HttpRequest) -> HttpResponse:
    """Incidents, the newest first."""
    actor = actor_of(request)
    incidents = Incident.objects.visible_to(actor).for_lists().order_by("-number")
    listing = list_page(request, incidents, IncidentFilter, sortable=SORTABLE)
    context = {
        "list": listing,
        "can_declare": can_declare(actor),
        "open_count": Incident.objects.visible_to(actor).open().count(),
        "only_open": request.GET.get("open") == "true",
        "unfiltered": not request.GET,
    }
    return render(request, "incidents/list.html", context)
