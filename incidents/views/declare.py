"""The form that declares an incident."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import actor_of
from events.forms import try_action
from incidents import actions
from incidents.forms.declare import DeclareForm
from incidents.models import Severity
from incidents.permissions import can_declare


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
