"""The home page: what is burning, what is yours, who is on call; and the search behind the palette."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import Actor, actor_of
from accounts.models import Team, User
from alerts.models import Alert
from catalog.models import Service
from incidents.models import Incident
from oncall.models import Escalation, Page, Schedule
from oncall.roster import on_call_at
from postmortems.models import ActionItem, Postmortem

DAYS = 7
RESULTS_PER_KIND = 5


def home(request: HttpRequest) -> HttpResponse:
    """What is burning and what is yours."""
    actor = actor_of(request)
    now = timezone.now()
    on_call = on_call_at(now)
    schedules = Schedule.objects.select_related("team").order_by("name")
    context = {
        "now": now,
        "incidents": Incident.objects.visible_to(actor).open().for_lists().order_by("-severity__rank", "-number")[:20],
        "my_escalations": open_pages(actor),
        "my_roles": Incident.objects.visible_to(actor)
        .open()
        .for_lists()
        .filter(role_assignments__user_id=actor.person_id, role_assignments__ended_at=None)
        .distinct(),
        "my_action_items": ActionItem.objects.visible_to(actor)
        .open()
        .filter(owner_id=actor.person_id)
        .select_related("incident")
        .order_by("due_on")[:10],
        "on_call": [{"schedule": schedule, "people": on_call.get(schedule.pk, [])} for schedule in schedules],
        "firing": Alert.objects.visible_to(actor).firing().count(),
        "week": week_of(actor),
    }
    return render(request, "home.html", context)


def open_pages(actor: Actor) -> list[Escalation]:
    """The escalations that wait for an answer of this person, the oldest first."""
    mine = Page.objects.filter(user_id=actor.person_id, escalation__status=Escalation.Status.TRIGGERED)
    return list(Escalation.objects.filter(pk__in=mine.values("escalation_id")).order_by("pk"))


def week_of(actor: Actor) -> list[dict[str, Any]]:
    """The last seven days in the viewer's zone, each with its incidents counted and its worst severity."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    declared = (
        Incident.objects.visible_to(actor)
        .exclude(mode=Incident.Mode.TEST)
        .filter(declared_at__date__gte=first)
        .select_related("severity")
    )
    days: dict[Any, list[Incident]] = {first + timedelta(days=number): [] for number in range(DAYS)}
    for incident in declared:
        days.setdefault(timezone.localdate(incident.declared_at), []).append(incident)
    return [
        {
            "day": day,
            "count": len(incidents),
            "worst": max(
                (incident.severity for incident in incidents), key=lambda severity: severity.rank, default=None
            ),
        }
        for day, incidents in sorted(days.items())
    ]


def search(request: HttpRequest) -> JsonResponse:
    """`/search/?q=` for the palette: `{"results": [{"title", "subtitle", "url", "kind"}]}`, only what is visible."""
    actor = actor_of(request)
    words = request.GET.get("q", "").strip()[:100]
    return JsonResponse({"results": found(actor, words) if words else []})


def found(actor: Actor, words: str) -> list[dict[str, str]]:
    """Incidents, services, people, teams, schedules, alerts and postmortems whose names hold the words."""
    number = words.upper().removeprefix("INC-")
    by_name = Q(name__icontains=words)
    by_number = Q(number=int(number)) if number.isdecimal() and len(number) < 10 else Q(pk__in=[])
    incidents = Incident.objects.visible_to(actor).select_related("severity", "status").filter(by_name | by_number)
    results = [
        _result(_("Incident"), f"{row.reference} {row.name}", f"{row.severity} · {row.status}", row.get_absolute_url())
        for row in incidents[:RESULTS_PER_KIND]
    ]
    results += [
        _result(_("Service"), row.name, row.get_tier_display(), reverse("catalog:service", args=[row.slug]))
        for row in Service.objects.filter(by_name)[:RESULTS_PER_KIND]
    ]
    results += [
        _result(_("Person"), row.display_name, row.email, reverse("accounts:person", args=[row.pk]))
        for row in User.objects.filter(by_name | Q(email__icontains=words), is_active=True)[:RESULTS_PER_KIND]
    ]
    results += [
        _result(_("Team"), row.name, row.description, reverse("accounts:team", args=[row.slug]))
        for row in Team.objects.filter(by_name)[:RESULTS_PER_KIND]
    ]
    results += [
        _result(_("Schedule"), row.name, row.description, reverse("oncall:schedule", args=[row.slug]))
        for row in Schedule.objects.filter(by_name)[:RESULTS_PER_KIND]
    ]
    alerts = Alert.objects.visible_to(actor).firing().select_related("source").filter(title__icontains=words)
    results += [
        _result(_("Alert"), row.title, row.source.name, row.get_absolute_url()) for row in alerts[:RESULTS_PER_KIND]
    ]
    postmortems = Postmortem.objects.visible_to(actor).filter(title__icontains=words)
    results += [
        _result(_("Postmortem"), row.title, row.get_status_display(), row.get_absolute_url())
        for row in postmortems[:RESULTS_PER_KIND]
    ]
    return results


def _result(kind: str, title: str, subtitle: str, url: str) -> dict[str, str]:
    return {"kind": kind, "title": title, "subtitle": subtitle, "url": url}
