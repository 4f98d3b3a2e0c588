"""Incidents as a table, as a board, as CSV, and on the wall."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from incidents.csv import incidents_csv
from incidents.filters import IncidentFilter, statuses_in
from incidents.models import Incident, IncidentStatus, Severity, StatusCategory
from incidents.permissions import can_declare
from oncall.models import Schedule
from oncall.roster import on_call_at

SORTABLE = ("number", "name", "severity__rank", "declared_at", "resolved_at")
MOST_COUNTED = 2_000
# What is found by its words is counted less far: each row has to be read.
MOST_FOUND = 500
# What a person can still look over.
CARDS_SHOWN = 30
WALL_SHOWN = 12
ON_BOARD = (StatusCategory.TRIAGE, StatusCategory.ACTIVE, StatusCategory.POST_INCIDENT)
FILTERS_SHOWN = "severity status service team lead"
PLACE_KEYS = ("page", "cursor", "by")


@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """Incidents, the newest first."""
    actor = actor_of(request)
    incidents = Incident.objects.visible_to(actor).for_lists().order_by("-number")
    most = MOST_FOUND if request.GET.get("q") else MOST_COUNTED
    listing = list_page(request, incidents, IncidentFilter, sortable=SORTABLE, most_counted=most)
    context = {
        "list": listing,
        "can_declare": can_declare(actor),
        "only_open": request.GET.get("open") == "true",
        "unfiltered": not request.GET,
        **_around(request),
    }
    return render(request, "incidents/list.html", context)


def _around(request: HttpRequest) -> dict[str, Any]:
    """What stands above table and board: how many are open, and the same filters in the other views."""
    asked = request.GET.copy()
    for key in PLACE_KEYS:
        asked.pop(key, None)
    return {
        "filters_shown": FILTERS_SHOWN,
        "open_count": Incident.objects.visible_to(actor_of(request)).open().count(),
        "query": asked.urlencode(),
    }


@dataclass(frozen=True)
class Column:
    """One column of the board: a status or a severity, its cards, and how many there are in all."""

    key: IncidentStatus | Severity
    cards: Sequence[Incident]
    count: int


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Incidents that are not closed, in a column for each status, or with `?by=severity` for each severity."""
    actor = actor_of(request)
    by = "severity" if request.GET.get("by") == "severity" else "status"
    filtered = IncidentFilter(request.GET, queryset=Incident.objects.visible_to(actor), request=request)
    on_board = filtered.qs.filter(status__in=statuses_in(ON_BOARD))
    columns = list(_columns(on_board, by))
    context = {
        "columns": columns,
        "is_empty": not any(column.count for column in columns),
        "by": by,
        "filters": filtered,
        "can_declare": can_declare(actor),
        **_around(request),
    }
    return render(request, "incidents/board.html", context)


def _columns(on_board: QuerySet[Incident], by: str) -> Iterator[Column]:
    keys: list[IncidentStatus | Severity]
    if by == "severity":
        keys = list(Severity.objects.filter(is_active=True))
    else:
        keys = list(IncidentStatus.objects.filter(category__in=ON_BOARD, is_active=True).order_by("position"))
    counts = dict(on_board.order_by().values_list(f"{by}_id").annotate(Count("pk")))
    # The newest of each column in one statement, then all of their rows together.
    newest = [on_board.filter(**{by: key}).order_by("-number").values_list("pk")[:CARDS_SHOWN] for key in keys]
    ids = [pk for (pk,) in newest[0].union(*newest[1:], all=True)] if newest else []
    cards = list(Incident.objects.filter(pk__in=ids).for_lists().order_by("-severity__rank", "-number"))
    for key in keys:
        shown = [card for card in cards if getattr(card, f"{by}_id") == key.pk]
        yield Column(key, shown, counts.get(key.pk, 0))


@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What the list shows with the same filters, as CSV."""
    incidents = Incident.objects.visible_to(actor_of(request)).order_by("-number")
    filtered = IncidentFilter(request.GET, queryset=incidents, request=request)
    return incidents_csv(filtered.qs, now=timezone.now())


@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """For a screen in the office: what is open, since when, who leads, who is on call. Nothing private is on it."""
    now = timezone.now()
    public = Incident.objects.open().filter(visibility=Incident.Visibility.PUBLIC, parent=None)
    public = public.exclude(mode=Incident.Mode.TEST)
    shown = list(public.for_lists().order_by("-severity__rank", "declared_at")[: WALL_SHOWN + 1])
    on_call = on_call_at(now)
    schedules = Schedule.objects.filter(pk__in=on_call).order_by("name")
    context = {
        "incidents": shown[:WALL_SHOWN],
        "more": public.count() - WALL_SHOWN if len(shown) > WALL_SHOWN else 0,
        "on_call": [(schedule, on_call[schedule.pk]) for schedule in schedules if on_call[schedule.pk]],
        "now": now,
    }
    return render(request, "incidents/wall.html", context)
