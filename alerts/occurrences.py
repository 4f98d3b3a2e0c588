"""When a recurring window occurs: a rule of RFC 5545 on the clocks of a time zone. Pure.

Starts and ends are wall-clock times: what begins at 22:00 and ends at 02:00 does so on each night, however many hours a
clock change leaves between them. Times that do not exist, or exist twice, are read as everywhere (oncall/windows.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from oncall.windows import instant_of

Stretch = tuple[datetime, datetime]
# A rule that has not occurred for so long counts as over; the 29th of February comes within it.
HORIZON = timedelta(days=366 * 9)
COMPARED = 60
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"),
    *("BYSETPOS", "BYHOUR", "BYMINUTE"),
}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class BadRecurrence(ValueError):
    """The rule can't be followed; the message says why."""


@dataclass(frozen=True)
class Series:
    """The first stretch, the rule by which it recurs (nothing: it does not), and on whose clocks."""

    starts_at: datetime
    ends_at: datetime
    rule: str
    zone: ZoneInfo


def check_rule(rule: str) -> dict[str, str]:
    """The parts of a rule by their names in capitals; raises BadRecurrence."""
    text = rule.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        if not equals or not value or name in parts:
            raise BadRecurrence(f"“{piece}” is not a part of a rule such as FREQ=WEEKLY;BYDAY=MO.")
        if name not in PARTS:
            raise BadRecurrence(f"{name} is not understood here; use {', '.join(sorted(PARTS))}.")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise BadRecurrence(f"FREQ must be one of {', '.join(FREQUENCIES)}.")
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not (parts[name].isdecimal() and 0 < int(parts[name]) < 1000):
            raise BadRecurrence(f"{name} must be a number from 1 to 999.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRecurrence("A rule ends by COUNT or by UNTIL, not by both.")
    if "UNTIL" in parts:
        _until(parts["UNTIL"], ZoneInfo("UTC"))
    _compiled(parts, datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001 (wall-clock times)
    return parts


def occurrences(series: Series, *, after: datetime, count: int) -> list[Stretch]:
    """The next occurrences that end after an instant, at most so many, the one that runs among them; in UTC."""
    return list(islice(_following(series, after), count))


def overlap(series: Series) -> Stretch | None:
    """The first occurrence, of those of the near future, that begins before the one before it has ended."""
    found = occurrences(series, after=series.starts_at, count=COMPARED)
    return next((later for earlier, later in pairwise(found) if later[0] < earlier[1]), None)


def rule_in_words(rule: str) -> str:
    """The rule as people say it, as far as the simple ones go; others as they are written."""
    parts = check_rule(rule)
    if set(parts) - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}:
        return rule
    unit = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}[parts["FREQ"]]
    interval = int(parts.get("INTERVAL", "1"))
    words = f"every {unit}" if interval == 1 else f"every {interval} {unit}s"
    if "BYDAY" in parts:
        days = [day_in_words(day) for day in parts["BYDAY"].split(",")]
        words += " on " + ", ".join(days)
    if "BYMONTHDAY" in parts:
        words += f" on day {parts['BYMONTHDAY'].replace(',', ', ')}"
    if "UNTIL" in parts:
        words += f" until {_until(parts['UNTIL'], ZoneInfo('UTC')):%Y-%m-%d}"
    if "COUNT" in parts:
        words += f", {parts['COUNT']} times"
    return words


def day_in_words(day: str) -> str:
    """A part of BYDAY: MO as Monday, 1TU as the first Tuesday, -1FR as the last Friday."""
    names = dict(
        zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
    )
    places = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "-1": "last"}
    number, name = day[:-2].removeprefix("+"), names.get(day[-2:], day)
    return f"the {places.get(number, number)} {name}" if number else name


def _following(series: Series, after: datetime) -> Iterator[Stretch]:
    if not series.rule:
        if series.ends_at > after:
            yield series.starts_at.astimezone(UTC), series.ends_at.astimezone(UTC)
        return
    parts = check_rule(series.rule)
    first, last = (at.astimezone(series.zone).replace(tzinfo=None) for at in (series.starts_at, series.ends_at))
    length = last - first
    limit = max(first, after.astimezone(series.zone).replace(tzinfo=None)) + HORIZON
    if "UNTIL" in parts:
        limit = min(limit, _until(parts["UNTIL"], series.zone))
    found = iter(_compiled(parts, first, limit))
    for start in islice(found, int(parts["COUNT"])) if "COUNT" in parts else found:
        end = start + length
        if end + timedelta(days=1) <= after.astimezone(series.zone).replace(tzinfo=None):
            continue
        stretch = instant_of(start.date(), start.time(), series.zone), instant_of(end.date(), end.time(), series.zone)
        # What a clock change turns around does not take place.
        if stretch[0] < stretch[1] and stretch[1] > after:
            yield stretch


def _compiled(parts: Mapping[str, str], first: datetime, limit: datetime) -> rrule:
    """The rule from its first wall-clock time to a limit; what ends it is left to the caller."""
    kept = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"COUNT", "UNTIL"})
    try:
        made = rrulestr(f"{kept};UNTIL={limit:%Y%m%dT%H%M%S}", dtstart=first.replace(microsecond=0))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise BadRecurrence(f"The rule can't be read: {error}.") from error
    if not isinstance(made, rrule):
        raise BadRecurrence("Only one rule is understood.")
    return made


def _until(text: str, zone: ZoneInfo) -> datetime:
    """The wall-clock time after which nothing begins: a day (all of it), a local time, or one in UTC with a Z."""
    try:
        if len(text) == len("20261121"):
            return datetime.combine(_day(text), datetime.max.time()).replace(microsecond=0)
        at = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 (a wall-clock time)
    except ValueError as error:
        raise BadRecurrence("UNTIL must be a day such as 20261231, or a time such as 20261231T220000Z.") from error
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if text.endswith("Z") else at


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a day on no clock)
