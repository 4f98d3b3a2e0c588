"""When a wall-clock time comes in a zone, and hours that return each week.

One rule covers the clock changes: a time that does not exist is read with the offset that held before the gap (02:30
becomes 03:30), a time that exists twice means its first occurrence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# The calendar ends where dates do; instants beyond these are read as these, so that no sum can run over the edge.
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 1, 1, tzinfo=UTC)
FIRST_DAY = EARLIEST.toordinal()
LAST_DAY = LATEST.toordinal() - 1

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """From `start` until `end`, wall-clock, on some weekdays (0 is Monday; none named means every day).

    Hours that run past midnight belong to the weekday on which they start; equal times mean the whole day, from that
    time until the same time of the next day.
    """

    start: time
    end: time
    weekdays: frozenset[int] = frozenset()


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time, by the rule for clock changes above."""
    return instant_of_day(day.toordinal(), at, zone)


def instant_of_day(number: int, at: time, zone: ZoneInfo) -> datetime:
    """The same for a day by its proleptic ordinal; days off the calendar are its first or last instant."""
    if at.fold:
        at = at.replace(fold=0)
    if FIRST_DAY <= number <= LAST_DAY:
        return datetime.combine(date.fromordinal(number), at, tzinfo=zone).astimezone(UTC)
    return EARLIEST if number < FIRST_DAY else LATEST


def clipped(at: datetime) -> datetime:
    """The instant in UTC, at most a moment before the end of the calendar."""
    try:
        instant = at.astimezone(UTC)
    except OverflowError:
        return EARLIEST if at.year < 5000 else LATEST - MOMENT
    return min(max(instant, EARLIEST), LATEST - MOMENT)


def windows(
    hours: WeeklyHours,
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    is_left_out: Callable[[date], bool] | None = None,
) -> list[tuple[datetime, datetime]]:
    """The stretches of these hours that touch [start, end), whole and in order; those that meet are one.

    Days that are left out start no hours. A stretch that a clock change turns around (its end comes first) is none.
    """
    found: list[tuple[datetime, datetime]] = []
    to_end = 0 if hours.end > hours.start else 1
    weekdays = hours.weekdays
    # A zone may skip a whole day: hours of the day before the last may still run.
    first = start.astimezone(zone).toordinal() - 2
    last = end.astimezone(zone).toordinal() + 1
    for number in range(first, last + 1):
        if weekdays and (number - 1) % 7 not in weekdays:
            continue
        if is_left_out is not None and is_left_out(date.fromordinal(number)):
            continue
        finish = instant_of_day(number + to_end, hours.end, zone)
        if finish <= start:
            continue
        begin = instant_of_day(number, hours.start, zone)
        if begin >= end:
            break
        if finish <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(finish, found[-1][1]))
        else:
            found.append((begin, finish))
    return found


def holds(hours: WeeklyHours, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the instant lies in these hours."""
    return bool(windows(hours, zone, at, at + MOMENT))
