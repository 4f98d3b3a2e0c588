"""The form that declares an incident."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from events.forms import try_action
from incidents import actions
from incidents.forms.declare import DeclareForm
from incidents.models import Incident, Severity
from incidents.permissions import can_declare


def declare(request: HttpRequest) -> HttpResponse:
    """The form that declares an incident, and its answer."""
    actor = actor_of(request)
    if not can_declare(actor):
        messages.error(request, _("Viewers may not declare incidents. Ask an administrator for another role."))
        return HttpResponseRedirect("/incidents/")
    mildest = Severity.objects.filter(is_active=True).order_by("rank").first()
    initial = {
        "severity": request.GET.get("severity", mildest.pk if mildest else None),
        "name": request.GET.get("name", ""),
        "incident_type": request.GET.get("type", ""),
    }
    form = DeclareForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        incident: Incident | None = try_action(
            form, lambda: actions.declare_incident(actor=actor, now=timezone.now(), **form.declared())
        )
        if incident is not None:
            return HttpResponseRedirect(incident.get_absolute_url())
    return render(request, "incidents/declare.html", {"form": form}, status=422 if request.method == "POST" else 200)


@require_POST
def by_type(request: HttpRequest) -> HttpResponse:
    """The part of the form that the type decides, with what was typed; nothing is declared."""
    form = DeclareForm(initial={name: request.POST.get(name, "") for name in ("incident_type", "severity")})
    for field in form.custom:
        form.initial[field.name] = field.field.widget.value_from_datadict(request.POST, request.FILES, field.html_name)
    return render(request, "incidents/_declare_by_type.html", {"form": form})
