"""How a component did on each of the last days. Pure: spans in, bars out; days are those of the page's time zone.

Time in a major outage counts fully as downtime, time in a partial outage by 30 %, degraded performance and maintenance
not at all: the weights that readers of Statuspage pages are used to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from statuspage.indicator import OPERATIONAL, worst_status

DAYS = 90
DOWNTIME_WEIGHT = {"major_outage": 1.0, "partial_outage": 0.3}


@dataclass(frozen=True)
class Span:
    """A stretch in which the component had one status; the open one has no end."""

    status: str
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Day:
    """One bar: the worst status of the day ("" when nothing was recorded) and the seconds in each that was not good."""

    day: date
    status: str
    seconds: dict[str, int] = field(default_factory=dict)

    @property
    def is_trouble(self) -> bool:
        return self.status not in {"", OPERATIONAL}


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of the zone starts and ends, in UTC: 23 or 25 hours apart when the clocks change."""
    start, end = (datetime.combine(each, time.min, zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return start, end


def first_instant(now: datetime, zone: ZoneInfo, days: int = DAYS) -> datetime:
    """Where the bars begin: spans that ended before it do not matter."""
    return day_bounds(now.astimezone(zone).date() - timedelta(days=days - 1), zone)[0]


def daily_bars(spans: Iterable[Span], *, now: datetime, zone: ZoneInfo, days: int = DAYS) -> list[Day]:
    """One Day for each of the last `days`, oldest first; today is the last one and counts until `now`."""
    today = now.astimezone(zone).date()
    ordered = sorted(spans, key=lambda span: span.starts_at)
    return [_bar(ordered, today - timedelta(days=back), now, zone) for back in range(days - 1, -1, -1)]


def _bar(spans: Sequence[Span], day: date, now: datetime, zone: ZoneInfo) -> Day:
    start, end = day_bounds(day, zone)
    end = min(end, now)
    seconds: dict[str, int] = {}
    for span in spans:
        overlap = (min(span.ends_at or now, end) - max(span.starts_at, start)).total_seconds()
        if overlap > 0 or (span.ends_at is None and start <= span.starts_at <= now <= end):
            seconds[span.status] = seconds.get(span.status, 0) + round(overlap)
    if not seconds:
        return Day(day, "")
    return Day(
        day, worst_status(seconds), {status: length for status, length in seconds.items() if status != OPERATIONAL}
    )


def uptime_percent(spans: Iterable[Span], *, now: datetime, zone: ZoneInfo, days: int = DAYS) -> float | None:
    """The share of the recorded time of the last `days` that was not downtime, in percent; None without a record."""
    start = first_instant(now, zone, days)
    recorded = down = 0.0
    for span in spans:
        length = (min(span.ends_at or now, now) - max(span.starts_at, start)).total_seconds()
        if length > 0:
            recorded += length
            down += length * DOWNTIME_WEIGHT.get(span.status, 0.0)
    return None if not recorded else 100 * (1 - down / recorded)
