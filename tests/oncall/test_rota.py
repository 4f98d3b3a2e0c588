"""Who is on call is a pure function of an instant and a schedule, right through every clock change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from oncall.rota import (
    OverrideSpec,
    RotationSpec,
    ScheduleSpec,
    Shift,
    gaps,
    handover,
    instant_of,
    on_call_until,
    rotation_shifts,
    shifts,
    who_is_on_call,
)

ANA, BOB, DAN = 1, 2, 3
BERLIN = ZoneInfo("Europe/Berlin")
# Half-hour offsets, a half-hour clock change (Lord Howe), changes at midnight (Beirut, Santiago), none, the far ends.
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"),
    *("Asia/Beirut", "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca", "Asia/Bangkok", "Pacific/Kiritimati"),
]

zones = some.sampled_from(ZONES).map(ZoneInfo)
# 1 to 59 minutes too: a handover may fall right on or beside a change.
times = some.times(min_value=time(0), max_value=time(23, 59))
seconds = some.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2034, 1, 1, tzinfo=UTC).timestamp())
)
instants = seconds.map(lambda second: datetime.fromtimestamp(second, UTC))
stretches = some.timedeltas(timedelta(minutes=1), timedelta(days=40))


@some.composite
def rotations(draw: some.DrawFn, layer: int = 1) -> RotationSpec:
    return RotationSpec(
        rotation_id=draw(some.integers(1, 99)),
        name="Weekly",
        layer=draw(some.integers(1, 3)) if layer == 0 else layer,
        members=tuple(draw(some.lists(some.integers(1, 6), min_size=1, max_size=5))),
        weeks=draw(some.integers(1, 4)),
        weekday=draw(some.integers(0, 6)),
        handover=draw(times),
        starts_on=draw(some.dates(date(2019, 1, 1), date(2030, 1, 1))),
    )


@some.composite
def schedules(draw: some.DrawFn) -> ScheduleSpec:
    overrides = [
        OverrideSpec(number, draw(some.integers(1, 6)), start, start + draw(stretches))
        for number, start in enumerate(draw(some.lists(instants, max_size=3)))
    ]
    return ScheduleSpec(
        1, "Primary", draw(zones), tuple(draw(some.lists(rotations(layer=0), max_size=3))), tuple(overrides)
    )


def weekly(*members: int, **fields: object) -> RotationSpec:
    values: dict[str, object] = {
        "rotation_id": 1,
        "name": "Weekly",
        "layer": 1,
        "members": members,
        "weeks": 1,
        "weekday": 0,
        "handover": time(9),
        "starts_on": date(2026, 1, 5),
        **fields,
    }
    return RotationSpec(**values)  # type: ignore[arg-type]


def spec(*parts: RotationSpec, zone: ZoneInfo = BERLIN, overrides: tuple[OverrideSpec, ...] = ()) -> ScheduleSpec:
    return ScheduleSpec(1, "Primary", zone, parts, overrides)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@given(rotation=rotations(), zone=zones, at=instants)
def test_exactly_one_person_of_a_rotation_is_on_call_ever_after_its_start(
    rotation: RotationSpec, zone: ZoneInfo, at: datetime
) -> None:
    on_call = who_is_on_call(spec(rotation, zone=zone), at)
    started = at >= handover(rotation, zone, 0)
    assert len(on_call) == (1 if started else 0)


@given(schedule=schedules(), start=instants, length=stretches)
def test_shifts_cover_their_stretch_without_gap_or_overlap(
    schedule: ScheduleSpec, start: datetime, length: timedelta
) -> None:
    found = shifts(schedule, start, start + length)
    assert found[0].start == start
    assert found[-1].end == start + length
    assert all(shift.start < shift.end for shift in found)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert all(
        (earlier.user_ids, earlier.is_override) != (later.user_ids, later.is_override)
        for earlier, later in pairwise(found)
    )


@given(schedule=schedules(), start=instants, length=stretches, part=some.integers(0, 9999))
def test_shifts_and_who_is_on_call_agree_at_every_instant(
    schedule: ScheduleSpec, start: datetime, length: timedelta, part: int
) -> None:
    found = shifts(schedule, start, start + length)
    at = start + length * part / 10000
    holding = [shift for shift in found if shift.start <= at < shift.end]
    assert [shift.user_ids for shift in holding] == [who_is_on_call(schedule, at)]
    for shift in found:
        last_moment = shift.end - timedelta(microseconds=1)
        assert who_is_on_call(schedule, shift.start) == who_is_on_call(schedule, last_moment) == shift.user_ids


@given(schedule=schedules(), start=instants, length=stretches, zone=zones)
def test_the_answer_does_not_depend_on_the_zone_in_which_the_question_is_put(
    schedule: ScheduleSpec, start: datetime, length: timedelta, zone: ZoneInfo
) -> None:
    end = start + length
    assert shifts(schedule, start.astimezone(zone), end.astimezone(zone)) == shifts(schedule, start, end)
    assert who_is_on_call(schedule, start.astimezone(zone)) == who_is_on_call(schedule, start)


@given(rotation=rotations(), zone=zones, turn=some.integers(0, 700))
def test_every_handover_is_at_the_wall_clock_time_unless_that_time_does_not_exist(
    rotation: RotationSpec, zone: ZoneInfo, turn: int
) -> None:
    local = handover(rotation, zone, turn).astimezone(zone)
    wanted = datetime.combine(local.date(), rotation.handover)
    exists = datetime.combine(local.date(), rotation.handover, tzinfo=zone).astimezone(UTC).astimezone(zone)
    if exists.replace(tzinfo=None) == wanted and local.weekday() == rotation.weekday:
        assert local.replace(tzinfo=None) == wanted
        assert local.fold == 0


def test_the_turn_goes_round_in_order() -> None:
    schedule = spec(weekly(ANA, BOB, DAN))
    mondays = [utc(2026, 1, 5, 8) + timedelta(weeks=week) for week in range(4)]
    assert [who_is_on_call(schedule, monday) for monday in mondays] == [(ANA,), (BOB,), (DAN,), (ANA,)]
    assert who_is_on_call(schedule, mondays[1] - timedelta(seconds=1)) == (ANA,)


def test_a_turn_may_last_several_weeks() -> None:
    schedule = spec(weekly(ANA, BOB, weeks=2))
    assert who_is_on_call(schedule, utc(2026, 1, 18, 12)) == (ANA,)
    assert who_is_on_call(schedule, utc(2026, 1, 19, 8)) == (BOB,)


def test_the_turn_that_holds_the_first_day_belongs_to_the_first_person() -> None:
    schedule = spec(weekly(ANA, BOB, starts_on=date(2026, 1, 8)))
    assert who_is_on_call(schedule, utc(2026, 1, 8, 12)) == (ANA,)
    assert who_is_on_call(schedule, utc(2026, 1, 12, 8)) == (BOB,)
    assert who_is_on_call(schedule, utc(2026, 1, 4, 12)) == ()


def test_the_handover_keeps_its_wall_clock_time_when_clocks_change() -> None:
    schedule = spec(weekly(ANA, BOB))
    assert handover(schedule.rotations[0], BERLIN, 11) == utc(2026, 3, 23, 8)
    assert handover(schedule.rotations[0], BERLIN, 12) == utc(2026, 3, 30, 7)
    week = shifts(schedule, utc(2026, 3, 23, 8), utc(2026, 3, 30, 7))
    assert [shift.end - shift.start for shift in week] == [timedelta(days=6, hours=23)]


def test_a_time_that_does_not_exist_is_read_with_the_offset_before_the_gap() -> None:
    assert instant_of(date(2026, 3, 29), time(2, 30), BERLIN) == utc(2026, 3, 29, 1, 30)


def test_a_time_that_exists_twice_means_its_first_occurrence() -> None:
    assert instant_of(date(2026, 10, 25), time(2, 30), BERLIN) == utc(2026, 10, 25, 0, 30)


def test_only_the_highest_active_layer_counts_and_people_on_one_layer_are_on_call_together() -> None:
    base = weekly(ANA, rotation_id=1, layer=1)
    cover = weekly(BOB, rotation_id=2, layer=2, starts_on=date(2026, 2, 2))
    beside = weekly(DAN, rotation_id=3, layer=2, starts_on=date(2026, 2, 2))
    schedule = spec(cover, beside, base)
    assert who_is_on_call(schedule, utc(2026, 1, 20)) == (ANA,)
    assert who_is_on_call(schedule, utc(2026, 2, 3)) == (BOB, DAN)


def test_an_override_replaces_everybody_while_it_lasts() -> None:
    override = OverrideSpec(1, DAN, utc(2026, 1, 6, 18), utc(2026, 1, 7, 6))
    schedule = spec(weekly(ANA, BOB), overrides=(override,))
    assert shifts(schedule, utc(2026, 1, 6), utc(2026, 1, 8)) == [
        Shift(utc(2026, 1, 6), utc(2026, 1, 6, 18), (ANA,)),
        Shift(utc(2026, 1, 6, 18), utc(2026, 1, 7, 6), (DAN,), True),
        Shift(utc(2026, 1, 7, 6), utc(2026, 1, 8), (ANA,)),
    ]


def test_a_gap_is_told_with_its_length() -> None:
    schedule = spec(weekly(ANA))
    assert gaps(schedule, utc(2026, 1, 5), utc(2026, 1, 6)) == [Shift(utc(2026, 1, 5), utc(2026, 1, 5, 8), ())]
    assert gaps(spec(), utc(2026, 1, 5), utc(2026, 1, 6)) == [Shift(utc(2026, 1, 5), utc(2026, 1, 6), ())]


def test_a_rotation_of_nobody_leaves_the_layer_below_on_call() -> None:
    assert who_is_on_call(spec(weekly(layer=2), weekly(ANA)), utc(2026, 1, 20)) == (ANA,)
    assert rotation_shifts(weekly(), BERLIN, utc(2026, 1, 5), utc(2026, 2, 5)) == []


def test_until_when_somebody_is_on_call_runs_on_over_schedules_and_adjoining_shifts() -> None:
    first, second = spec(weekly(ANA, BOB)), spec(weekly(ANA, ANA, BOB))
    at, horizon = utc(2026, 1, 7), timedelta(days=30)
    assert on_call_until([first], ANA, at, horizon) == utc(2026, 1, 12, 8)
    assert on_call_until([first, second], ANA, at, horizon) == utc(2026, 1, 19, 8)
    assert on_call_until([first, second], DAN, at, horizon) is None
