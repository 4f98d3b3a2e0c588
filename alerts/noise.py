"""What alerts cost and what they were worth: by source, route and service, and by the hour of the week.

Counted by the database over a bounded stretch of time, in a number of queries that does not grow with what there is.
Pages count as in the reports of on-call; an escalation that belongs to several sources counts for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay

from accounts.actor import Actor
from alerts.models import Alert, AlertEntry, AlertQuerySet, AlertRoute, AlertSource
from catalog.models import Service
from oncall.models import Page
from oncall.pages_received import count_of_pages
from oncall.reports import offsets_of

SHOWN = 50
FLAPPING = "flapping"
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Question:
    """Which alerts a report is about: those that fired from `start` until `end` (UTC) and that the actor may see.

    Hours are those of `zone`.
    """

    actor: Actor
    start: datetime
    end: datetime
    zone: ZoneInfo = UTC_ZONE

    def alerts(self) -> AlertQuerySet:
        """The alerts themselves."""
        seen = Alert.objects.visible_to(self.actor)
        return seen.filter(first_event_at__gte=self.start, first_event_at__lt=self.end).order_by()


@dataclass(frozen=True)
class Tally:
    """How it went with alerts: how many there were, paged somebody, told nothing, were left alone, or flapped."""

    alerts: int = 0
    paged: int = 0
    noise: int = 0
    false_positives: int = 0
    unanswered: int = 0
    flapping: int = 0
    pages: int = 0

    @property
    def noise_share(self) -> float:
        """The part that somebody marked as noise or false positive, 0 to 1."""
        return (self.noise + self.false_positives) / self.alerts if self.alerts else 0.0

    @property
    def unanswered_share(self) -> float:
        """Of those that paged the part that nobody acknowledged, 0 to 1."""
        return self.unanswered / self.paged if self.paged else 0.0

    @property
    def noise_percent(self) -> int:
        return round(100 * self.noise_share)

    @property
    def unanswered_percent(self) -> int:
        return round(100 * self.unanswered_share)


@dataclass(frozen=True)
class Row:
    """The tally of a source, route or service; without one, of alerts that have none."""

    about: Any
    tally: Tally


@dataclass(frozen=True)
class NoiseReport:
    """The answer to a question; `hours` are seven days from Monday on, of 24 numbers of alerts each."""

    question: Question
    total: Tally
    sources: list[Row] = field(default_factory=list)
    routes: list[Row] = field(default_factory=list)
    services: list[Row] = field(default_factory=list)
    hours: list[list[int]] = field(default_factory=list)

    @property
    def busiest(self) -> int:
        """The most alerts of one hour of the week."""
        return max((max(day) for day in self.hours), default=0)


def report(question: Question) -> NoiseReport:
    """Answers the question, each list with the loudest first and cut after fifty."""
    [(_key, total)] = _tallies(question, None).items() or [(None, Tally())]
    return NoiseReport(
        question=question,
        total=total,
        sources=_rows(question, "source_id", AlertSource),
        routes=_rows(question, "route_id", AlertRoute),
        services=_rows(question, "service_id", Service),
        hours=_hours(question),
    )


def _rows(question: Question, key: str, model: type[Any]) -> list[Row]:
    tallies = sorted(_tallies(question, key).items(), key=lambda each: -each[1].alerts)[:SHOWN]
    known: Mapping[int, Any] = model.objects.in_bulk([pk for pk, _tally in tallies if pk is not None])
    return [Row(known.get(pk) if pk is not None else None, tally) for pk, tally in tallies]


def _tallies(question: Question, key: str | None) -> dict[int | None, Tally]:
    """The tally of each value of a column, or of all of them together, in three queries."""
    alerts = question.alerts()
    paged = Q(escalation__isnull=False)
    counted = {
        "alerts": Count("pk"),
        "paged": Count("pk", filter=paged),
        "as_noise": Count("pk", filter=Q(noise=Alert.Noise.NOISE)),
        "false_positives": Count("pk", filter=Q(noise=Alert.Noise.FALSE_POSITIVE)),
        "unanswered": Count("pk", filter=paged & Q(escalation__acknowledged_at=None)),
    }
    flapping = AlertEntry.objects.filter(kind=FLAPPING, alert__in=alerts).order_by()
    pages = Page.objects.filter(state=Page.State.SENT, escalation__alerts__in=alerts).order_by()
    flaps = Count("alert_id", distinct=True)
    if key is None:
        told = {"flapping": flapping.aggregate(all=flaps)["all"], "pages": pages.aggregate(all=count_of_pages())["all"]}
        return {None: _tally(alerts.aggregate(**counted), **told)}
    flapped = dict(flapping.values_list(f"alert__{key}").annotate(all=flaps))
    sent = dict(pages.values_list(f"escalation__alerts__{key}").annotate(all=count_of_pages()))
    return {
        row[key]: _tally(row, flapping=flapped.get(row[key], 0), pages=sent.get(row[key], 0))
        for row in alerts.values(key).annotate(**counted)
    }


def _tally(row: Mapping[str, int], *, flapping: int, pages: int) -> Tally:
    names = ("alerts", "paged", "false_positives", "unanswered")
    return Tally(noise=row["as_noise"], flapping=flapping, pages=pages, **{name: row[name] for name in names})


def _hours(question: Question) -> list[list[int]]:
    """Alerts by weekday and hour on the clocks of the zone. Its offsets come from Python: databases may not know it."""
    whens = [
        When(first_event_at__gte=start, first_event_at__lt=end, then=Value(offset))
        for start, end, offset in offsets_of(question.zone, question.start, question.end)
    ]
    offset = Case(*whens, default=Value(timedelta(0)), output_field=DurationField())
    local = ExpressionWrapper(F("first_event_at") + offset, output_field=DateTimeField())
    found = (
        question.alerts()
        .annotate(day=ExtractIsoWeekDay(local, tzinfo=UTC), hour=ExtractHour(local, tzinfo=UTC))
        .values_list("day", "hour")
        .annotate(alerts=Count("pk"))
    )
    hours = [[0] * 24 for _ in range(7)]
    for day, hour, alerts in found:
        hours[day - 1][hour] = alerts
    return hours
