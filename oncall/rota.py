"""Who is on call: a pure function of an instant and a schedule.

Handovers are wall-clock times in the schedule's zone; `oncall.windows` holds the one rule for clock changes,
`oncall.turns` whose turn it is in a rotation. Of the rotations on duty at an instant only those of the highest layer
count; those on the same layer are on call together. An override replaces them all while it lasts, or the one person
whom it names. A leave changes nobody's duty by itself: it is a conflict, which `oncall.coverage` reports.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from oncall.turns import (
    DAYS,
    HOURS,
    MONTHS,
    WEEKS,
    Handover,
    RotationSpec,
    Shift,
    Substitution,
    begin_of,
    crew_at,
    duties,
    longest_turn,
    mid_turn,
    rotation_shifts,
)
from oncall.windows import WeeklyHours, clipped, instant_of

__all__ = [
    "DAYS",
    "HOURS",
    "MONTHS",
    "WEEKS",
    "FixedShift",
    "Handover",
    "LayerRow",
    "OverrideSpec",
    "RotationSpec",
    "ScheduleSpec",
    "ShadowSpec",
    "Shift",
    "Substitution",
    "WeeklyHours",
    "begin_of",
    "gaps",
    "instant_of",
    "layers",
    "longest_turn",
    "mid_turn",
    "next_shift",
    "on_call_until",
    "rotation_shifts",
    "shadows_at",
    "shifts",
    "stretches_of",
    "who_is_on_call",
]


@dataclass(frozen=True, slots=True)
class OverrideSpec:
    """A person on call from `start` until `end` (UTC): instead of everybody, or only of the person it `replaces`.

    While that person is not on call it adds nobody.
    """

    override_id: int
    user_id: int
    start: datetime
    end: datetime
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class FixedShift:
    """A shift that is written down, not computed: an event of an imported calendar.

    Without a user its person is unknown here: it covers nothing and leaves the layer below on call.
    """

    user_id: int | None
    start: datetime
    end: datetime
    layer: int = 0
    is_override: bool = False


@dataclass(frozen=True, slots=True)
class ShadowSpec:
    """Somebody who is told and never paged, always or while the person whom they follow is on call."""

    user_id: int
    follows: int | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule as data. `country` is an ISO code for public holidays (DE, US-CA), or empty."""

    schedule_id: int
    name: str
    zone: ZoneInfo
    rotations: tuple[RotationSpec, ...] = ()
    overrides: tuple[OverrideSpec, ...] = ()
    fixed: tuple[FixedShift, ...] = ()
    shadows: tuple[ShadowSpec, ...] = ()
    working_hours: WeeklyHours | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One row of a calendar: a rotation with all its versions, or (without a series) a layer of fixed shifts."""

    series: str
    name: str
    layer: int
    shifts: tuple[Shift, ...]


class _Span(NamedTuple):
    """What one source says for a while; `place` keeps the order of the sources and is the source's own."""

    place: int
    begin: datetime
    finish: datetime
    layer: int
    user_ids: tuple[int, ...]
    is_override: bool = False
    replaces: int | None = None


def who_is_on_call(schedule: ScheduleSpec, at: datetime) -> tuple[int, ...]:
    """The ids of the users on call at the instant, in a stable order without repeats."""
    at = clipped(at)
    active, highest = list[_Span](), -1
    for place, rotation in enumerate(schedule.rotations):
        if rotation.layer < highest:
            continue
        crew = crew_at(rotation, schedule.zone, at)
        if crew:
            highest = rotation.layer
            active.append(_Span(place, at, at, rotation.layer, crew))
    if schedule.fixed or schedule.overrides:
        active += [span for span in _written_down(schedule) if span.begin <= at < span.finish]
    return _duty(active)[0]


def _written_down(schedule: ScheduleSpec) -> list[_Span]:
    place = len(schedule.rotations)
    spans = [
        _Span(number, each.start, each.end, each.layer, (each.user_id,), each.is_override)
        for number, each in enumerate(schedule.fixed, place)
        if each.user_id is not None
    ]
    place += len(schedule.fixed)
    return spans + [
        _Span(number, each.start, each.end, 0, (each.user_id,), True, each.replaces)
        for number, each in enumerate(schedule.overrides, place)
    ]


def _duty(active: Sequence[_Span]) -> tuple[tuple[int, ...], bool]:
    """Who is on call among what the sources say at one instant, and whether an override decided it."""
    if len(active) == 1 and not active[0].is_override:
        return active[0].user_ids, False
    highest, on_duty = -1, list[int]()
    overriding, replacing = list[int](), list[_Span]()
    for span in active:
        if span.replaces is not None:
            replacing.append(span)
        elif span.is_override:
            overriding += span.user_ids
        elif span.layer > highest:
            highest, on_duty = span.layer, list(span.user_ids)
        elif span.layer == highest:
            on_duty += span.user_ids
    is_override = bool(overriding)
    user_ids = tuple(dict.fromkeys(overriding or on_duty))
    for span in replacing:
        if span.replaces in user_ids:
            is_override = True
            user_ids = tuple(dict.fromkeys(span.user_ids[0] if each == span.replaces else each for each in user_ids))
    return user_ids, is_override


