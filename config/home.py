"""The home page: what is burning, what is yours, who is on call; and the search behind the palette."""

from dataclasses import dataclass
from datetime import date as calendar_date
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

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
from incidents.models import Incident, IncidentQuerySet, RoleAssignment, Severity
from incidents.permissions import can_declare
from incidents.todo import open_actions_of
from oncall.covering import open_requests_for
from oncall.mine import waiting_surveys
from oncall.models import Escalation, Schedule
from oncall.permissions import can_page
from oncall.standings import standings
from oncall.views.signed_in import user_of
from postmortems.models import ActionItem, Postmortem
from workflows.models import Workflow

DAYS = 7
RESULTS_PER_KIND = 5
INCIDENTS_SHOWN = 20
ITEMS_SHOWN = 10


@dataclass(frozen=True)
class Day:
    """One day of the strip: from `start` until `end`, with the severities of what was declared on it."""

    date: calendar_date
    start: datetime
    end: datetime
    severities: list[Severity]

    @property
    def count(self) -> int:
        return len(self.severities)

    @property
    def worst(self) -> Severity | None:
        return max(self.severities, key=lambda severity: severity.rank, default=None)

    @property
    def url(self) -> str:
        """The list of what was declared on this day."""
        bounds = {"declared_after": self.start.isoformat(), "declared_before": self.end.isoformat()}
        return f"{reverse('incidents:list')}?{urlencode(bounds)}"


def home(request: HttpRequest) -> HttpResponse:
    """What is burning and what is yours."""
    actor = actor_of(request)
    now = timezone.now()
    visible = Incident.objects.visible_to(actor)
    worst_first = visible.open().for_lists().order_by("-severity__rank", "-number")
    context = {
        "now": now,
        "incidents": worst_first[:INCIDENTS_SHOWN],
        "open_count": visible.open().count(),
        "my_escalations": Escalation.objects.unanswered_for(user_of(request)),
        "cover_requests": open_requests_for(user_of(request), now)[:ITEMS_SHOWN],
        "surveys": waiting_surveys(user_of(request), now)[:ITEMS_SHOWN],
        "my_roles": RoleAssignment.objects.filter(
            user_id=actor.person_id, ended_at=None, incident__in=visible.open()
        ).select_related("role", "incident__severity", "incident__status"),
        "my_actions": open_actions_of(actor)[:ITEMS_SHOWN],
        "my_action_items": ActionItem.objects.visible_to(actor)
        .open()
        .filter(owner_id=actor.person_id)
        .select_related("incident")
        .order_by("due_on", "id")[:ITEMS_SHOWN],
        "today": timezone.localdate(),
        "standings": standings(now),
        "firing": Alert.objects.visible_to(actor).firing().count(),
        "week": week_of(visible),
        "can_declare": can_declare(actor),
        "may_page": can_page(actor),
    }
    return render(request, "home.html", context)


def week_of(visible: IncidentQuerySet) -> list[Day]:
    """The last seven days in the viewer's zone, today last, each with the incidents that were declared on it."""
    today = timezone.localdate()
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    starts = [timezone.make_aware(datetime.combine(date, time())) for date in [*dates, today + timedelta(days=1)]]
    declared = list(visible.counting().filter(declared_at__gte=starts[0]).select_related("severity"))
    return [
        Day(date, start, end, [incident.severity for incident in declared if start <= incident.declared_at < end])
        for date, start, end in zip(dates, starts[:-1], starts[1:], strict=True)
    ]


def search(request: HttpRequest) -> JsonResponse:
    """`/search/?q=` for the palette: `{"results": [{"title", "subtitle", "url", "kind"}]}`, only what is visible."""
    actor = actor_of(request)
    words = request.GET.get("q", "").strip()[:100]
    return JsonResponse({"results": found(actor, words) if words else []})


def found(actor: Actor, words: str) -> list[dict[str, str]]:
    """Incidents, services, people, teams, schedules, alerts, postmortems and workflows whose names hold the words."""
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
    results += [
        _result(_("Workflow"), row.name, row.folder, row.get_absolute_url())
        for row in Workflow.objects.filter(by_name)[:RESULTS_PER_KIND]
    ]
    return results


def _result(kind: str, title: str, subtitle: str, url: str) -> dict[str, str]:
    return {"kind": kind, "title": title, "subtitle": subtitle, "url": url}
