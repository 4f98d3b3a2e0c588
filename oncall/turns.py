"""Whose turn it is in a rotation: handovers by the hour, day, week or month, found by arithmetic.

Handovers by the day, week and month are wall-clock times in the schedule's zone, by the rule of `oncall.windows`; turns
of hours are counted in hours that have really passed since the first handover. A turn never ends before it begins:
where a clock change would turn two handovers around, the later one waits for the earlier.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from oncall.windows import EARLIEST, FIRST_DAY, LAST_DAY, LATEST, WeeklyHours, clipped, holds, instant_of_day, windows

HOURS, DAYS, WEEKS, MONTHS = "hours", "days", "weeks", "months"


@dataclass(frozen=True, slots=True)
class Handover:
    """A wall-clock time at which the next turn begins; the weekday (0 is Monday) counts in weekly rotations only."""

    at: time
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Substitution:
    """`coming` takes the place of `going` in the whole turn that holds `anchor`.

    It holds if `going` is on duty in that turn and `coming` is not yet: no swap makes them fewer. It belongs to the
    turn and not to its hours: when handovers move, it moves along.
    """

    anchor: datetime
    going: int
    coming: int


@dataclass(frozen=True, slots=True)
class RotationSpec:
    """People in order who hand over every `interval` hours, days, weeks or months.

    The turn that holds `starts_on` belongs to the first member; before it nobody is on duty. Weekly rotations hand over
    at each of their `handovers` (with several, `interval` is 1 and a turn lasts until the next of them); the others use
    the first one's time, and a monthly one the day of `starts_on`, or the month's last. `active` limits the hours of
    duty. Turn `t` belongs to the `people_at_once` members from place `t * people_at_once` on, without repeats; for
    those who have `left` the next in the order stands in, so that leaving moves nobody else's turn. Outside
    [effective_from, effective_until) (UTC) the rotation is silent: a change ends one version of a `series` and begins
    another.
    """

    rotation_id: int
    name: str
    layer: int
    members: tuple[int, ...]
    starts_on: date
    handovers: tuple[Handover, ...]
    period: str = WEEKS
    interval: int = 1
    people_at_once: int = 1
    active: WeeklyHours | None = None
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    substitutions: tuple[Substitution, ...] = ()
    left: frozenset[int] = frozenset()
    series: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """The same people on call from `start` until `end` (UTC); nobody when `user_ids` is empty."""

    start: datetime
    end: datetime
    user_ids: tuple[int, ...]
    is_override: bool = False


class Turns:
    """The turns of one rotation in a zone, by number; turn 0 holds `starts_on`."""

    __slots__ = ("_day", "_first_place", "_places", "_step", "_substitutes", "_time", "_zero", "_zone", "rotation")

    def __init__(self, rotation: RotationSpec, zone: ZoneInfo) -> None:
        self.rotation, self._zone = rotation, zone
        day, period = rotation.starts_on.toordinal(), rotation.period
        self._time = rotation.handovers[0].at
        self._step = rotation.interval
        # Several handovers a week: (days after Monday, time) in order, and which of them begins turn 0.
        self._places: list[tuple[int, time]] = []
        self._first_place = 0
        self._zero: datetime | None = None
        if period == WEEKS:
            weekday = (day - 1) % 7
            if len(rotation.handovers) == 1:
                day -= (weekday - rotation.handovers[0].weekday) % 7
                self._step *= 7
            else:
                self._places = sorted((each.weekday, each.at) for each in rotation.handovers)
                self._first_place = _place_of(weekday, [each[0] for each in self._places])
                day -= weekday
        elif period == HOURS:
            self._zero = instant_of_day(day, self._time, zone)
        self._day = day
        self._substitutes: dict[int, list[Substitution]] = {}
        for each in rotation.substitutions:
            # One that is anchored after this version has ended belongs to the next: it must not reach into the past.
            if rotation.effective_until is None or each.anchor < rotation.effective_until:
                self._substitutes.setdefault(self.at(clipped(each.anchor)), []).append(each)

    def begin(self, turn: int) -> datetime:
        """When the turn begins (UTC)."""
        if self._places:
            # Each handover waits for those before it; a clock change can turn around no more than a week's.
            return max(self._handover(turn - back) for back in range(len(self._places)))
        return self._handover(turn)

    def _handover(self, turn: int) -> datetime:
        if self._places:
            weeks, place = divmod(turn + self._first_place, len(self._places))
            after_monday, at = self._places[place]
            return instant_of_day(self._day + 7 * weeks + after_monday, at, self._zone)
        if self._zero is not None:
            try:
                return min(max(self._zero + timedelta(hours=turn * self._step), EARLIEST), LATEST)
            except OverflowError:
                return EARLIEST if turn < 0 else LATEST
        if self.rotation.period == MONTHS:
            return instant_of_day(self._day_of_month(turn), self._time, self._zone)
        return instant_of_day(self._day + turn * self._step, self._time, self._zone)

    def _day_of_month(self, turn: int) -> int:
        start = self.rotation.starts_on
        years, month = divmod(start.month - 1 + turn * self._step, 12)
        year = start.year + years
        if not 2 <= year <= 9997:
            return FIRST_DAY - 1 if year < 2 else LAST_DAY + 1
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1).toordinal()
        first = date(year, month + 1, 1).toordinal()
        return min(first + start.day, following) - 1

    def at(self, instant: datetime) -> int:
        """The number of the turn that holds the (clipped) instant; negative before turn 0."""
        turn = self._guess(instant)
        while self.begin(turn) > instant:
            turn -= 1
        while self.begin(turn + 1) <= instant:
            turn += 1
        return turn

    def _guess(self, instant: datetime) -> int:
        if self._zero is not None:
            return (instant - self._zero) // timedelta(hours=self._step)
        local = instant.astimezone(self._zone)
        if self._places:
            return (local.toordinal() - self._day) // 7 * len(self._places) - self._first_place
        if self.rotation.period == MONTHS:
            start = self.rotation.starts_on
            return ((local.year - start.year) * 12 + local.month - start.month) // self._step
        return (local.toordinal() - self._day) // self._step

    def crew(self, turn: int) -> tuple[int, ...]:
        """Who is on duty in the turn; nobody before turn 0."""
        members, people_at_once = self.rotation.members, self.rotation.people_at_once
        if turn < 0 or not members:
            return ()
        place = turn * people_at_once % len(members)
        if people_at_once == 1:
            crew: tuple[int, ...] = (members[place],)
        else:
            crew = tuple(dict.fromkeys((*members[place:], *members[:place])))[:people_at_once]
        for each in self._substitutes.get(turn, ()):
            if each.going in crew and each.coming not in crew:
                crew = tuple(each.coming if user == each.going else user for user in crew)
        return self._stood_in(crew, place) if self.rotation.left else crew

    def _stood_in(self, crew: tuple[int, ...], place: int) -> tuple[int, ...]:
        members, left = self.rotation.members, self.rotation.left
        kept = {user for user in crew if user not in left}
        following = (user for user in (*members[place:], *members[:place]) if user not in left and user not in kept)
        stand_ins = iter(dict.fromkeys(following))
        found = (user if user in kept else next(stand_ins, None) for user in crew)
        return tuple(user for user in found if user is not None)


def _place_of(weekday: int, weekdays: list[int]) -> int:
    """The handover that begins the turn of a day: its own first, else the last one before; -1 is the week before's."""
    if weekday in weekdays:
        return weekdays.index(weekday)
    return sum(each < weekday for each in weekdays) - 1


