"""The incident screens: parse, find what the actor may see, call one action, render."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import Invalid
from events.forms import try_action
from incidents import actions, forms, paging
from incidents.filters import IncidentFilter
from incidents.models import (
    Incident,
    IncidentStatus,
    Severity,
    StatusCategory,
    TimelineEntry,
    UpdateTemplate,
)
from incidents.permissions import can_declare, can_respond
from incidents.timeline import entries_after
from oncall.models import Escalation
from oncall.permissions import can_answer

ENTRIES_SHOWN = 100
ENTRIES_POLLED = 500
SORTABLE = ("number", "name", "severity__rank", "declared_at", "resolved_at")


def visible(request: HttpRequest, number: int) -> Incident:
    """The incident with everything its page shows; 404 for one that the viewer may not see."""
    incident: Incident | None = Incident.objects.visible_to(actor_of(request)).for_lists().filter(number=number).first()
    if incident is None:
        raise Http404
    return incident


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
    form = forms.DeclareForm(request.POST or None, initial=initial)
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


def detail(request: HttpRequest, number: int) -> HttpResponse:
    """What, how bad, since when, who leads, what happened, what next."""
    incident = visible(request, number)
    actor = actor_of(request)
    before = request.GET.get("before", "")
    entries = TimelineEntry.objects.filter(incident=incident).select_related("user").order_by("-sequence")
    if before.isdecimal():
        entries = entries.filter(sequence__lt=int(before))
    shown = list(entries[: ENTRIES_SHOWN + 1])
    context = {
        "incident": incident,
        "entries": shown[:ENTRIES_SHOWN],
        "older_than": shown[ENTRIES_SHOWN - 1].sequence if len(shown) > ENTRIES_SHOWN else None,
        "can_respond": can_respond(actor, incident),
        "waiting_escalation": waiting_escalation(actor, incident),
        "statuses": IncidentStatus.objects.exclude(category__in=[StatusCategory.MERGED]),
        "severities": Severity.objects.all(),
        "update_form": forms.UpdateForm(auto_id="update-%s"),
        "edit_form": edit_form(incident),
        "role_form": forms.RoleForm(auto_id="role-%s"),
        "service_form": forms.ServiceForm(auto_id="service-%s"),
        "member_form": forms.MemberForm(auto_id="member-%s"),
        "page_form": forms.PageForm(auto_id="page-%s"),
        "members": incident.memberships.select_related("user") if incident.is_private else [],
        "templates": UpdateTemplate.objects.filter(locale=request.LANGUAGE_CODE),
    }
    if request.htmx and before:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "incidents/_entries.html", context)
    return render(request, "incidents/detail.html", context)


def waiting_escalation(actor: Actor, incident: Incident) -> Escalation | None:
    """The first escalation of the incident that nobody has answered and that the actor may answer."""
    waiting = incident.escalations.filter(status__in=[Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED])
    return next((each for each in waiting.order_by("pk") if can_answer(actor, each)), None)


def edit_form(incident: Incident) -> forms.EditForm:
    """Name, summary and reach as they are now."""
    initial = {name: getattr(incident, name) for name in forms.EditForm.base_fields}
    return forms.EditForm(initial=initial, auto_id="edit-%s")


def timeline(request: HttpRequest, number: int) -> HttpResponse:
    """What a page without a websocket has missed: entries, the newest first, and the parts around the timeline."""
    incident = visible(request, number)
    after = request.GET.get("after", "0")
    entries = list(entries_after(incident.pk, int(after) if after.isdecimal() else 0, limit=ENTRIES_POLLED))
    return render(request, "incidents/_poll.html", {"incident": incident, "entries": reversed(entries)})


Act = Callable[[Actor, Incident, dict[str, Any], datetime], object]


def change(form_class: type[Form] | None, act: Act, *, done: str = "") -> Callable[[HttpRequest, int], HttpResponse]:
    """A view that changes one incident: it reads the form and calls the action; the live page shows the rest."""

    @require_POST
    def view(request: HttpRequest, number: int) -> HttpResponse:
        incident = visible(request, number)
        data: dict[str, Any] = {}
        if form_class is not None:
            form = form_class(request.POST)
            if not form.is_valid():
                error = forms.first_error(form)
                raise Invalid(error["message"], field=error["field"])
            data = form.cleaned_data
        actor = actor_of(request)
        act(actor, incident, data, timezone.now())
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
            return HttpResponse(status=204, headers={"HX-Trigger": "closeDialog"})
        if done:
            messages.success(request, done)
        still_visible = Incident.objects.visible_to(actor).filter(pk=incident.pk).exists()
        return HttpResponseRedirect(incident.get_absolute_url() if still_visible else "/incidents/")

    return view


def _update(actor: Actor, incident: Incident, data: dict[str, Any], now: datetime) -> None:
    minutes = data.pop("next_update_minutes")
    next_update_in = timedelta(minutes=minutes) if minutes else None
    actions.post_update(actor=actor, incident=incident, now=now, next_update_in=next_update_in, **data)


add_note = change(
    forms.NoteForm, lambda actor, incident, data, now: actions.add_note(actor=actor, incident=incident, now=now, **data)
)
post_update = change(forms.UpdateForm, _update)
save_edit = change(
    forms.EditForm,
    lambda actor, incident, data, now: actions.edit_incident(actor=actor, incident=incident, now=now, **data),
)
change_status = change(
    forms.StatusForm,
    lambda actor, incident, data, now: actions.change_status(actor=actor, incident=incident, now=now, **data),
)
change_severity = change(
    forms.SeverityForm,
    lambda actor, incident, data, now: actions.change_severity(actor=actor, incident=incident, now=now, **data),
)
assign_role = change(
    forms.RoleForm,
    lambda actor, incident, data, now: actions.assign_role(actor=actor, incident=incident, now=now, **data),
)
set_service = change(
    forms.ServiceForm,
    lambda actor, incident, data, now: actions.set_affected_service(
        actor=actor, incident=incident, now=now, service=data["service"], impact=data["impact"] or None
    ),
)
page = change(
    forms.PageForm,
    lambda actor, incident, data, now: paging.page_for_incident(actor=actor, incident=incident, now=now, **data),
)
add_member = change(
    forms.MemberForm,
    lambda actor, incident, data, now: actions.add_member(actor=actor, incident=incident, now=now, **data),
)
remove_member = change(
    forms.MemberForm,
    lambda actor, incident, data, now: actions.remove_member(actor=actor, incident=incident, now=now, **data),
)
set_visibility = change(
    forms.VisibilityForm,
    lambda actor, incident, data, now: actions.set_visibility(actor=actor, incident=incident, now=now, **data),
)
mitigate = change(
    None, lambda actor, incident, data, now: actions.mitigate_incident(actor=actor, incident=incident, now=now)
)
resolve = change(
    None, lambda actor, incident, data, now: actions.resolve_incident(actor=actor, incident=incident, now=now)
)
reopen = change(
    None, lambda actor, incident, data, now: actions.reopen_incident(actor=actor, incident=incident, now=now)
)


def edit(request: HttpRequest, number: int) -> HttpResponse:
    """Saves name, summary and reach; asked for by GET, the fields as they are at this moment."""
    if request.method == "POST":
        return save_edit(request, number)
    return HttpResponse(edit_form(visible(request, number)).render())