def shifts(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[Shift]:
    """The final shifts of [start, end): they cover it without gap or overlap; gaps are shifts with nobody."""
    start, end = clipped(start), clipped(end)
    if start >= end:
        return []
    spans = [
        _Span(place, begin, finish, rotation.layer, crew)
        for place, rotation in enumerate(schedule.rotations)
        for begin, finish, crew in duties(rotation, schedule.zone, start, end)
    ]
    spans += [span for span in _written_down(schedule) if span.begin < end and span.finish > start]
    return _final(spans, start, end)


def _final(spans: list[_Span], start: datetime, end: datetime) -> list[Shift]:
    edges = {start}
    for span in spans:
        edges.add(span.begin)
        edges.add(span.finish)
    spans.sort(key=lambda span: span.begin)
    found: list[Shift] = []
    active: list[_Span] = []
    since, current, upcoming = start, None, 0
    for edge in sorted(edges):
        if edge >= end:
            break
        active = [span for span in active if span.finish > edge]
        while upcoming < len(spans) and spans[upcoming].begin <= edge:
            if spans[upcoming].finish > edge:
                active.append(spans[upcoming])
            upcoming += 1
        if edge < start:
            continue
        if len(active) > 1:
            active.sort()
        duty = _duty(active)
        if duty != current:
            if current is not None:
                found.append(Shift(since, edge, *current))
            since, current = edge, duty
    if current is not None:
        found.append(Shift(since, end, *current))
    return found


def gaps(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[Shift]:
    """The stretches of [start, end) in which nobody is on call."""
    return [shift for shift in shifts(schedule, start, end) if not shift.user_ids]


def layers(schedule: ScheduleSpec, start: datetime, end: datetime) -> list[LayerRow]:
    """What each rotation and each layer of fixed shifts says in [start, end), in the order of the schedule.

    The versions of a rotation are one row under the name of the last one. Fixed shifts are cut to the stretch; those of
    an unknown person have nobody.
    """
    start, end = clipped(start), clipped(end)
    versions: dict[str, list[RotationSpec]] = {}
    for rotation in schedule.rotations:
        versions.setdefault(rotation.series or f"rotation {rotation.rotation_id}", []).append(rotation)
    rows = []
    for series, each in versions.items():
        found = [shift for rotation in each for shift in rotation_shifts(rotation, schedule.zone, start, end)]
        if found or any(rotation.effective_until is None for rotation in each):
            last = max(each, key=lambda rotation: rotation.effective_until or end + timedelta(days=1))
            rows.append(LayerRow(series, last.name, last.layer, _in_order(found)))
    for layer in sorted({each.layer for each in schedule.fixed if not each.is_override}, reverse=True):
        found = [
            Shift(max(each.start, start), min(each.end, end), () if each.user_id is None else (each.user_id,))
            for each in schedule.fixed
            if each.layer == layer and not each.is_override and each.start < end and each.end > start
        ]
        rows.append(LayerRow("", "", layer, _in_order(found)))
    return rows


def _in_order(found: Iterable[Shift]) -> tuple[Shift, ...]:
    return tuple(sorted(found, key=lambda shift: shift.start))


def stretches_of(schedule: ScheduleSpec, user_id: int, start: datetime, end: datetime) -> list[Shift]:
    """When the user is on call in [start, end): their own stretches, whoever is on call beside them."""
    found: list[Shift] = []
    for shift in shifts(schedule, start, end):
        if user_id not in shift.user_ids:
            continue
        if found and found[-1].end == shift.start:
            is_override = found[-1].is_override and shift.is_override
            found[-1] = Shift(found[-1].start, shift.end, (user_id,), is_override)
        else:
            found.append(Shift(shift.start, shift.end, (user_id,), shift.is_override))
    return found


def next_shift(schedule: ScheduleSpec, user_id: int, at: datetime, horizon: timedelta) -> Shift | None:
    """The user's first stretch that begins after the instant, None if none does within the horizon.

    It is cut where the horizon ends; the one that they are in does not count.
    """
    at = clipped(at)
    found = stretches_of(schedule, user_id, at, at + horizon)
    return next((shift for shift in found if shift.start > at), None)


def on_call_until(schedules: Sequence[ScheduleSpec], user_id: int, at: datetime, horizon: timedelta) -> datetime | None:
    """Until when the user is on call without a break on any of the schedules, at most `horizon` ahead.

    None if they are not on call.
    """
    until: datetime | None = None
    at = clipped(at)
    for schedule in schedules:
        if user_id in who_is_on_call(schedule, at):
            for stretch in stretches_of(schedule, user_id, at, at + horizon)[:1]:
                until = max(until or stretch.end, stretch.end)
    return until


def shadows_at(schedule: ScheduleSpec, at: datetime) -> tuple[int, ...]:
    """Who is told at the instant without being paged, in order; nobody who is on call themselves."""
    at = clipped(at)
    following = [each for each in schedule.shadows if each.start <= at < each.end]
    if not following:
        return ()
    on_call = who_is_on_call(schedule, at)
    told = (each.user_id for each in following if each.follows is None or each.follows in on_call)
    return tuple(dict.fromkeys(user_id for user_id in told if user_id not in on_call))
