"""Which hours: working hours, public holidays, and hours on call by what they weigh.

Every hour on call counts once, as the heaviest kind that it is: a public holiday, else weekend, else night, else
weekday. Hours are those that have really passed: a night in which the clocks go back has one more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import holidays

from oncall.rota import ScheduleSpec, Shift, shifts
from oncall.windows import MOMENT, WeeklyHours, clipped, instant_of_day, windows

NIGHT = WeeklyHours(time(22), time(6))
SATURDAY_AND_SUNDAY = frozenset({5, 6})
# Beyond these the tables of holidays are guesses.
HOLIDAY_YEARS = range(1970, 2101)
# Else their names depend on the environment of the process.
NAMED_IN = "en_US"


class Kind(StrEnum):
    """What an hour on call weighs as."""

    WEEKDAY = "weekday"
    NIGHT = "night"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Hours:
    """Time on call by kind; the kinds add up to the total."""

    weekday: timedelta = timedelta(0)
    night: timedelta = timedelta(0)
    weekend: timedelta = timedelta(0)
    holiday: timedelta = timedelta(0)

    def __add__(self, other: "Hours") -> "Hours":
        return Hours(
            self.weekday + other.weekday,
            self.night + other.night,
            self.weekend + other.weekend,
            self.holiday + other.holiday,
        )

    @property
    def total(self) -> timedelta:
        """All of it."""
        return self.weekday + self.night + self.weekend + self.holiday

    def of(self, kind: Kind) -> timedelta:
        """The time of one kind."""
        return {
            Kind.WEEKDAY: self.weekday,
            Kind.NIGHT: self.night,
            Kind.WEEKEND: self.weekend,
            Kind.HOLIDAY: self.holiday,
        }[kind]


@lru_cache(maxsize=512)
def holidays_of(country: str, year: int) -> Mapping[date, str]:
    """The public holidays of a country or its part (DE, US-CA) in a year, by name; none if it is unknown."""
    name, _, part = country.partition("-")
    if not name or year not in HOLIDAY_YEARS:
        return {}
    try:
        return dict(holidays.country_holidays(name, subdiv=part or None, years=year, language=NAMED_IN))
    except NotImplementedError:
        return {}


def holiday_of(country: str, day: date) -> str:
    """What the public holiday there is called in English; empty on any other day."""
    return holidays_of(country, day.year).get(day, "") if country else ""


def is_holiday(country: str, day: date) -> bool:
    """Whether the day is a public holiday there."""
    return bool(holiday_of(country, day))


def holidays_between(country: str, first: date, last: date) -> list[tuple[date, str]]:
    """The public holidays there from one day to another, in order, by name."""
    years = range(first.year, last.year + 1)
    found = (holiday for year in years for holiday in sorted(holidays_of(country, year).items()))
    return [(day, name) for day, name in found if first <= day <= last]


@lru_cache(maxsize=512)
def weekend_of(country: str) -> frozenset[int]:
    """The weekdays of the weekend there; Saturday and Sunday if the country is unknown."""
    name = country.partition("-")[0]
    if not name:
        return SATURDAY_AND_SUNDAY
    try:
        return frozenset(holidays.country_holidays(name).weekend)
    except NotImplementedError:
        return SATURDAY_AND_SUNDAY


def is_working_hours(schedule: ScheduleSpec, at: datetime) -> bool:
    """Whether people work at the instant: never on a public holiday; always if the schedule has no working hours."""
    at = clipped(at)
    return schedule.working_hours is None or bool(_working_hours(schedule, schedule.working_hours, at, MOMENT))


def next_working_hours(schedule: ScheduleSpec, at: datetime) -> datetime | None:
    """When people work next (UTC): the instant itself if they do, None if they do not within a year."""
    at = clipped(at)
    if schedule.working_hours is None:
        return at
    for days in (4, 30, 366):
        found = _working_hours(schedule, schedule.working_hours, at, timedelta(days=days))
        if found:
            return max(found[0][0], at)
    return None


def _working_hours(
    schedule: ScheduleSpec, hours: WeeklyHours, at: datetime, ahead: timedelta
) -> list[tuple[datetime, datetime]]:
    return windows(hours, schedule.zone, at, at + ahead, partial(is_holiday, schedule.country))


def hours(schedule: ScheduleSpec, user_id: int, start: datetime, end: datetime, night: WeeklyHours = NIGHT) -> Hours:
    """A person's time on call in [start, end), by kind, in the schedule's zone and by its country's holidays."""
    found = shifts(schedule, start, end)
    return hours_by_person(found, zone=schedule.zone, country=schedule.country, night=night).get(user_id, Hours())


