"""The roles of an incident on screen: who has which, who had, given, taken and left."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from events.errors import Invalid
from incidents import roles
from incidents.forms.changes import first_error
from incidents.forms.people import AssignForm, OwnRoleForm
from incidents.models import Incident
from incidents.views.finding import visible

Act = Callable[[Actor, Incident, dict[str, Any], datetime], list[str]]


def _assign(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> list[str]:
    roles.assign_role(actor=actor, incident=incident, now=now, **data)
    return roles.role_warnings(data["role"], data["user"])


def _take(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> list[str]:
    roles.take_role(actor=actor, incident=incident, now=now, **data)
    return roles.role_warnings(data["role"], roles.holder(incident, data["role"]))


def _leave(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> list[str]:
    roles.leave_role(actor=actor, incident=incident, now=now, **data)
    return []


def _change(form_class: type[Form], act: Act) -> Callable[[HttpRequest, int], HttpResponse]:
    """A view that changes a role and shows what speaks against it, once it is done."""

    @require_POST
    def view(request: HttpRequest, number: int) -> HttpResponse:
        incident = visible(request, number)
        form = form_class(request.POST)
        if not form.is_valid():
            error = first_error(form)
            raise Invalid(error["message"], field=error["field"])
        warnings = act(actor_of(request), incident, form.cleaned_data, timezone.now())
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
            news: dict[str, Any] = {"closeDialog": True}
            if warnings:
                news["toast"] = {"message": " ".join(warnings), "level": "warning"}
            return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(news)})
        for warning in warnings:
            messages.warning(request, warning)
        return HttpResponseRedirect(incident.get_absolute_url())

    return view


save_role = _change(AssignForm, _assign)
take_role = _change(OwnRoleForm, _take)
leave_role = _change(OwnRoleForm, _leave)


def role(request: HttpRequest, number: int) -> HttpResponse:
    """Gives a role; asked for by GET, what the dialog holds: the roles, who has them, who had them."""
    if request.method == "POST":
        return save_role(request, number)
    incident = visible(request, number)
    offered = roles.offered_roles(incident.incident_type)
    played = {row.role_id: row for row in incident.current_roles}  # type: ignore[attr-defined]  # for_lists()
    missing = {row.pk for row in roles.missing_roles(incident)}
    asked = request.GET.get("role", "")
    chosen = next((each for each in offered if each.slug == asked), None)
    chosen = chosen or next((each for each in offered if each.pk not in played), None)
    context = {
        "incident": incident,
        "rows": [{"role": each, "now": played.get(each.pk), "is_missing": each.pk in missing} for each in offered],
        "chosen": chosen.slug if chosen else "",
        "form": AssignForm(auto_id="role-%s", initial={"user": request.user.pk}),
        "history": incident.role_assignments.select_related("role", "user").order_by("-started_at", "-pk"),
    }
    return render(request, "incidents/dialogs/_roles.html", context)
