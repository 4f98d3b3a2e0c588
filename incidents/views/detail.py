"""The page of an incident."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.actor import Actor, actor_of
from accounts.models import Role
from incidents.forms.changes import UpdateForm
from incidents.models import Incident
from incidents.permissions import can_respond
from incidents.timeline import changed_after, entries_after
from incidents.timeline_pages import page_of_entries
from incidents.views.finding import visible
from oncall.models import Escalation
from oncall.permissions import can_answer

ENTRIES_POLLED = 500


def detail(request: HttpRequest, number: int) -> HttpResponse:
    """What, how bad, since when, who leads, what happened, what next."""
    incident = visible(request, number)
    actor = actor_of(request)
    kinds = request.GET.get("kinds", "")
    before, around = number_in(request, "before"), number_in(request, "around")
    page = page_of_entries(incident, kinds=kinds.split(","), before=before, around=around)
    shown = {"entries": page.entries, "older_than": page.older_than, "newer_than": page.newer_than, "kinds": kinds}
    if request.htmx and (before is not None or kinds):  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "incidents/_entries.html", {"incident": incident, **shown})
    context = {
        "incident": incident,
        **shown,
        "rewrites_all": actor.has_role(Role.MANAGER),
        "can_respond": can_respond(actor, incident),
        "waiting_escalation": waiting_escalation(actor, incident),
        "older": neighbours(actor, incident).filter(number__lt=incident.number).order_by("-number").first(),
        "newer": neighbours(actor, incident).filter(number__gt=incident.number).order_by("number").first(),
        "update_form": UpdateForm(auto_id="update-%s"),
    }
    return render(request, "incidents/detail.html", context)


def neighbours(actor: Actor, incident: Incident) -> QuerySet[Incident]:
    """The incidents that the actor may see, for the step to the one before and after."""
    return Incident.objects.visible_to(actor).exclude(pk=incident.pk).only("number")


def waiting_escalation(actor: Actor, incident: Incident) -> Escalation | None:
    """The first escalation of the incident that nobody has answered and that the actor may answer."""
    waiting = incident.escalations.filter(status__in=[Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED])
    return next((each for each in waiting.order_by("pk") if can_answer(actor, each)), None)


def timeline(request: HttpRequest, number: int) -> HttpResponse:
    """What a page without a websocket has missed: entries, the newest first, and the parts around the timeline."""
    incident = visible(request, number)
    entries = list(entries_after(incident.pk, number_in(request, "after") or 0, limit=ENTRIES_POLLED))
    change = number_in(request, "changed_after")
    if change is not None:
        new = {entry.pk for entry in entries}
        changed = changed_after(incident.pk, change, limit=ENTRIES_POLLED)
        entries = [*(entry for entry in changed if entry.pk not in new), *entries]
    return render(request, "incidents/_poll.html", {"incident": incident, "entries": reversed(entries)})


def number_in(request: HttpRequest, name: str) -> int | None:
    """A number of the query, None for anything that is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