def begin_of(rotation: RotationSpec, zone: ZoneInfo, turn: int) -> datetime:
    """When a turn begins (UTC); turn 0 holds `starts_on`."""
    return Turns(rotation, zone).begin(turn)


def crew_at(rotation: RotationSpec, zone: ZoneInfo, at: datetime) -> tuple[int, ...]:
    """Who is on duty in the rotation at a clipped instant."""
    if not rotation.members or not _is_effective(rotation, at):
        return ()
    if rotation.active is not None and not holds(rotation.active, zone, at):
        return ()
    turns = Turns(rotation, zone)
    return turns.crew(turns.at(at))


def _is_effective(rotation: RotationSpec, at: datetime) -> bool:
    return (rotation.effective_from is None or rotation.effective_from <= at) and (
        rotation.effective_until is None or at < rotation.effective_until
    )


def duties(
    rotation: RotationSpec, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, tuple[int, ...]]]:
    """Who is on duty from when until when in [start, end), which is clipped: turn by turn, in order, cut to it."""
    if rotation.effective_from is not None:
        start = max(start, rotation.effective_from)
    if rotation.effective_until is not None:
        end = min(end, rotation.effective_until)
    if start >= end or not rotation.members:
        return iter(())
    found = _turns_within(Turns(rotation, zone), start, end)
    return found if rotation.active is None else _within(found, windows(rotation.active, zone, start, end))


def _turns_within(turns: Turns, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, tuple[int, ...]]]:
    turn = max(turns.at(start), 0)
    begin = turns.begin(turn)
    while begin < end:
        finish = turns.begin(turn + 1)
        if finish > start and finish > begin:
            crew = turns.crew(turn)
            if crew:
                yield max(begin, start), min(finish, end), crew
        turn, begin = turn + 1, finish


def _within(
    found: Iterable[tuple[datetime, datetime, tuple[int, ...]]], hours: list[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime, tuple[int, ...]]]:
    place = 0
    for begin, finish, crew in found:
        while place < len(hours) and hours[place][1] <= begin:
            place += 1
        at = place
        while at < len(hours) and hours[at][0] < finish:
            yield max(begin, hours[at][0]), min(finish, hours[at][1]), crew
            at += 1


def rotation_shifts(rotation: RotationSpec, zone: ZoneInfo, start: datetime, end: datetime) -> list[Shift]:
    """The turns of one rotation that touch [start, end), cut to it."""
    start, end = clipped(start), clipped(end)
    return [Shift(begin, finish, crew) for begin, finish, crew in duties(rotation, zone, start, end)]


def longest_turn(period: str, interval: int) -> timedelta:
    """No turn of such a rotation lasts longer, clock changes included; at most a hundred years."""
    days = {HOURS: 1 / 24, DAYS: 1, WEEKS: 7, MONTHS: 31}[period] * interval
    return timedelta(days=min(days, 36500) + 2)


def mid_turn(rotation: RotationSpec, zone: ZoneInfo, at: datetime) -> datetime:
    """The middle of the turn that holds the instant (UTC): an anchor that small moves of a handover do not lose."""
    turns = Turns(rotation, zone)
    turn = turns.at(clipped(at))
    begin, finish = turns.begin(turn), turns.begin(turn + 1)
    return (begin + (finish - begin) / 2).astimezone(UTC)
