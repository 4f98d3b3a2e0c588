"""Who is on call: a pure function of an instant and a schedule.

Handovers are wall-clock times in the schedule's zone. One rule covers the clock changes: a time that does not exist is
read with the offset that held before the gap (02:30 becomes 03:30), a time that exists twice means its first
occurrence. Of the rotations active at an instant only those of the highest layer count; those on the same layer are on
call together. An override replaces them all while it lasts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class RotationSpec:
    """People in order, who hand over every `weeks` weeks on a weekday (0 is Monday) at a local time.

    The turn that holds `starts_on` belongs to the first member; before it nobody is on call.
    """

    rotation_id: int
    name: str
    layer: int
    members: tuple[int, ...]
    weeks: int
    weekday: int
    handover: time
    starts_on: date


@dataclass(frozen=True)
class OverrideSpec:
    """A person on call instead of the rotations from `start` until `end` (UTC)."""

    override_id: int
    user_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule as data."""

    schedule_id: int
    name: str
    zone: ZoneInfo
    rotations: tuple[RotationSpec, ...]
    overrides: tuple[OverrideSpec, ...]


@dataclass(frozen=True)
class Shift:
    """The same people on call from `start` until `end` (UTC); nobody when `user_ids` is empty."""

    start: datetime
    end: datetime
    user_ids: tuple[int, ...]
    is_override: bool = False


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time, by the rule for clock changes above."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def handover(rotation: RotationSpec, zone: ZoneInfo, turn: int) -> datetime:
    """When turn number `turn` begins (UTC); turn 0 holds `starts_on`."""
    back = (rotation.starts_on.weekday() - rotation.weekday) % 7
    first = rotation.starts_on - timedelta(days=back)
    return instant_of(first + timedelta(weeks=turn * rotation.weeks), rotation.handover, zone)


def turn_at(rotation: RotationSpec, zone: ZoneInfo, at: datetime) -> int:
    """The number of the turn that holds the instant; negative before the rotation starts."""
    turn = int((at - handover(rotation, zone, 0)) / timedelta(weeks=rotation.weeks))
    while handover(rotation, zone, turn) > at:
        turn -= 1
    while handover(rotation, zone, turn + 1) <= at:
        turn += 1
    return turn


def member_at(rotation: RotationSpec, zone: ZoneInfo, at: datetime) -> int | None:
    """The user on duty in this rotation, or None before its start or without members."""
    if not rotation.members:
        return None
    turn = turn_at(rotation, zone, at)
    return rotation.members[turn % len(rotation.members)] if turn >= 0 else None


def who_is_on_call(schedule: ScheduleSpec, at: datetime) -> tuple[int, ...]:
    """The ids of the users on call at the instant, in a stable order without repeats."""
    return _duty(schedule, at.astimezone(UTC))[0]


def _duty(schedule: ScheduleSpec, at: datetime) -> tuple[tuple[int, ...], bool]:
    overriding = [override.user_id for override in schedule.overrides if override.start <= at < override.end]
    if overriding:
        return tuple(dict.fromkeys(overriding)), True
    on_duty: dict[int, list[int]] = {}
    for rotation in schedule.rotations:
        user_id = member_at(rotation, schedule.zone, at)
        if user_id is not None:
            on_duty.setdefault(rotation.layer, []).append(user_id)
    return (tuple(dict.fromkeys(on_duty[max(on_duty)])), False) if on_duty else ((), False)


def rotation_shifts(rotation: RotationSpec, zone: ZoneInfo, start: datetime, end: datetime) -> list[Shift]:
    """The turns of one rotation that touch [start, end), cut to it."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    shifts = []
    turn = max(turn_at(rotation, zone, start), 0)
    while rotation.members and (begin := handover(rotation, zone, turn)) < end:
        finish = handover(rotation, zone, turn + 1)
        if finish > start:
            user_id = rotation.members[turn % len(rotation.members)]
            shifts.append(Shift(max(begin, start), min(finish, end), (user_id,)))
        turn += 1
    return shifts


def shifts(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[Shift]:
    """The final shifts of [start, end): they cover it without gap or overlap; gaps are shifts with nobody."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    edges = {start, end}
    for rotation in schedule.rotations:
        edges.update(shift.start for shift in rotation_shifts(rotation, schedule.zone, start, end))
    for override in schedule.overrides:
        edges.update(edge for edge in (override.start, override.end) if start < edge < end)
    pieces = []
    for begin, finish in pairwise(sorted(edges)):
        user_ids, is_override = _duty(schedule, begin)
        pieces.append(Shift(begin, finish, user_ids, is_override))
    return _joined(pieces)


def _joined(pieces: Iterable[Shift]) -> list[Shift]:
    joined: list[Shift] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and (last.user_ids, last.is_override) == (piece.user_ids, piece.is_override):
            joined[-1] = Shift(last.start, piece.end, last.user_ids, last.is_override)
        else:
            joined.append(piece)
    return joined


def gaps(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[Shift]:
    """The stretches of [start, end) in which nobody is on call."""
    return [shift for shift in shifts(schedule, start, end) if not shift.user_ids]


def on_call_until(schedules: Sequence[ScheduleSpec], user_id: int, at: datetime, horizon: timedelta) -> datetime | None:
    """Until when the user is on call without a break on any of the schedules, at most `horizon` ahead.

    None if they are not on call.
    """
    until: datetime | None = None
    at = at.astimezone(UTC)
    for schedule in schedules:
        for shift in shifts(schedule, at, at + horizon):
            if user_id not in shift.user_ids:
                break
            until = max(until or shift.end, shift.end)
    return until
