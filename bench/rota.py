"""How fast Sitrep knows who is on call: `python -m bench.rota`.

Measures the computing of final shifts, hours and quality, and the whole way from the database for 100 and 1,000
schedules of three layers and eight people, with the number of queries. Ends with 1 if a goal is missed.
"""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table
from oncall.coverage import quality
from oncall.hours import hours_by_person
from oncall.rota import (
    DAYS,
    Handover,
    OverrideSpec,
    RotationSpec,
    ScheduleSpec,
    WeeklyHours,
    shifts,
    who_is_on_call,
)

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
NINETY_DAYS = timedelta(days=90)
PEOPLE = 8
REPEATS = 15
MONDAY_TO_FRIDAY = frozenset(range(5))


def three_layers() -> ScheduleSpec:
    """A schedule as larger teams have it: weekly below, days by day above, weekends on top, a few overrides."""
    crew, starts_on = tuple(range(1, PEOPLE + 1)), date(2026, 1, 5)
    weekly = RotationSpec(1, "Weekly", 1, crew, starts_on, (Handover(time(9)),))
    daily = RotationSpec(
        *(2, "Daily", 2, crew, starts_on, (Handover(time(9)),)),
        period=DAYS,
        active=WeeklyHours(time(9), time(17), MONDAY_TO_FRIDAY),
    )
    weekends = RotationSpec(
        *(3, "Weekends", 3, crew, starts_on, (Handover(time(17), 4),)),
        active=WeeklyHours(time(17), time(9), frozenset({4, 5, 6})),
    )
    overrides = tuple(
        OverrideSpec(number, number + 1, NOW + timedelta(days=9 * number), NOW + timedelta(days=9 * number, hours=8))
        for number in range(5)
    )
    return ScheduleSpec(1, "Primary", ZoneInfo("Europe/Berlin"), (weekends, daily, weekly), overrides, country="DE")


def computed() -> list[Result]:
    """What is pure computing."""
    schedule, end = three_layers(), NOW + NINETY_DAYS
    course = shifts(schedule, NOW, end)
    return [
        Result(
            f"final shifts of 90 days, three layers, {PEOPLE} people ({len(course)} shifts)",
            median_of(lambda: shifts(schedule, NOW, end), 50),
            goal=2.5,
        ),
        Result("who is on call, one such schedule", median_of(lambda: who_is_on_call(schedule, NOW), 500)),
        Result(
            "hours by kind of everybody in 90 days",
            median_of(lambda: hours_by_person(course, zone=schedule.zone, country="DE"), 50),
        ),
        Result("quality over 90 days", median_of(lambda: quality(schedule, start=NOW, end=end), 20)),
    ]


def stored(number: int, goal: float) -> list[Result]:
    """The whole way from the database for so many schedules."""
    from oncall.models import Schedule  # noqa: PLC0415  (Django is ready only now)
    from oncall.roster import on_call_at, schedule_specs  # noqa: PLC0415
    from oncall.standings import standings  # noqa: PLC0415

    fill(number - Schedule.objects.count())
    first = set(Schedule.objects.values_list("pk", flat=True)[:1])
    results = [
        measured(f"who is on call now, {number} schedules", lambda: on_call_at(NOW), goal=goal, goal_queries=4),
        measured(f"the board: until when, and who is next, {number} schedules", lambda: standings(NOW)),
    ]
    if number == 100:
        results.append(
            measured(
                "final shifts of 90 days of one of them, from the database",
                lambda: [
                    shifts(spec, NOW, NOW + NINETY_DAYS)
                    for spec in schedule_specs(NOW, NOW + NINETY_DAYS, first).values()
                ],
            )
        )
    return results


def measured(
    work: str, run: Callable[[], object], goal: float | None = None, goal_queries: int | None = None
) -> Result:
    """The time and the queries of something that asks the database."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as queries:
        run()
    return Result(work, median_of(run, REPEATS), len(queries), goal, goal_queries)


def fill(number: int) -> None:
    """So many schedules more: three rotations of eight people each, an override on every tenth."""
    from django.db import connection  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from oncall.models import Override, Rotation, RotationMember, Schedule  # noqa: PLC0415

    if not User.objects.exists():
        User.objects.bulk_create(User(email=f"person{each}@example.com") for each in range(200))
    people = list(User.objects.order_by("pk"))
    begin = Schedule.objects.count()
    schedules = Schedule.objects.bulk_create(
        Schedule(name=f"Schedule {each}", slug=f"schedule-{each}", time_zone="Europe/Berlin")
        for each in range(begin, begin + number)
    )
    common = {"starts_on": date(2026, 1, 5)}
    nine, evening = [{"weekday": 0, "time": "09:00"}], [{"weekday": 4, "time": "17:00"}]
    rotations = Rotation.objects.bulk_create(
        rotation
        for schedule in schedules
        for rotation in (
            Rotation(schedule=schedule, name="Weekly", layer=1, handovers=nine, **common),
            Rotation(
                **{"schedule": schedule, "name": "Daily", "layer": 2, "period": DAYS, "handovers": nine, **common},
                active_from=time(9),
                active_until=time(17),
                active_weekdays=sorted(MONDAY_TO_FRIDAY),
            ),
            Rotation(
                **{"schedule": schedule, "name": "Weekends", "layer": 3, "handovers": evening, **common},
                active_from=time(17),
                active_until=time(9),
                active_weekdays=[4, 5, 6],
            ),
        )
    )
    RotationMember.objects.bulk_create(
        RotationMember(rotation=rotation, user=people[(place + PEOPLE * at) % len(people)], position=place)
        for at, rotation in enumerate(rotations)
        for place in range(PEOPLE)
    )
    Override.objects.bulk_create(
        Override(schedule=schedule, user=people[0], starts_at=NOW, ends_at=NOW + timedelta(hours=8))
        for schedule in schedules[::10]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> int:
    """Runs it all and prints the table."""
    results = computed()
    with own_database():
        results += stored(100, goal=10)
        results += stored(1000, goal=80)
        committing = database_control()
    return 0 if print_table(results, computing_control(), committing) else 1


if __name__ == "__main__":
    sys.exit(main())
