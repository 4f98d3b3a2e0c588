"""Who is on call now on each schedule, until when, who is next; and whose shifts are coming."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from oncall.models import EscalationPolicy, Schedule
from oncall.roster import schedule_ids_naming, schedule_specs
from oncall.rota import ScheduleSpec, Shift, shifts
from oncall.windows import LATEST, MOMENT, clipped

HORIZON = timedelta(days=28)
# The last instant from which the calendar reaches that far.
LAST = LATEST - HORIZON - MOMENT


@dataclass(frozen=True)
class Standing:
    """A schedule at an instant. `until` and `next_at` are None beyond the horizon."""

    schedule: Schedule
    people: list[User]
    until: datetime | None
    next_people: list[User]
    next_at: datetime | None
    is_override: bool


@dataclass(frozen=True)
class OwnShift:
    """A shift of one person."""

    schedule: Schedule
    shift: Shift


def standings(now: datetime, schedule_ids: Collection[int] | None = None) -> list[Standing]:
    """Every schedule by name, in six queries however many there are; any instant will do."""
    now = min(clipped(now), LAST)
    specs = schedule_specs(now, now + HORIZON, schedule_ids)
    courses = {pk: _course(spec, now) for pk, spec in specs.items()}
    people = User.objects.in_bulk(
        {user_id for course in courses.values() for shift in course[:3] for user_id in shift.user_ids}
    )
    found = Schedule.objects.filter(pk__in=specs).select_related("team").order_by("name")
    return [_standing(schedule, courses[schedule.pk], people, now) for schedule in found]


def _course(spec: ScheduleSpec, now: datetime) -> list[Shift]:
    """The present shift and the next one, whole unless the horizon cuts them; mostly a few days tell."""
    for days in (2, 9):
        course = shifts(spec, now, now + timedelta(days=days))
        if len(course) > 2:
            return course
    return shifts(spec, now, now + HORIZON)


def policy_standings(policy: EscalationPolicy, now: datetime) -> list[Standing]:
    """The schedules that the policy pages, in the order of its levels, each with who is on call."""
    ids = policy.levels.order_by("position", "targets__id").values_list("targets__schedule_id", flat=True)
    wanted = [pk for pk in dict.fromkeys(ids) if pk]
    found = {standing.schedule.pk: standing for standing in standings(now, wanted)}
    return [found[pk] for pk in wanted]


def _standing(schedule: Schedule, course: list[Shift], people: dict[int, User], now: datetime) -> Standing:
    def named(shift: Shift) -> list[User]:
        return [people[user_id] for user_id in shift.user_ids]

    current = course[0]
    following = course[1] if len(course) > 1 else None
    return Standing(
        schedule=schedule,
        people=named(current),
        until=current.end if current.end < now + HORIZON else None,
        next_people=named(following) if following else [],
        next_at=following.start if following else None,
        is_override=current.is_override,
    )


def shifts_of(user: User, now: datetime, horizon: timedelta = HORIZON) -> list[OwnShift]:
    """The person's coming shifts on all schedules in order, the present ones first."""
    specs = schedule_specs(now, now + horizon, schedule_ids_naming({user.pk}, now, now + horizon))
    schedules = Schedule.objects.in_bulk(specs)
    own = [
        OwnShift(schedules[pk], shift)
        for pk, spec in specs.items()
        for shift in shifts(spec, now, now + horizon)
        if user.pk in shift.user_ids
    ]
    return sorted(own, key=lambda each: (each.shift.start, each.schedule.name))


def spec_of(schedule: Schedule, start: datetime, end: datetime) -> ScheduleSpec:
    """One schedule as data, with the overrides that touch the stretch."""
    return schedule_specs(start, end, {schedule.pk})[schedule.pk]
