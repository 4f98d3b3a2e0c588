"""One person's on call: now and next, what waits for them, how they are reached, and what this month comes to."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import QuerySet

from accounts.models import User
from oncall.board import Reach, reach_of
from oncall.covering import open_requests_for
from oncall.hours import Hours, hours_by_person
from oncall.models import (
    ContactMethod,
    CoverRequest,
    Escalation,
    Leave,
    NotificationRule,
    Schedule,
    ShiftSurvey,
)
from oncall.pages_received import received
from oncall.pay import bounds_of, first_of_month
from oncall.roster import schedule_ids_naming, schedule_specs, zone_of
from oncall.rota import Shift, stretches_of
from oncall.windows import WeeklyHours, instant_of

AHEAD = timedelta(days=92)
# Shifts are followed further than they are shown, so that the last one tells where it really ends.
HORIZON = AHEAD + timedelta(days=62)
# A month as long as any, and two days for the zones in which it has begun already.
LONGEST_MONTH = timedelta(days=33)
MOST_SHIFTS = 12
SURVEYS_WAIT = timedelta(days=30)


@dataclass(frozen=True)
class MyShift:
    """A stretch for which the person is on call without a break; what is left of it begins at `ask_from`.

    `end` is None when it has no end in sight.
    """

    schedule: Schedule
    start: datetime
    end: datetime | None
    ask_from: datetime
    is_now: bool


@dataclass(frozen=True)
class MyMonth:
    """What a schedule's month comes to so far, in the schedule's zone and by its rates' night."""

    schedule: Schedule
    hours: Hours


@dataclass(frozen=True)
class MyOnCall:
    """All of it. `pages` are those of this month, the person's own; `escalations` wait for their answer."""

    shifts: list[MyShift]
    months: list[MyMonth]
    pages: int
    escalations: QuerySet[Escalation]
    cover_requests: list[CoverRequest]
    asked_to_cover: list[CoverRequest]
    surveys: list[ShiftSurvey]
    leaves: list[Leave]
    methods: list[ContactMethod]
    rules: list[NotificationRule]
    reach: Reach

    @property
    def testable(self) -> list[ContactMethod]:
        """The methods that a test page can be sent through."""
        return [method for method in self.methods if method.is_enabled and method.verified_at is not None]

    @property
    def is_on_call(self) -> bool:
        return any(shift.is_now for shift in self.shifts)

    @property
    def hours(self) -> Hours:
        """This month's hours on all schedules together."""
        each = [month.hours for month in self.months]
        nothing = timedelta(0)
        return Hours(
            sum((hours.weekday for hours in each), nothing),
            sum((hours.night for hours in each), nothing),
            sum((hours.weekend for hours in each), nothing),
            sum((hours.holiday for hours in each), nothing),
        )


def my_on_call(user: User, now: datetime) -> MyOnCall:
    """The person's on call, in a number of queries that does not depend on how much there is."""
    zone = zone_of(user.time_zone)
    month = first_of_month(now.astimezone(zone).date())
    earliest, latest = now - LONGEST_MONTH, now + HORIZON
    ids = schedule_ids_naming({user.pk}, earliest, latest)
    schedules = Schedule.objects.select_related("rate_table").in_bulk(ids)
    coming: list[MyShift] = []
    months: list[MyMonth] = []
    for pk, spec in schedule_specs(earliest, latest, ids).items():
        schedule = schedules[pk]
        begin, _end = bounds_of(schedule, month)
        course = stretches_of(spec, user.pk, earliest, latest)
        coming += [_my_shift(schedule, each, now) for each in course if each.end > now and each.start < now + AHEAD]
        table = schedule.rate_table
        night = {"night": WeeklyHours(table.night_from, table.night_until)} if table else {}
        so_far = [
            Shift(max(each.start, begin), min(each.end, now), each.user_ids)
            for each in course
            if each.start < now and each.end > begin
        ]
        found = hours_by_person(so_far, zone=spec.zone, country=spec.country, **night).get(user.pk)
        if found is not None:
            months.append(MyMonth(schedule, found))
    methods = list(user.contact_methods.order_by("id"))
    return MyOnCall(
        shifts=sorted(coming, key=lambda each: (each.start, each.schedule.name))[:MOST_SHIFTS],
        months=sorted(months, key=lambda each: each.schedule.name),
        pages=len(received({user.pk}, instant_of(month, time(0), zone), now)),
        escalations=Escalation.objects.unanswered_for(user),
        cover_requests=list(_own_requests(user, now)),
        asked_to_cover=list(open_requests_for(user, now)),
        surveys=list(waiting_surveys(user, now)),
        leaves=list(user.leaves.filter(ends_at__gt=now).order_by("starts_at")),
        methods=methods,
        rules=list(user.notification_rules.select_related("contact_method").order_by("urgency", "position")),
        reach=reach_of([method for method in methods if method.is_usable], now),
    )


def _my_shift(schedule: Schedule, shift: Shift, now: datetime) -> MyShift:
    end = shift.end if shift.end < now + HORIZON else None
    return MyShift(schedule, shift.start, end, max(shift.start, now), shift.start <= now)


def _own_requests(user: User, now: datetime) -> QuerySet[CoverRequest]:
    own = user.cover_requests.filter(status=CoverRequest.Status.OPEN, ends_at__gt=now)
    return own.select_related("schedule", "user").order_by("starts_at")


def waiting_surveys(user: User, now: datetime) -> QuerySet[ShiftSurvey]:
    """The shifts of the last month that the person has not answered for yet, the newest first."""
    waiting = user.shift_surveys.filter(answered_at=None, shift_end__gt=now - SURVEYS_WAIT)
    return waiting.select_related("schedule").order_by("-shift_end")
