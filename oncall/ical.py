"""Calendars elsewhere that say who is on call, read as Grafana OnCall reads them: bytes in, shifts out.

Follows RFC 5545, and for whom an event means the documentation of Grafana OnCall's iCal schedules: the person is the
SUMMARY without a leading `[L<n>]`, else the DESCRIPTION, else the one ATTENDEE; `n` is the layer; cancelled events do
not count.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar
import recurring_ical_events

from oncall.windows import instant_of

MOST_EVENTS = 5_000
MOST_RULES = 200
LAYER = re.compile(r"^\s*\[L(\d{1,2})\]\s*")
TOO_OFTEN = {"SECONDLY", "MINUTELY"}


class Unreadable(ValueError):
    """The calendar can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: for whom it may be, in the order in which they are looked for, its layer and its stretch (UTC)."""

    uid: str
    candidates: tuple[str, ...]
    layer: int
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """What an unknown person is called."""
        return self.candidates[0] if self.candidates else ""

    def user_id(self, people: Mapping[str, int]) -> int | None:
        """The first of the candidates who is known; names as they are, addresses in lower case."""
        for candidate in self.candidates:
            found = people.get(candidate) or people.get(candidate.lower())
            if found is not None:
                return found
        return None


def read_events(content: bytes, zone: ZoneInfo, start: datetime, end: datetime) -> list[Event]:
    """The events that touch [start, end), repetitions as single events, in order.

    Whole days and times without a zone are those of the calendar's own zone, else of `zone`. Raises Unreadable.
    """
    try:
        calendar = icalendar.Calendar.from_ical(content)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise Unreadable("This is no calendar (RFC 5545).") from error
    if not isinstance(calendar, icalendar.Calendar) or calendar.name != "VCALENDAR":
        raise Unreadable("This is no calendar (RFC 5545).")
    _check_rules(calendar)
    own_zone = _zone_of(calendar, zone)
    try:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(start, end)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Unreadable(f"Its events can't be read: {error}") from error
    if len(found) > MOST_EVENTS:
        raise Unreadable(f"It has more than {MOST_EVENTS} events in half a year.")
    events = [_event(each, own_zone) for each in found if str(each.get("STATUS", "")).upper() != "CANCELLED"]
    touching = [each for each in events if each.start < end and each.end > start and each.start < each.end]
    return sorted(touching, key=lambda each: (each.start, each.uid))


def _check_rules(calendar: icalendar.Calendar) -> None:
    """Refuses rules that would make millions of events."""
    rules: list[Any] = [each["RRULE"] for each in calendar.walk("VEVENT") if "RRULE" in each]
    flat: list[Any] = [rule for each in rules for rule in (each if isinstance(each, list) else [each])]
    if len(flat) > MOST_RULES:
        raise Unreadable(f"It has more than {MOST_RULES} repeating events.")
    for rule in flat:
        frequency = {str(each).upper() for each in rule.get("FREQ", [])}
        if frequency & TOO_OFTEN or len(rule.get("BYMINUTE", [])) > 1 or "BYSECOND" in rule:
            raise Unreadable("An event repeats more often than each hour.")


def _zone_of(calendar: icalendar.Calendar, default: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(str(calendar.get("X-WR-TIMEZONE", "")) or default.key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return default


def _event(component: Any, zone: ZoneInfo) -> Event:
    begin, finish = component.get("DTSTART").dt, _end_of(component)
    parts = [str(component.get(name, "")) for name in ("UID", "SEQUENCE", "RECURRENCE-ID")]
    recurrence = component.get("RECURRENCE-ID")
    parts[2] = recurrence.dt.isoformat() if recurrence is not None else ""
    summary = str(component.get("SUMMARY", ""))
    layer = LAYER.match(summary)
    return Event(
        uid="_".join(part for part in parts if part)[:300],
        candidates=tuple(dict.fromkeys(filter(None, _candidates(component, summary)))),
        layer=int(layer.group(1)) if layer else 0,
        start=_instant(begin, zone),
        end=_instant(finish, zone),
    )


def _end_of(component: Any) -> date:
    begin: date = component.get("DTSTART").dt
    if "DTEND" in component:
        end: date = component.get("DTEND").dt
        return end
    if "DURATION" in component:
        length: timedelta = component.get("DURATION").dt
        return begin + length
    return begin if isinstance(begin, datetime) else begin + timedelta(days=1)


def _candidates(component: Any, summary: str) -> Iterable[str]:
    yield LAYER.sub("", summary).strip()
    yield LAYER.sub("", str(component.get("DESCRIPTION", ""))).strip()
    attendee = component.get("ATTENDEE")
    if attendee is not None and not isinstance(attendee, list):
        yield re.sub(r"^mailto:", "", str(attendee), flags=re.IGNORECASE).strip()


def _instant(value: date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return instant_of(value, time(0), zone)
    return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(UTC)
