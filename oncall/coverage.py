"""How good a schedule is, and what a change does to it: gaps, double bookings, leave, fairness; before and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from oncall.hours import NIGHT, Hours, Kind, hours_by_person, weigh
from oncall.rota import ScheduleSpec, Shift, rotation_shifts, shifts
from oncall.windows import WeeklyHours, clipped


class Flaw(StrEnum):
    """What lowers a score."""

    GAP = "gap"
    UNKNOWN_PERSON = "unknown_person"
    LEAVE = "leave"
    DOUBLE_BOOKING = "double_booking"
    UNFAIR_NIGHTS = "unfair_nights"
    UNFAIR_WEEKENDS = "unfair_weekends"
    UNFAIR_HOLIDAYS = "unfair_holidays"
    UNFAIR_PAGES = "unfair_pages"


# The most points that each kind of flaw can cost, and what a single one costs at least.
MOST: dict[Flaw, float] = {
    Flaw.GAP: 60,
    Flaw.UNKNOWN_PERSON: 10,
    Flaw.LEAVE: 20,
    Flaw.DOUBLE_BOOKING: 15,
    Flaw.UNFAIR_NIGHTS: 5,
    Flaw.UNFAIR_WEEKENDS: 5,
    Flaw.UNFAIR_HOLIDAYS: 5,
    Flaw.UNFAIR_PAGES: 5,
}
LEAST_EACH: dict[Flaw, float] = {Flaw.GAP: 2, Flaw.UNKNOWN_PERSON: 1, Flaw.LEAVE: 2, Flaw.DOUBLE_BOOKING: 1}
UNEVEN = {
    Flaw.UNFAIR_NIGHTS: Kind.NIGHT,
    Flaw.UNFAIR_WEEKENDS: Kind.WEEKEND,
    Flaw.UNFAIR_HOLIDAYS: Kind.HOLIDAY,
}
# A smaller part of the mean is no difference: an hour that a clock change took.
NEGLIGIBLE = 0.05
# A difference of fewer pages than this between two people is chance.
FEW_PAGES = 3


@dataclass(frozen=True, slots=True)
class LeaveSpec:
    """A person is away from `start` until `end` (UTC)."""

    user_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lowers the score by `points`, and when; whose it is, and on which other schedule, if any.

    For an unfair share it is the person who carries most of it.
    """

    flaw: Flaw
    points: float
    start: datetime
    end: datetime
    user_id: int | None = None
    other_schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What a person carries: their time on call by kind, and the pages that they got."""

    hours: Hours
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """A score from 0 to 100; the findings' points are what is missing to 100, the costliest first."""

    score: int
    findings: tuple[Finding, ...]
    loads: Mapping[int, Load]

    def of(self, flaw: Flaw) -> list[Finding]:
        """The findings of one kind in the order of time."""
        return sorted((each for each in self.findings if each.flaw == flaw), key=lambda each: each.start)


