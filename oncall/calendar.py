"""A schedule as rows of bars over days or hours: places in percent of the width, ready to be drawn."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from oncall.coverage import LeaveSpec
from oncall.hours import holiday_of, weekend_of
from oncall.rota import ScheduleSpec, ShadowSpec, Shift, instant_of, layers, shifts

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# How many percent of the width a letter of a label takes, and the space before it.
LETTER, INDENT = 0.75, 1.6
# Shifts are followed this far beyond what is shown, so that a bar at the edge tells where it really begins and ends.
MARGIN = timedelta(days=60)


@dataclass(frozen=True)
class Day:
    """One column: a day, or with `hour` a part of one; `note` is the length of a day on which the clocks change.

    `holiday` is the name of the public holiday that it is.
    """

    date: date
    is_today: bool
    is_weekend: bool
    note: str
    holiday: str = ""
    hour: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of a row; `kind` is shift, override, gap, shadow, leave or unknown; `start` and `width` are percent."""

    kind: str
    start: float
    width: float
    label: str
    title: str
    person_id: int | None
    url: str


@dataclass(frozen=True)
class Row:
    """A rotation, the overrides, shadows, people who are away, or who is on call in the end."""

    name: str
    hint: str
    is_final: bool
    bars: list[Bar]


class Frame:
    """The days that are shown, in a zone; with a country, its weekends and holidays among them."""

    def __init__(self, first: date, days: int, zone: ZoneInfo, country: str = "") -> None:
        self.first, self.days, self.zone, self.country = first, days, zone, country
        self.start = self.midnight(first)
        self.end = self.midnight(first + days * DAY)

    def midnight(self, day: date) -> datetime:
        """When a day begins."""
        return instant_of(day, time(0), self.zone)

    @property
    def midnights(self) -> list[str]:
        """When each day begins, and when the last one ends (ISO, UTC)."""
        days = [self.first + number * DAY for number in range(self.days + 1)]
        return [self.midnight(day).astimezone(UTC).isoformat() for day in days]

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
        """The days from left to right; the hours, if there is one day. An hour that comes twice is there twice."""
        today = now.astimezone(self.zone).date()
        days = [self.first + number * DAY for number in range(self.days)]
        if self.days == 1:
            return self._hours(today)
        return [self._column(day, today, self._note(day)) for day in days]

    def _column(self, day: date, today: date, note: str, hour: str = "") -> Day:
        is_weekend = day.weekday() in weekend_of(self.country)
        return Day(day, day == today, is_weekend, note, holiday_of(self.country, day), hour)

    def _hours(self, today: date) -> list[Day]:
        length = self.end - self.start
        # Lord Howe moves its clocks by half an hour.
        step = HOUR if length % HOUR == timedelta(0) else HOUR / 2
        instants = [self.start + number * step for number in range(length // step)]
        note = self._note(self.first)
        return [
            self._column(self.first, today, note if not number else "", f"{at.astimezone(self.zone):%H:%M}")
            for number, at in enumerate(instants)
        ]

    def _note(self, day: date) -> str:
        hours = (self.midnight(day + DAY) - self.midnight(day)) / HOUR
        return "" if hours == 24 else _("%(hours)g h") % {"hours": hours}

    def now_percent(self, now: datetime) -> float | None:
        """Where now is, or None when it is not shown."""
        return self.place(now) if self.start <= now < self.end else None


def people_in(schedule: ScheduleSpec) -> set[int]:
    """The ids of everybody whom the schedule names."""
    found = {user_id for rotation in schedule.rotations for user_id in rotation.members}
    found |= {each.coming for rotation in schedule.rotations for each in rotation.substitutions}
    found |= {each.user_id for each in schedule.overrides} | {each.user_id for each in schedule.shadows}
    return found | {each.user_id for each in schedule.fixed if each.user_id is not None}


def rows_of(
    schedule: ScheduleSpec,
    frame: Frame,
    names: Mapping[int, str],
    *,
    url_of: Callable[[Shift], str] | None = None,
    leaves: Sequence[LeaveSpec] = (),
) -> list[Row]:
    """A row for each layer, for overrides, shadows and leave if there are any, and the final one with its gaps."""
    start, end = frame.start - MARGIN, frame.end + MARGIN
    draw = _Drawing(frame, names, url_of or _nowhere)
    rows = [
        Row(
            layer.name or _("Imported shifts"),
            _("layer %(number)d") % {"number": layer.layer},
            False,
            draw.bars(layer.shifts, nobody="unknown"),
        )
        for layer in layers(schedule, start, end)
    ]
    overriding = [Shift(each.start, each.end, (each.user_id,), True) for each in schedule.overrides]
    overriding += [
        Shift(each.start, each.end, () if each.user_id is None else (each.user_id,), True)
        for each in schedule.fixed
        if each.is_override
    ]
    if bars := draw.bars(overriding, nobody="unknown"):
        rows.append(Row(_("Overrides"), "", False, bars))
    rows += [Row(name, _("shadows"), False, bars) for name, bars in draw.by_person("shadow", schedule.shadows)]
    rows += [Row(name, _("away"), False, bars) for name, bars in draw.by_person("leave", leaves)]
    rows.append(Row(_("On call"), _("as it will be"), True, draw.bars(shifts(schedule, start, end), nobody="gap")))
    return rows


def _nowhere(_shift: Shift) -> str:
    return ""


class _Drawing:
    """Turns stretches of time into bars of a frame."""

    def __init__(self, frame: Frame, names: Mapping[int, str], url_of: Callable[[Shift], str]) -> None:
        self.frame, self.names, self.url_of = frame, names, url_of

    def bars(self, found: Iterable[Shift], *, nobody: str) -> list[Bar]:
        """Shifts as bars; one without people is of the kind that `nobody` names."""
        return [
            self._of_people(shift) if shift.user_ids else self._of_nobody(shift, nobody) for shift in self._shown(found)
        ]

    def _of_people(self, shift: Shift) -> Bar:
        names = [self.names.get(user_id, "?") for user_id in shift.user_ids]
        people = ", ".join(names)
        short = _initials(people) if len(names) == 1 else ", ".join(name[:1] for name in names)
        title = f"{people}: {self._stretch(shift)}"
        kind = "override" if shift.is_override else "shift"
        return self._bar(shift, kind, labels=(people, short), title=title, url=self.url_of(shift))

    def _of_nobody(self, shift: Shift, kind: str) -> Bar:
        if kind == "gap":
            length = length_in_words(shift.end - shift.start)
            given = {"length": length, "stretch": self._stretch(shift)}
            title = _("Nobody on call for %(length)s: %(stretch)s") % given
            return self._bar(shift, kind, labels=(length,), title=title, url=self.url_of(shift))
        title = _("Nobody here has this name: %(stretch)s") % {"stretch": self._stretch(shift)}
        return self._bar(shift, kind, labels=("?",), title=title)

    def by_person(self, kind: str, stretches: Iterable[ShadowSpec | LeaveSpec]) -> list[tuple[str, list[Bar]]]:
        """Shadows or leave, a person's bars together, under the person's name."""
        found: dict[int, list[Bar]] = {}
        for each in stretches:
            name = self.names.get(each.user_id, "?")
            for shift in self._shown([Shift(each.start, each.end, (each.user_id,))]):
                title = f"{name}: {self._stretch(shift)}"
                bar = self._bar(shift, kind, labels=(name, _initials(name)), title=title)
                found.setdefault(each.user_id, []).append(bar)
        return [(self.names.get(user_id, "?"), bars) for user_id, bars in found.items()]

    def _shown(self, found: Iterable[Shift]) -> list[Shift]:
        return [shift for shift in found if shift.end > self.frame.start and shift.start < self.frame.end]

    def _stretch(self, shift: Shift) -> str:
        zone = self.frame.zone
        return _("%(start)s to %(end)s") % {
            "start": f"{shift.start.astimezone(zone):%a %d %b %H:%M}",
            "end": f"{shift.end.astimezone(zone):%a %d %b %H:%M}",
        }

    def _bar(self, shift: Shift, kind: str, *, labels: Sequence[str], title: str, url: str = "") -> Bar:
        """A bar with the first of the labels for which it has room."""
        start = self.frame.place(shift.start)
        width = round(self.frame.place(shift.end) - start, 4)
        room = (width - INDENT) / LETTER
        label = next((each for each in labels if len(each) <= room), "")
        return Bar(kind, start, width, label, title, shift.user_ids[0] if shift.user_ids else None, url)


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2])


def length_in_words(length: timedelta) -> str:
    """How long a gap is: "2 d 3 h", "5 h", "30 min"."""
    minutes = int(length.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"
