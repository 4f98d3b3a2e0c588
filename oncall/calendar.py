"""A schedule as rows of bars over days: places in percent of the width, ready to be drawn."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from oncall.rota import ScheduleSpec, Shift, instant_of, rotation_shifts, shifts

DAY = timedelta(days=1)
# A bar of fewer percent has no room for words; its title still has them.
NARROWEST_LABEL = 4.0
# Shifts are followed this far beyond what is shown, so that a bar at the edge tells where it really begins and ends.
MARGIN = timedelta(days=60)


@dataclass(frozen=True)
class Day:
    """One column; `note` is the length of a day on which the clocks change."""

    date: date
    is_today: bool
    is_weekend: bool
    note: str


@dataclass(frozen=True)
class Bar:
    """One bar of a row; `kind` is shift, override or gap, `start` and `width` are percent."""

    kind: str
    start: float
    width: float
    label: str
    title: str
    person_id: int | None
    url: str


@dataclass(frozen=True)
class Row:
    """A rotation, the overrides, or who is on call in the end."""

    name: str
    hint: str
    is_final: bool
    bars: list[Bar]


class Frame:
    """The days that are shown, in a zone."""

    def __init__(self, first: date, days: int, zone: ZoneInfo) -> None:
        self.first, self.days, self.zone = first, days, zone
        self.start = self.midnight(first)
        self.end = self.midnight(first + days * DAY)

    def midnight(self, day: date) -> datetime:
        """When a day begins."""
        return instant_of(day, time(0), self.zone)

    def place(self, at: datetime) -> float:
        """Where an instant is, in percent; each day is as wide as any other, however many hours it has."""
        if at <= self.start:
            return 0.0
        if at >= self.end:
            return 100.0
        day = at.astimezone(self.zone).date()
        begin, finish = self.midnight(day), self.midnight(day + DAY)
        part = min(max((at - begin) / (finish - begin), 0.0), 1.0)
        return round(100 * ((day - self.first).days + part) / self.days, 4)

    def columns(self, now: datetime) -> list[Day]:
        """The days from left to right."""
        today = now.astimezone(self.zone).date()
        days = [self.first + number * DAY for number in range(self.days)]
        return [Day(day, day == today, day.weekday() >= 5, self._note(day)) for day in days]

    def _note(self, day: date) -> str:
        hours = (self.midnight(day + DAY) - self.midnight(day)) / timedelta(hours=1)
        return "" if hours == 24 else _("%(hours)g h") % {"hours": hours}

    def now_percent(self, now: datetime) -> float | None:
        """Where now is, or None when it is not shown."""
        return self.place(now) if self.start <= now < self.end else None


def rows_of(
    schedule: ScheduleSpec, frame: Frame, names: Mapping[int, str], url_of: Callable[[Shift], str]
) -> list[Row]:
    """A row for each rotation, one for the overrides if there are any, and the final one with its gaps."""
    start, end = frame.start - MARGIN, frame.end + MARGIN
    rows = [
        Row(
            rotation.name,
            _("layer %(number)d") % {"number": rotation.layer},
            False,
            _bars(rotation_shifts(rotation, schedule.zone, start, end), frame, names, url_of),
        )
        for rotation in schedule.rotations
    ]
    overriding = [Shift(each.start, each.end, (each.user_id,), True) for each in schedule.overrides]
    overriding = [each for each in overriding if each.start < frame.end and each.end > frame.start]
    if overriding:
        rows.append(Row(_("Overrides"), "", False, _bars(overriding, frame, names, url_of)))
    final = shifts(schedule, start, end)
    rows.append(Row(_("On call"), _("as it will be"), True, _bars(final, frame, names, url_of)))
    return rows


def _bars(found: Iterable[Shift], frame: Frame, names: Mapping[int, str], url_of: Callable[[Shift], str]) -> list[Bar]:
    bars = []
    for shift in found:
        if shift.end <= frame.start or shift.start >= frame.end:
            continue
        start = frame.place(shift.start)
        width = round(frame.place(shift.end) - start, 4)
        people = ", ".join(names.get(user_id, "?") for user_id in shift.user_ids)
        stretch = _("%(start)s to %(end)s") % {
            "start": f"{shift.start.astimezone(frame.zone):%a %d %b %H:%M}",
            "end": f"{shift.end.astimezone(frame.zone):%a %d %b %H:%M}",
        }
        if shift.user_ids:
            kind = "override" if shift.is_override else "shift"
            label, title = people, f"{people}: {stretch}"
        else:
            kind, length = "gap", length_in_words(shift.end - shift.start)
            title = _("Nobody on call for %(length)s: %(stretch)s") % {"length": length, "stretch": stretch}
            label = length
        person_id = shift.user_ids[0] if shift.user_ids else None
        bars.append(Bar(kind, start, width, label if width >= NARROWEST_LABEL else "", title, person_id, url_of(shift)))
    return bars


def length_in_words(length: timedelta) -> str:
    """How long a gap is: "2 d 3 h", "5 h", "30 min"."""
    minutes = int(length.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"
