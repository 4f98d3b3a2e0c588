"""Who is on call is a pure function of an instant and a schedule: what holds for every schedule there can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from oncall.rota import (
    OverrideSpec,
    RotationSpec,
    ScheduleSpec,
    Shift,
    begin_of,
    gaps,
    instant_of,
    layers,
    next_shift,
    on_call_until,
    rotation_shifts,
    shadows_at,
    shifts,
    stretches_of,
    who_is_on_call,
)
from tests.oncall.rotas import (
    SECOND,
    instants,
    rotations,
    schedule,
    schedules,
    stretches,
    zones,
)

MOMENT = timedelta(microseconds=1)
# What everything else rests on is tried more often.
thoroughly = settings(max_examples=300)


def without_swaps_of_the_left(rotation: RotationSpec) -> RotationSpec:
    """A swap may bring one more where too few are left: that has a test of its own."""
    return replace(rotation, substitutions=()) if rotation.left else rotation


def configured_number(rotation: RotationSpec) -> int:
    here = {member for member in rotation.members if member not in rotation.left}
    return min(rotation.people_at_once, len(here))


@thoroughly
@given(rotation=rotations(has_windows=False, has_versions=False), zone=zones, at=instants)
def test_exactly_the_configured_number_of_people_is_on_call_ever_after_the_start(
    rotation: RotationSpec, zone: ZoneInfo, at: datetime
) -> None:
    rotation = without_swaps_of_the_left(rotation)
    on_call = who_is_on_call(schedule(rotation, zone=zone), at)
    started = at >= begin_of(rotation, zone, 0)
    assert len(set(on_call)) == len(on_call) == (configured_number(rotation) if started else 0)


@thoroughly
@given(
    rotation=rotations(has_windows=False, has_versions=False),
    zone=zones,
    at=instants,
    before=some.timedeltas(timedelta(days=-1), timedelta(days=10)),
    length=stretches,
    coming=some.integers(1, 6),
    going=some.none() | some.integers(1, 6),
)
def test_an_override_leaves_the_configured_number_unless_whoever_comes_in_is_on_call_anyway(
    *,
    rotation: RotationSpec,
    zone: ZoneInfo,
    at: datetime,
    before: timedelta,
    length: timedelta,
    coming: int,
    going: int | None,
) -> None:
    rotation = without_swaps_of_the_left(rotation)
    override = OverrideSpec(1, coming, at - before, at - before + length, going)
    wanted = who_is_on_call(schedule(rotation, zone=zone), at)
    on_call = who_is_on_call(schedule(rotation, zone=zone, overrides=(override,)), at)
    if not override.start <= at < override.end:
        assert on_call == wanted
    elif going is None:
        assert on_call == (coming,)
    else:
        assert len(on_call) == len(wanted) - (going != coming and {going, coming} <= set(wanted))


@thoroughly
@given(rotation=rotations(has_windows=False, has_versions=False), zone=zones, start=instants, length=stretches)
def test_no_handover_leaves_a_gap_or_an_overlap(
    rotation: RotationSpec, zone: ZoneInfo, start: datetime, length: timedelta
) -> None:
    if not configured_number(rotation):
        return
    rotation = without_swaps_of_the_left(rotation)
    start = max(start, begin_of(rotation, zone, 0))
    found = rotation_shifts(rotation, zone, start, start + length)
    assert found[0].start == start
    assert found[-1].end == start + length
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    for shift in found[1:]:
        place = schedule(rotation, zone=zone)
        assert who_is_on_call(place, shift.start) == shift.user_ids
        assert len(who_is_on_call(place, shift.start - SECOND)) == len(who_is_on_call(place, shift.start + SECOND))


@thoroughly
@given(any_schedule=schedules(), start=instants, length=stretches)
def test_shifts_cover_their_stretch_without_gap_or_overlap(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta
) -> None:
    found = shifts(any_schedule, start, start + length)
    assert found[0].start == start
    assert found[-1].end == start + length
    assert all(shift.start < shift.end for shift in found)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert all(
        (earlier.user_ids, earlier.is_override) != (later.user_ids, later.is_override)
        for earlier, later in pairwise(found)
    )


@thoroughly
@given(any_schedule=schedules(), start=instants, length=stretches, part=some.integers(0, 9999))
def test_shifts_and_who_is_on_call_agree_at_every_instant(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta, part: int
) -> None:
    found = shifts(any_schedule, start, start + length)
    at = start + length * part / 10000
    holding = [shift for shift in found if shift.start <= at < shift.end]
    assert [shift.user_ids for shift in holding] == [who_is_on_call(any_schedule, at)]
    for shift in found:
        assert who_is_on_call(any_schedule, shift.start) == shift.user_ids
        assert who_is_on_call(any_schedule, shift.end - MOMENT) == shift.user_ids


@given(any_schedule=schedules(), start=instants, length=stretches, cut=some.floats(0.01, 0.99))
def test_a_stretch_asked_in_two_parts_is_the_same(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta, cut: float
) -> None:
    middle, end = start + length * cut, start + length
    whole = shifts(any_schedule, start, end)
    parts = shifts(any_schedule, start, middle) + shifts(any_schedule, middle, end)
    at = [shift for shift in whole if shift.start < middle < shift.end]
    assert len(parts) == len(whole) + len(at)
    assert {shift.start for shift in parts} == {shift.start for shift in whole} | {middle}


@given(any_schedule=schedules(), start=instants, length=stretches, zone=zones)
def test_the_answer_does_not_depend_on_the_zone_in_which_the_question_is_put(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta, zone: ZoneInfo
) -> None:
    end = start + length
    assert shifts(any_schedule, start.astimezone(zone), end.astimezone(zone)) == shifts(any_schedule, start, end)
    assert who_is_on_call(any_schedule, start.astimezone(zone)) == who_is_on_call(any_schedule, start)


@given(rotation=rotations(has_windows=False), zone=zones, turn=some.integers(0, 700))
def test_every_handover_is_at_its_wall_clock_time_unless_that_time_does_not_exist(
    rotation: RotationSpec, zone: ZoneInfo, turn: int
) -> None:
    if rotation.period == "hours":
        return
    local = begin_of(rotation, zone, turn).astimezone(zone)
    wanted = {instant_of(local.date(), each.at, zone) for each in rotation.handovers}
    read_before_a_gap = {
        instant_of(local.date() - timedelta(days=back), each.at, zone) for each in rotation.handovers for back in (0, 1)
    }
    assert local.astimezone(UTC) in wanted | read_before_a_gap
    if local.time() in {each.at for each in rotation.handovers}:
        assert local.fold == 0


@thoroughly
@given(versions=some.tuples(rotations(), rotations()), zone=zones, change=instants, start=instants, length=stretches)
def test_a_change_that_starts_at_a_date_never_alters_the_past(
    versions: tuple[RotationSpec, RotationSpec], zone: ZoneInfo, change: datetime, start: datetime, length: timedelta
) -> None:
    rotation, later = versions
    end = min(start + length, change)
    before = replace(rotation, effective_from=None, effective_until=None)
    # Swaps that were made for turns after the change belong to the new version; both are given all of the series.
    swaps = tuple(each for each in before.substitutions if each.anchor < change) + tuple(
        each for each in later.substitutions if each.anchor >= change
    )
    before = replace(before, substitutions=tuple(each for each in swaps if each.anchor < change))
    ended = replace(before, effective_until=change, substitutions=swaps)
    begun = replace(later, rotation_id=100, effective_from=change, effective_until=None, substitutions=swaps)
    past = shifts(schedule(before, zone=zone), start, end)
    assert shifts(schedule(ended, begun, zone=zone), start, end) == past
    assert shifts(schedule(begun, ended, zone=zone), start, end) == past
    after = who_is_on_call(schedule(ended, begun, zone=zone), change)
    assert after == who_is_on_call(schedule(begun, zone=zone), change)


@given(any_schedule=schedules(), start=instants, length=stretches, user=some.integers(1, 6))
def test_a_persons_stretches_are_the_instants_at_which_they_are_on_call(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta, user: int
) -> None:
    found = stretches_of(any_schedule, user, start, start + length)
    assert all(earlier.end < later.start for earlier, later in pairwise(found))
    on_call = sum(
        (each.end - each.start for each in shifts(any_schedule, start, start + length) if user in each.user_ids),
        timedelta(0),
    )
    assert sum((each.end - each.start for each in found), timedelta(0)) == on_call
    coming = next_shift(any_schedule, user, start, length)
    assert coming == next((each for each in found if each.start > start), None)
    held = [each.end for each in found if each.start == start]
    assert on_call_until([any_schedule], user, start, length) == (held[0] if held else None)


@given(any_schedule=schedules(), start=instants, length=stretches)
def test_the_rows_of_a_calendar_hold_every_shift_of_the_final_one(
    any_schedule: ScheduleSpec, start: datetime, length: timedelta
) -> None:
    bare = replace(any_schedule, overrides=(), fixed=tuple(each for each in any_schedule.fixed if not each.is_override))
    rows = layers(bare, start, start + length)
    for shift in shifts(bare, start, start + length):
        said = {
            user_id
            for row in rows
            for each in row.shifts
            if each.start <= shift.start < each.end
            for user_id in each.user_ids
        }
        assert set(shift.user_ids) <= said
        assert bool(said) == bool(shift.user_ids)


FAR = [datetime.min, datetime(1, 1, 2), datetime(9999, 12, 30), datetime.max]  # noqa: DTZ001, DTZ901


@pytest.mark.parametrize("naive", FAR)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])
@settings(max_examples=10)
@given(any_schedule=schedules())
def test_instants_at_the_ends_of_the_calendar_break_nothing(
    any_schedule: ScheduleSpec, naive: datetime, zone: str
) -> None:
    at = naive.replace(tzinfo=ZoneInfo(zone))
    who_is_on_call(any_schedule, at)
    shadows_at(any_schedule, at)
    on_call_until([any_schedule], 1, at, timedelta(days=40))
    next_shift(any_schedule, 1, at, timedelta(days=40))
    assert shifts(any_schedule, at, at) == []
    for end in (at, at.replace(day=at.day % 28 + 1)):
        assert len(gaps(any_schedule, at, end)) <= 1


def test_an_override_that_lasts_for_ever_is_no_trouble() -> None:
    override = OverrideSpec(1, 3, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert shifts(schedule(overrides=(override,)), start, start + timedelta(days=1)) == [
        Shift(start, start + timedelta(days=1), (3,), True)
    ]