@dataclass(frozen=True, slots=True)
class Change:
    """From `start` until `end` (UTC) these people are on call instead of those; nobody when empty.

    `missing` are those for whom somebody comes in who is then on call anyway, where it was not so before: one fewer is
    on call than the rotations want, even if they are the same people as before.
    """

    start: datetime
    end: datetime
    before: tuple[int, ...]
    after: tuple[int, ...]
    missing: tuple[int, ...] = ()

    @property
    def is_new_gap(self) -> bool:
        """Whether nobody would be on call any more."""
        return bool(self.before) and not self.after

    @property
    def is_worse(self) -> bool:
        """Whether somebody should confirm it."""
        return self.is_new_gap or bool(self.missing)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change to a schedule does, stretch by stretch, in order."""

    changes: tuple[Change, ...]

    @property
    def new_gaps(self) -> list[Change]:
        """Where nobody would be on call any more."""
        return [each for each in self.changes if each.is_new_gap]

    @property
    def closed_gaps(self) -> list[Change]:
        """Where somebody would be on call at last."""
        return [each for each in self.changes if each.after and not each.before]

    @property
    def is_worse(self) -> bool:
        """Whether coverage gets worse: somebody should confirm it."""
        return any(each.is_worse for each in self.changes)


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: datetime
    end: datetime
    user_ids: tuple[int, ...]
    missing: tuple[int, ...] = ()


def changes(before: ScheduleSpec | None, after: ScheduleSpec | None, start: datetime, end: datetime) -> Comparison:
    """Who is on call differently in [start, end); a schedule that is not there has nobody on call."""
    earlier, later = _course(before, start, end), _course(after, start, end)
    found: list[Change] = []
    for begin, finish, old, new in _side_by_side(earlier, later):
        missing = new.missing if len(new.missing) > len(old.missing) else ()
        if set(old.user_ids) == set(new.user_ids) and not missing:
            continue
        change = Change(begin, finish, old.user_ids, new.user_ids, missing)
        if found and found[-1].end == begin and replace(found[-1], start=begin, end=finish) == change:
            found[-1] = replace(found[-1], end=finish)
        else:
            found.append(change)
    return Comparison(tuple(found))


def _course(schedule: ScheduleSpec | None, start: datetime, end: datetime) -> list[_Stretch]:
    if schedule is None:
        start, end = clipped(start), clipped(end)
        return [_Stretch(start, end, ())] if start < end else []
    final = shifts(schedule, start, end)
    wanted = shifts(_without_stand_ins(schedule), start, end)
    return [
        _Stretch(begin, finish, new.user_ids, _missing(old.user_ids, new.user_ids))
        for begin, finish, old, new in _side_by_side(wanted, final)
    ]


def _without_stand_ins(schedule: ScheduleSpec) -> ScheduleSpec:
    """The schedule if nobody came in for anybody, neither by an override nor by a swap."""
    return replace(
        schedule,
        overrides=tuple(each for each in schedule.overrides if each.replaces is None),
        rotations=tuple(replace(each, substitutions=()) for each in schedule.rotations),
    )


def _missing(wanted: Sequence[int], final: Sequence[int]) -> tuple[int, ...]:
    return tuple(user_id for user_id in wanted if user_id not in final) if len(final) < len(wanted) else ()


S = TypeVar("S", Shift, _Stretch)


def _side_by_side(first: Sequence[S], second: Sequence[S]) -> Iterable[tuple[datetime, datetime, S, S]]:
    """The stretches that two courses of shifts share, in order."""
    one = other = 0
    while one < len(first) and other < len(second):
        left, right = first[one], second[other]
        begin, finish = max(left.start, right.start), min(left.end, right.end)
        if begin < finish:
            yield begin, finish, left, right
        one += left.end <= right.end
        other += right.end <= left.end


def quality(
    schedule: ScheduleSpec,
    *,
    start: datetime,
    end: datetime,
    others: Mapping[int, Sequence[Shift]] | None = None,
    leaves: Iterable[LeaveSpec] = (),
    pages_per_person: Mapping[int, int] | None = None,
    night: WeeklyHours = NIGHT,
) -> Quality:
    """How good the schedule is in [start, end).

    `others` are the final shifts of the schedules on which nobody should be at the same time, by the schedule's id;
    `pages_per_person` are those that this schedule brought, by user id. An unfair share costs points only beyond what
    one turn of each rotation weighs: whole turns cannot be shared more evenly.
    """
    course = shifts(schedule, start, end)
    pages = pages_per_person or {}
    hours = hours_by_person(course, zone=schedule.zone, country=schedule.country, night=night)
    loads = {user_id: Load(each, pages.get(user_id, 0)) for user_id, each in hours.items()}
    found = [Finding(Flaw.GAP, 0, shift.start, shift.end) for shift in course if not shift.user_ids]
    found += _unknown(schedule, clipped(start), clipped(end))
    found += _on_leave(course, leaves)
    for schedule_id, other in (others or {}).items():
        if schedule_id != schedule.schedule_id:
            found += _double_bookings(course, other, schedule_id)
    findings = _with_points(found, clipped(start), clipped(end))
    findings += _unfair(schedule, course, loads, night)
    findings.sort(key=lambda each: (-each.points, each.start))
    return Quality(max(0, round(100 - sum(each.points for each in findings))), tuple(findings), loads)


def _unknown(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[Finding]:
    return [
        Finding(Flaw.UNKNOWN_PERSON, 0, max(each.start, start), min(each.end, end))
        for each in schedule.fixed
        if each.user_id is None and each.start < end and each.end > start
    ]


def _on_leave(course: Sequence[Shift], leaves: Iterable[LeaveSpec]) -> list[Finding]:
    found = []
    for leave in leaves:
        for shift in course:
            if leave.user_id in shift.user_ids and shift.start < leave.end and leave.start < shift.end:
                begin, finish = max(shift.start, leave.start), min(shift.end, leave.end)
                found.append(Finding(Flaw.LEAVE, 0, begin, finish, leave.user_id))
    return _joined(found)


def _double_bookings(course: Sequence[Shift], other: Sequence[Shift], schedule_id: int) -> list[Finding]:
    found = [
        Finding(Flaw.DOUBLE_BOOKING, 0, begin, finish, user_id, schedule_id)
        for begin, finish, left, right in _side_by_side(course, other)
        for user_id in left.user_ids
        if user_id in right.user_ids
    ]
    return _joined(found)


def _joined(found: list[Finding]) -> list[Finding]:
    """Findings of one kind and person that meet become one."""
    joined: dict[int | None, list[Finding]] = {}
    for each in sorted(found, key=lambda each: each.start):
        mine = joined.setdefault(each.user_id, [])
        if mine and mine[-1].end >= each.start:
            mine[-1] = replace(mine[-1], end=max(mine[-1].end, each.end))
        else:
            mine.append(each)
    return [each for mine in joined.values() for each in mine]


def _with_points(found: list[Finding], start: datetime, end: datetime) -> list[Finding]:
    """Each flaw costs its share of the time, at least a little, and all of one kind at most their most."""
    weighed = []
    for flaw in Flaw:
        mine = [each for each in found if each.flaw == flaw]
        costs = [max(LEAST_EACH[flaw], 100 * ((each.end - each.start) / (end - start))) for each in mine]
        shrink = min(1.0, MOST[flaw] / sum(costs)) if costs else 1.0
        weighed += [replace(each, points=cost * shrink) for each, cost in zip(mine, costs, strict=True)]
    return weighed


def _unfair(
    schedule: ScheduleSpec, course: Sequence[Shift], loads: Mapping[int, Load], night: WeeklyHours
) -> list[Finding]:
    if len(loads) < 2:
        return []
    start, end = course[0].start, course[-1].end
    even = _one_turn_each(schedule, start, end, night)
    found = []
    for flaw, kind in UNEVEN.items():
        shares = {user_id: load.hours.of(kind) / timedelta(hours=1) for user_id, load in loads.items()}
        found += _uneven(flaw, shares, even[kind] / timedelta(hours=1), start, end)
    pages = {user_id: float(load.pages) for user_id, load in loads.items()}
    return found + _uneven(Flaw.UNFAIR_PAGES, pages, FEW_PAGES - 1, start, end)


def _one_turn_each(schedule: ScheduleSpec, start: datetime, end: datetime, night: WeeklyHours) -> dict[Kind, timedelta]:
    """By how much two people may differ when each rotation has given one of them a turn more: whole turns end there."""
    heaviest = dict.fromkeys(Kind, timedelta(0))
    for rotation in schedule.rotations:
        if len(set(rotation.members) - rotation.left) < 2:
            continue  # Nobody takes turns in it: whoever is its only member carries it all.
        pieces = rotation_shifts(rotation, schedule.zone, start, end)
        weights = weigh(pieces, zone=schedule.zone, country=schedule.country, night=night)
        turns: list[Hours] = []
        for place, (piece, weight) in enumerate(zip(pieces, weights, strict=True)):
            # Active hours cut a turn into pieces; the next person's piece is the next turn.
            if place and pieces[place - 1].user_ids == piece.user_ids:
                turns[-1] += weight
            else:
                turns.append(weight)
        for kind in Kind:
            heaviest[kind] += max((turn.of(kind) for turn in turns), default=timedelta(0))
    return heaviest


def _uneven(flaw: Flaw, shares: Mapping[int, float], even: float, start: datetime, end: datetime) -> list[Finding]:
    most = max(shares, key=lambda user_id: shares[user_id])
    mean = sum(shares.values()) / len(shares)
    beyond = shares[most] - min(shares.values()) - even
    if beyond <= NEGLIGIBLE * mean or not mean:
        return []
    return [Finding(flaw, MOST[flaw] * min(1.0, beyond / mean), start, end, most)]
