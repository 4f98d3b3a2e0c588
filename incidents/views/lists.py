"""The list of incidents, and the form that declares one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import actor_of
from accounts.lists import list_page
from events.forms import try_action
from incidents import actions
from incidents.filters import IncidentFilter
from incidents.forms.declare import DeclareForm
from incidents.models import (
    Incident,
    Severity,
)
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


def declare(request: HttpRequest) -> HttpResponse:
    """The form that declares an incident, and its answer."""
    actor = actor_of(request)
    worst = Severity.objects.order_by("rank").first()
    initial = {
        "severity": request.GET.get("severity", worst.pk if worst else None),
        "name": request.GET.get("name", ""),
    }
    form = DeclareForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        incident = try_action(
            form, lambda: actions.declare_incident(actor=actor, now=timezone.now(), **form.cleaned_data)
        )
        if incident is not None:
            return HttpResponseRedirect(incident.get_absolute_url())
    if not can_declare(actor):
        messages.error(request, _("Viewers may not declare incidents. Ask an administrator for another role."))
        return HttpResponseRedirect("/incidents/")
    status = 422 if request.method == "POST" else 200
    return render(
        request, "incidents/declare.html", {"form": form, "severities": Severity.objects.all()}, status=status
    )