def hours_by_person(
    found: Iterable[Shift], *, zone: ZoneInfo, country: str = "", night: WeeklyHours = NIGHT
) -> dict[int, Hours]:
    """The time on call of everybody in these shifts, by kind; as `weigh` weighs them."""
    found = list(found)
    totals: dict[int, Hours] = {}
    for shift, weight in zip(found, weigh(found, zone=zone, country=country, night=night), strict=True):
        for user_id in shift.user_ids:
            totals[user_id] = totals[user_id] + weight if user_id in totals else weight
    return totals


def weigh(found: Sequence[Shift], *, zone: ZoneInfo, country: str = "", night: WeeklyHours = NIGHT) -> list[Hours]:
    """The time of each shift by kind; the shifts are in order and do not overlap.

    Of `night` only the times count: a night is a night on each weekday; there are none if its two times are the same.
    """
    if not found:
        return []
    weights = []
    stretches = _kinds(zone, country, night, found[0].start, found[-1].end)
    at = 0
    for shift in found:
        while stretches[at][1] <= shift.start:
            at += 1
        weight = dict.fromkeys(Kind, timedelta(0))
        place = at
        while place < len(stretches) and stretches[place][0] < shift.end:
            begin, finish, kind = stretches[place]
            weight[kind] += min(finish, shift.end) - max(begin, shift.start)
            place += 1
        weights.append(Hours(*weight.values()))
    return weights


def _kinds(
    zone: ZoneInfo, country: str, night: WeeklyHours, start: datetime, end: datetime
) -> list[tuple[datetime, datetime, Kind]]:
    """What each stretch of time weighs as; they cover [start, end) without gap or overlap."""
    weekend, midnight = weekend_of(country), time(0)
    first, last = start.astimezone(zone).toordinal() - 1, end.astimezone(zone).toordinal() + 1
    found: list[tuple[datetime, datetime, Kind]] = []
    begin = instant_of_day(first, midnight, zone)
    for number in range(first, last + 1):
        finish = instant_of_day(number + 1, midnight, zone)
        if finish <= begin:
            continue
        day = date.fromordinal(number)
        if is_holiday(country, day):
            found.append((begin, finish, Kind.HOLIDAY))
        elif day.weekday() in weekend:
            found.append((begin, finish, Kind.WEEKEND))
        else:
            found += _day_and_night(number, zone, night, begin, finish)
        begin = finish
    return found


def _day_and_night(
    number: int, zone: ZoneInfo, night: WeeklyHours, begin: datetime, finish: datetime
) -> list[tuple[datetime, datetime, Kind]]:
    if night.start == night.end:
        return [(begin, finish, Kind.WEEKDAY)]
    runs_past_midnight = night.end < night.start
    inner, outer = (Kind.WEEKDAY, Kind.NIGHT) if runs_past_midnight else (Kind.NIGHT, Kind.WEEKDAY)
    first, second = sorted((night.start, night.end))
    rise = min(max(instant_of_day(number, first, zone), begin), finish)
    fall = min(max(instant_of_day(number, second, zone), rise), finish)
    return [
        stretch
        for stretch in ((begin, rise, outer), (rise, fall, inner), (fall, finish, outer))
        if stretch[0] < stretch[1]
    ]
