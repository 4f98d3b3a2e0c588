"""What a public page shows, read in a constant number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events.durations import length_in_words
from statuspage.indicator import OPERATIONAL, WORSE_LATER, Indicator, page_indicator
from statuspage.models import Component, ComponentSpan, ComponentStatus, PublicIncident, StatusPage, StatusUpdate
from statuspage.uptime import Day, Span, daily_bars, day_bounds, first_instant, uptime_percent

HISTORY_DAYS = 15
NAMES_SHOWN = 3
# What keeps the page light whatever happens: days with trouble told in words, incidents, updates, characters.
TROUBLES_SHOWN = 80
INCIDENTS_SHOWN = 5
PAST_SHOWN = 40
UPDATES_SHOWN = 4
CHARACTERS_SHOWN = 10_000
BAR, PITCH, MIDDLE = 5, 7, 14


@dataclass(frozen=True)
class Trouble:
    """A day that was not good: how bad, its bar, and in words."""

    status: str
    path: str
    words: str


@dataclass(frozen=True)
class ComponentRow:
    """A component with its 90 bars: `bars` holds (status, SVG path), `troubles` the latest days that were not good."""

    component: Component
    uptime: str
    bars: Sequence[tuple[str, str]]
    troubles: Sequence[Trouble]
    trouble_days: int


@dataclass(frozen=True)
class PastDay:
    """A day of the history and the incidents that began on it."""

    day: date
    incidents: Sequence[PublicIncident]


@dataclass(frozen=True)
class Board:
    """The whole page."""

    page: StatusPage
    sentence: str
    indicator: Indicator
    rows: Sequence[ComponentRow]
    unresolved: Sequence[PublicIncident]
    past: Sequence[PastDay]

    @property
    def characters_shown(self) -> int:
        """How much of each update is shown, so that all of them together stay short."""
        updates = sum(min(UPDATES_SHOWN, len(each.updates.all())) for each in self.unresolved[:INCIDENTS_SHOWN])
        return max(200, CHARACTERS_SHOWN // max(updates, 1))

    @property
    def worst_status(self) -> str:
        return worst_word(self.indicator)


def worst_word(indicator: Indicator) -> str:
    """The component status whose colour and shape fit the indicator."""
    by_indicator = {
        "minor": ComponentStatus.DEGRADED_PERFORMANCE,
        "major": ComponentStatus.PARTIAL_OUTAGE,
        "critical": ComponentStatus.MAJOR_OUTAGE,
        "maintenance": ComponentStatus.UNDER_MAINTENANCE,
    }
    return by_indicator.get(indicator.indicator, ComponentStatus.OPERATIONAL).value


def with_updates(incidents: QuerySet[PublicIncident]) -> QuerySet[PublicIncident]:
    """Public incidents with their page, their updates (newest first) and their components, in three queries."""
    return incidents.select_related("page").prefetch_related(
        Prefetch("updates", StatusUpdate.objects.order_by("-created_at", "-id")),
        Prefetch("components", Component.objects.order_by("position", "id")),
    )


def load_board(page: StatusPage, now: datetime) -> Board:
    """Reads the components with 90 days of bars, what is unresolved, and the last 15 days of history."""
    zone = ZoneInfo(page.time_zone)
    since = first_instant(now, zone)
    spans = ComponentSpan.objects.filter(Q(ends_at=None) | Q(ends_at__gt=since)).order_by("starts_at")
    components = list(page.components.prefetch_related(Prefetch("spans", spans, to_attr="recent_spans")))
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(HISTORY_DAYS)]
    recent = Q(started_at__gte=day_bounds(days[-1], zone)[0])
    open_or_recent = ~Q(status=PublicIncident.Status.RESOLVED) | recent
    incidents = list(with_updates(page.public_incidents.filter(open_or_recent).order_by("-started_at", "-id")))
    unresolved = [each for each in incidents if not each.is_resolved]
    return Board(
        page=page,
        sentence=truth(components, unresolved),
        indicator=page_indicator([each.status for each in components], [each.impact for each in unresolved]),
        rows=[component_row(each, now, zone, told=TROUBLES_SHOWN // len(components)) for each in components],
        unresolved=unresolved,
        past=[PastDay(day, [each for each in incidents[:PAST_SHOWN] if _began(each, zone) == day]) for day in days],
    )


def _began(incident: PublicIncident, zone: ZoneInfo) -> date:
    return incident.started_at.astimezone(zone).date()


def component_row(component: Component, now: datetime, zone: ZoneInfo, *, told: int) -> ComponentRow:
    """The row of a component whose `recent_spans` are loaded, with its latest `told` days of trouble in words."""
    recent: list[ComponentSpan] = component.recent_spans  # type: ignore[attr-defined]  # load_board prefetches it
    spans = [Span(each.status, each.starts_at, each.ends_at) for each in recent]
    bars = daily_bars(spans, now=now, zone=zone)
    percent = uptime_percent(spans, now=now, zone=zone)
    troubles = [index for index, bar in enumerate(bars) if bar.is_trouble]
    latest = troubles[::-1][: min(max(told, 2), 10)]
    return ComponentRow(
        component=component,
        uptime="" if percent is None else _("%(percent)s %% uptime") % {"percent": in_percent(percent)},
        bars=list(_paths(bars, apart=set(latest))),
        troubles=[Trouble(bars[index].status, _run(index), _trouble_words(bars[index])) for index in latest],
        trouble_days=len(troubles),
    )


def _paths(bars: Sequence[Day], *, apart: set[int]) -> Iterable[tuple[str, str]]:
    """For each status one SVG path with a stretch for each run of equal days; the style sheet dashes it into bars.

    The days `apart` are left out: they have words of their own.
    """
    paths: dict[str, list[str]] = {}
    for status, group in groupby(enumerate(bars), key=lambda pair: None if pair[0] in apart else pair[1].status):
        if status is not None:
            indexes = [index for index, _bar in group]
            paths.setdefault(status or "unrecorded", []).append(_run(indexes[0], len(indexes)))
    return ((status, "".join(stretches)) for status, stretches in paths.items())


def _run(index: int, days: int = 1) -> str:
    return f"M{index * PITCH} {MIDDLE}h{days * PITCH - (PITCH - BAR)}"


def _trouble_words(bar: Day) -> str:
    worst_first = sorted(bar.seconds, key=WORSE_LATER.index, reverse=True)
    parts = [f"{ComponentStatus(status).label}, {length_in_words(bar.seconds[status])}" for status in worst_first]
    return f"{date_format(bar.day, 'j F')}: {'; '.join(parts)}"


def in_percent(percent: float) -> str:
    """Two decimals, cut rather than rounded: less than all is never shown as 100."""
    return "100" if percent == 100 else f"{int(percent * 100) / 100:.2f}"


def truth(components: Sequence[Component], unresolved: Sequence[PublicIncident]) -> str:
    """One sentence that says how things are, worst first."""
    parts: list[str] = []
    for status in reversed(WORSE_LATER):
        names = [each.name for each in components if each.status == status]
        if names and status != OPERATIONAL:
            word = str(ComponentStatus(status).label)
            parts.append(f"{word.lower() if parts else word}: {_listed(names)}")
    if parts:
        return "; ".join(parts) + "."
    if len(unresolved) == 1:
        return _("We are working on an incident: %(name)s.") % {"name": unresolved[0].name.rstrip(".")}
    if unresolved:
        return _("We are working on %(count)s incidents.") % {"count": len(unresolved)}
    return _("All systems are operational.")


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    if rest > 1:
        more = ngettext("%(count)s other", "%(count)s others", rest) % {"count": rest}
        names = [*names[:NAMES_SHOWN], more]
    return get_text_list(list(names), _("and"))
