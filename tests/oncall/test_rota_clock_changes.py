"""No gap and no overlap at any clock change from 2020 to 2040 in thirty zones, whatever hands over beside it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from oncall.hours import weigh
from oncall.rota import (
    Handover,
    RotationSpec,
    ScheduleSpec,
    Shift,
    WeeklyHours,
    begin_of,
    instant_of,
    rotation_shifts,
    shifts,
    who_is_on_call,
)
from tests.oncall.rotas import ANA, BERLIN, BOB, DAN, EVE, SECOND, ZONES, rotation, schedule, utc

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STEP = timedelta(days=1)


@cache
def clock_changes(name: str) -> tuple[datetime, ...]:
    """The instants from 2020 to 2040 at which the offset of a zone changes."""
    zone = ZoneInfo(name)
    found = []
    at, end = utc(2020, 1, 1), utc(2040, 1, 1)
    while at < end:
        if offset(at, zone) != offset(at + STEP, zone):
            low, high = at, at + STEP
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if offset(middle, zone) == offset(low, zone) else (low, middle)
            found.append(high)
        at += STEP
    return tuple(found)


def offset(at: datetime, zone: ZoneInfo) -> timedelta:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found


def walls_around(change: datetime, zone: ZoneInfo) -> list[datetime]:
    """Wall-clock times right before, in and right after the hour that is missing or comes twice."""
    before = (change - SECOND).astimezone(zone).replace(tzinfo=None) + SECOND
    after = change.astimezone(zone).replace(tzinfo=None)
    low, high = sorted((before, after))
    return [low - MINUTE, low, low + (high - low) / 2, high - MINUTE, high, high + MINUTE]


def rotations_around(change: datetime, zone: ZoneInfo) -> Iterator[RotationSpec]:
    """Rotations of every kind that hand over, begin or end their active hours at those times."""
    walls = walls_around(change, zone)
    starts_on = walls[0].date() - timedelta(days=40)
    for wall in walls:
        common = {"starts_on": starts_on, "at": wall.time()}
        yield rotation(ANA, BOB, DAN, period="days", **common)
        yield rotation(ANA, BOB, DAN, EVE, period="weeks", people_at_once=2, weekday=wall.weekday(), **common)
        yield rotation(ANA, BOB, DAN, period="months", **{**common, "starts_on": _month_before(wall)})
        yield rotation(ANA, BOB, DAN, EVE, period="hours", interval=5, people_at_once=3, **common)
    beside = tuple(Handover(wall.time(), wall.weekday()) for wall in walls)
    yield rotation(ANA, BOB, DAN, starts_on=starts_on, handovers=beside)


def _month_before(wall: datetime) -> date:
    return (wall.replace(day=1) - timedelta(days=1)).date().replace(day=min(wall.day, 28))


@pytest.mark.parametrize("name", ZONES)
def test_every_handover_at_a_clock_change_is_without_gap_or_overlap(name: str) -> None:
    zone = ZoneInfo(name)
    for change in clock_changes(name):
        start, end = change - timedelta(hours=30), change + timedelta(hours=30)
        for each in rotations_around(change, zone):
            found = rotation_shifts(each, zone, start, end)
            assert (found[0].start, found[-1].end) == (start, end)
            assert all(earlier.end == later.start for earlier, later in pairwise(found))
            assert {len(shift.user_ids) for shift in found} == {each.people_at_once}


@pytest.mark.parametrize("name", ZONES)
def test_at_every_minute_around_a_clock_change_the_shifts_and_the_instant_agree(name: str) -> None:
    zone = ZoneInfo(name)
    for number, change in enumerate(clock_changes(name)):
        walls = walls_around(change, zone)
        begin, finish = walls[number % 6].time(), walls[(number // 2 + 1) % 6].time()
        parts = list(rotations_around(change, zone))
        over = rotation(EVE, layer=2, starts_on=date(2019, 1, 1), active=WeeklyHours(begin, finish))
        place = schedule(over, parts[number % len(parts)], parts[-1], zone=zone)
        found = shifts(place, change - 2 * HOUR, change + 2 * HOUR)
        expect_agreement(place, found, change - 70 * MINUTE, change + 70 * MINUTE)


def expect_agreement(place: ScheduleSpec, found: list[Shift], start: datetime, end: datetime) -> None:
    instants = {start + MINUTE * number for number in range(int((end - start) / MINUTE))}
    edges = [shift.start for shift in found if start < shift.start < end]
    instants |= {edge + shift for edge in edges for shift in (-SECOND, timedelta(0), SECOND)}
    number = 0
    for at in sorted(instants):
        while found[number].end <= at:
            number += 1
        assert who_is_on_call(place, at) == found[number].user_ids


@pytest.mark.parametrize("name", ZONES)
def test_whole_days_and_nights_of_active_hours_meet_at_a_clock_change(name: str) -> None:
    zone = ZoneInfo(name)
    for change in clock_changes(name):
        for wall in walls_around(change, zone):
            other = (wall + timedelta(hours=12)).time()
            around = rotation(ANA, starts_on=date(2019, 1, 1), active=WeeklyHours(wall.time(), wall.time()))
            first = rotation(ANA, starts_on=date(2019, 1, 1), active=WeeklyHours(wall.time(), other))
            second = rotation(BOB, starts_on=date(2019, 1, 1), active=WeeklyHours(other, wall.time()))
            start, end = change - timedelta(hours=30), change + timedelta(hours=30)
            assert [each.user_ids for each in shifts(schedule(around, zone=zone), start, end)] == [(ANA,)]
            halves = shifts(schedule(first, second, zone=zone), start, end)
            assert {each.user_ids for each in halves} == {(ANA,), (BOB,)}


@pytest.mark.parametrize("name", ZONES)
def test_hours_are_counted_once_over_every_clock_change(name: str) -> None:
    zone = ZoneInfo(name)
    for change in clock_changes(name):
        start, end = change - timedelta(hours=30), change + timedelta(hours=30)
        (weight,) = weigh([Shift(start, end, (ANA,))], zone=zone, country="")
        assert weight.total == end - start


def test_the_zones_of_these_tests_have_seen_many_kinds_of_clock_change() -> None:
    found = {
        abs(offset(change, zone) - offset(change - SECOND, zone))
        for zone in map(ZoneInfo, ZONES)
        for change in clock_changes(zone.key)
    }
    assert found >= {timedelta(minutes=30), HOUR, 2 * HOUR}
    assert len(ZONES) >= 30
    assert sum(len(clock_changes(name)) for name in ZONES) > 600


def test_the_handover_keeps_its_wall_clock_time_when_clocks_change() -> None:
    weekly = rotation(ANA, BOB)
    assert begin_of(weekly, BERLIN, 11) == utc(2026, 3, 23, 8)
    assert begin_of(weekly, BERLIN, 12) == utc(2026, 3, 30, 7)
    week = shifts(schedule(weekly), utc(2026, 3, 23, 8), utc(2026, 3, 30, 7))
    assert [shift.end - shift.start for shift in week] == [timedelta(days=6, hours=23)]


def test_a_time_that_does_not_exist_is_read_with_the_offset_before_the_gap() -> None:
    assert instant_of(date(2026, 3, 29), time(2, 30), BERLIN) == utc(2026, 3, 29, 1, 30)


def test_a_time_that_exists_twice_means_its_first_occurrence() -> None:
    assert instant_of(date(2026, 10, 25), time(2, 30), BERLIN) == utc(2026, 10, 25, 0, 30)
    assert instant_of(date(2026, 10, 25), time(2, 30, fold=1), BERLIN) == utc(2026, 10, 25, 0, 30)


def test_of_two_handovers_that_a_clock_change_turns_around_the_later_waits_for_the_earlier() -> None:
    # On 29 March 2026 in Berlin 02:30 is read as 03:30, which is after 03:15.
    both = rotation(ANA, BOB, DAN, handovers=(Handover(time(2, 30), 6), Handover(time(3, 15), 6)))
    found = rotation_shifts(both, BERLIN, utc(2026, 3, 28), utc(2026, 3, 30))
    assert [shift.start for shift in found] == [utc(2026, 3, 28), utc(2026, 3, 29, 1, 30)]
    ordinary = rotation_shifts(both, BERLIN, utc(2026, 3, 21), utc(2026, 3, 23))
    assert [shift.start for shift in ordinary] == [utc(2026, 3, 21), utc(2026, 3, 22, 1, 30), utc(2026, 3, 22, 2, 15)]


def test_hours_that_have_really_passed_are_counted_by_rotations_of_hours() -> None:
    hourly = rotation(ANA, BOB, period="hours", interval=12, starts_on=date(2026, 3, 28), at=time(20))
    assert [begin_of(hourly, BERLIN, turn) for turn in (0, 1, 2)] == [
        utc(2026, 3, 28, 19),
        utc(2026, 3, 29, 7),
        utc(2026, 3, 29, 19),
    ]


def test_a_day_that_a_zone_skips_is_no_gap() -> None:
    # Samoa had no 30 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    daily = rotation(ANA, BOB, period="days", starts_on=date(2011, 12, 1))
    night = rotation(DAN, layer=2, starts_on=date(2011, 12, 1), active=WeeklyHours(time(22), time(6)))
    start, end = datetime(2011, 12, 27, tzinfo=UTC), datetime(2012, 1, 3, tzinfo=UTC)
    assert all(each.user_ids for each in shifts(schedule(daily, night, zone=apia), start, end))
    expect_agreement(
        schedule(daily, night, zone=apia),
        shifts(schedule(daily, night, zone=apia), start, end),
        start,
        start + 99 * HOUR,
    )
