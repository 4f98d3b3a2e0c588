"""Working hours, public holidays, and hours on call by what they weigh."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from oncall.hours import (
    Hours,
    Kind,
    holiday_of,
    holidays_between,
    holidays_of,
    hours,
    hours_by_person,
    is_holiday,
    is_working_hours,
    next_working_hours,
    weekend_of,
    weigh,
)
from oncall.rota import ScheduleSpec, Shift, WeeklyHours, shifts
from tests.oncall.rotas import ANA, BERLIN, BOB, instants, rotation, schedule, schedules, stretches, times, utc

HOUR = timedelta(hours=1)
OFFICE = WeeklyHours(time(9), time(17), frozenset(range(5)))


def test_an_hour_counts_once_as_the_heaviest_kind_that_it_is() -> None:
    # Thursday 30 April to Monday 4 May 2026; 1 May is a holiday in Germany.
    week = schedule(rotation(ANA), country="DE")
    found = hours(week, ANA, utc(2026, 4, 29, 22), utc(2026, 5, 4, 22))
    assert found == Hours(weekday=32 * HOUR, night=16 * HOUR, weekend=48 * HOUR, holiday=24 * HOUR)
    assert found.total == 120 * HOUR
    assert [found.of(kind) for kind in Kind] == [32 * HOUR, 16 * HOUR, 48 * HOUR, 24 * HOUR]


def test_a_night_in_which_the_clocks_change_has_the_hours_that_have_passed() -> None:
    # Both nights are Saturday's to Sunday's; without a weekend they would be nights.
    spring = [Shift(utc(2026, 3, 28, 23), utc(2026, 3, 29, 22), (ANA,))]
    autumn = [Shift(utc(2026, 10, 24, 22), utc(2026, 10, 25, 23), (ANA,))]
    assert hours_by_person(spring, zone=BERLIN)[ANA] == Hours(weekend=23 * HOUR)
    assert hours_by_person(autumn, zone=BERLIN)[ANA] == Hours(weekend=25 * HOUR)


@pytest.mark.parametrize(
    ("night", "expected"),
    [
        (WeeklyHours(time(22), time(6)), 8),
        (WeeklyHours(time(0), time(5)), 5),
        (WeeklyHours(time(22), time(0)), 2),
        (WeeklyHours(time(0), time(0)), 0),
    ],
)
def test_the_night_is_what_the_rate_table_says(night: WeeklyHours, expected: int) -> None:
    tuesday = [Shift(utc(2026, 1, 5, 23), utc(2026, 1, 6, 23), (ANA,))]
    (weight,) = weigh(tuesday, zone=BERLIN, night=night)
    assert (weight.night, weight.weekday) == (expected * HOUR, (24 - expected) * HOUR)


def test_somebody_who_was_not_on_call_has_no_hours() -> None:
    assert hours(schedule(rotation(ANA)), BOB, utc(2026, 1, 6), utc(2026, 1, 7)) == Hours()
    assert hours_by_person([], zone=BERLIN) == {}


@given(any_schedule=schedules(), start=instants, length=stretches, night=some.builds(WeeklyHours, times, times))
def test_the_kinds_add_up_to_the_time_on_call(
    any_schedule: ScheduleSpec, start: object, length: timedelta, night: WeeklyHours
) -> None:
    found = shifts(any_schedule, start, start + length)  # type: ignore[arg-type, operator]
    weights = weigh(found, zone=any_schedule.zone, country="US-CA", night=night)
    assert [weight.total for weight in weights] == [shift.end - shift.start for shift in found]


def test_public_holidays_are_known_by_country_and_part() -> None:
    assert is_holiday("DE", date(2026, 12, 25))
    assert is_holiday("DE-BY", date(2026, 1, 6))
    assert not is_holiday("DE", date(2026, 1, 6))
    assert is_holiday("TH", date(2026, 4, 13))
    assert not is_holiday("", date(2026, 12, 25))


def test_holidays_have_names_and_are_found_over_the_turn_of_the_year() -> None:
    christmas, new_year = date(2026, 12, 25), date(2027, 1, 1)
    assert holiday_of("DE", christmas) == "Christmas Day"
    assert holiday_of("DE", date(2026, 12, 24)) == holiday_of("", christmas) == ""
    assert [day for day, _name in holidays_between("DE", christmas, new_year)] == [
        christmas,
        date(2026, 12, 26),
        new_year,
    ]


@pytest.mark.parametrize("country", ["", "XX", "DE-ZZ", "nonsense", "-"])
def test_a_country_that_nobody_knows_has_no_holidays(country: str) -> None:
    assert holidays_of(country, 2026) == {}


def test_years_for_which_nobody_can_know_have_no_holidays() -> None:
    assert holidays_of("DE", 9998) == {}


def test_the_weekend_is_the_countrys() -> None:
    assert weekend_of("DE") == weekend_of("") == weekend_of("XX") == frozenset({5, 6})
    assert weekend_of("EG") == frozenset({4, 5})


def test_people_work_in_the_working_hours_and_not_on_a_holiday() -> None:
    office = schedule(working_hours=OFFICE, country="DE")
    assert is_working_hours(office, utc(2026, 4, 30, 7))
    assert not is_working_hours(office, utc(2026, 4, 30, 15))
    assert not is_working_hours(office, utc(2026, 5, 1, 8))
    assert is_working_hours(schedule(), utc(2026, 5, 2, 3))


def test_the_next_working_hours_come_after_the_weekend_and_the_holiday() -> None:
    office = schedule(working_hours=OFFICE, country="DE")
    assert next_working_hours(office, utc(2026, 4, 30, 15)) == utc(2026, 5, 4, 7)
    assert next_working_hours(office, utc(2026, 5, 4, 6, 59)) == utc(2026, 5, 4, 7)
    assert next_working_hours(office, utc(2026, 5, 4, 12)) == utc(2026, 5, 4, 12)
    assert next_working_hours(schedule(), utc(2026, 5, 2)) == utc(2026, 5, 2)


def test_working_hours_may_run_past_midnight() -> None:
    late = WeeklyHours(time(20), time(4), frozenset({0}))
    new_york = schedule(working_hours=late, zone=ZoneInfo("America/New_York"))
    assert is_working_hours(new_york, utc(2026, 1, 6, 8))
    assert not is_working_hours(new_york, utc(2026, 1, 6, 9))
    assert next_working_hours(new_york, utc(2026, 1, 6, 9)) == utc(2026, 1, 13, 1)
