"""Two questions after a shift: how was it, and what hurt. Who is asked, who answers, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncMonth
from django.urls import reverse

from accounts.actor import Actor
from events.actions import Fact, publish, publish_all
from events.errors import Invalid, require
from oncall import permissions
from oncall.handovers import Change
from oncall.models import Schedule, ShiftSurvey

SALT = "oncall.survey"
VALID_FOR = timedelta(days=30)
# A shorter stretch is a favour, not a shift; and nobody is asked about the same schedule more often than this.
SHORTEST_SHIFT = timedelta(hours=4)
ASKED_AT_MOST_EVERY = timedelta(days=6)
RESULTS_OVER = timedelta(days=365)
LONGEST_ANSWER = 4000
SCORES = range(1, 6)


@dataclass(frozen=True)
class Month:
    """The answers about the shifts that ended in a month (UTC); `average` is None without an answer."""

    start: datetime
    average: float | None
    answers: int


@dataclass(frozen=True)
class Results:
    """What people said of a schedule in the last year: the average, its course, and what hurt, the newest first."""

    schedule: Schedule
    average: float | None
    answers: int
    asked: int
    months: list[Month]
    what_hurt: list[ShiftSurvey]


def ask(ended: Iterable[tuple[int, Change]], *, actor: Actor, now: datetime) -> int:
    """Asks everybody who goes in these changes, by schedule id, and returns how many; in the caller's transaction.

    Whoever was asked about the same schedule within six days is not asked again.
    """
    wanted = {
        (schedule_id, user_id): (change.since[user_id], change.at)
        for schedule_id, change in ended
        for user_id in change.going
        if change.at - change.since[user_id] >= SHORTEST_SHIFT
    }
    if not wanted:
        return 0
    asked = set(
        ShiftSurvey.objects.filter(
            Q(shift_end__gt=now - ASKED_AT_MOST_EVERY), schedule_id__in={schedule_id for schedule_id, _user in wanted}
        ).values_list("schedule_id", "user_id")
    )
    rows = ShiftSurvey.objects.bulk_create(
        ShiftSurvey(schedule_id=schedule_id, user_id=user_id, shift_start=start, shift_end=end, asked_at=now)
        for (schedule_id, user_id), (start, end) in wanted.items()
        if (schedule_id, user_id) not in asked
    )
    publish_all([Fact("survey.asked", row, {"schedule": row.schedule_id}) for row in rows], actor=actor)
    return len(rows)


@transaction.atomic
def answer_survey(*, actor: Actor, survey: ShiftSurvey, score: int, now: datetime, what_hurt: str = "") -> ShiftSurvey:
    """Stores what a person says about their shift; a later answer takes the place of an earlier one."""
    require(actor.user_id == survey.user_id, "Only whoever had the shift can say how it was.", remedy="")
    if score not in SCORES:
        raise Invalid("The score is a number from 1 to 5.", field="score", remedy="1 is bad, 5 is good.")
    what_hurt = what_hurt.strip()
    if len(what_hurt) > LONGEST_ANSWER:
        raise Invalid(f"At most {LONGEST_ANSWER} letters.", field="what_hurt", remedy="Write a postmortem instead.")
    survey = ShiftSurvey.objects.select_for_update().get(pk=survey.pk)
    if (survey.score, survey.what_hurt) == (score, what_hurt):
        return survey
    survey.score, survey.what_hurt, survey.answered_at = score, what_hurt, now
    survey.save(update_fields=["score", "what_hurt", "answered_at"])
    publish("survey.answered", subject=survey, actor=actor, data={"schedule": survey.schedule_id, "score": score})
    return survey


def survey_link(survey_id: int) -> str:
    """The absolute address at which the person answers without signing in, for thirty days; good for nothing else."""
    return settings.PUBLIC_URL + reverse("oncall:survey", args=[signing.dumps(survey_id, salt=SALT)])


def survey_of_token(token: str) -> int | None:
    """The id of the survey behind a link, or None if it is forged or too old."""
    try:
        return int(signing.loads(token, salt=SALT, max_age=VALID_FOR))
    except (signing.BadSignature, TypeError, ValueError):
        return None


def results_of(schedule: Schedule, actor: Actor, now: datetime) -> Results:
    """What people said of a schedule in the last year, without their names. For managers. Three queries."""
    require(permissions.can_configure(actor), "Only managers see what others have answered.")
    found = ShiftSurvey.objects.filter(schedule=schedule, shift_end__gte=now - RESULTS_OVER)
    total = found.aggregate(average=Avg("score"), answers=Count("score"), asked=Count("id"))
    months = (
        found.annotate(month=TruncMonth("shift_end"))
        .values("month")
        .annotate(average=Avg("score"), answers=Count("score"))
        .order_by("month")
    )
    return Results(
        schedule=schedule,
        average=total["average"],
        answers=total["answers"],
        asked=total["asked"],
        months=[Month(each["month"], each["average"], each["answers"]) for each in months],
        what_hurt=list(found.exclude(what_hurt="").order_by("-shift_end")[:50]),
    )


@dataclass(frozen=True)
class Average:
    """A schedule's answers of the last year in one line."""

    schedule: Schedule
    average: float | None
    answers: int
    asked: int


def averages(actor: Actor, now: datetime) -> list[Average]:
    """Every schedule about which somebody was asked in the last year, by name. For managers. Two queries."""
    require(permissions.can_configure(actor), "Only managers see what others have answered.")
    rows = list(
        ShiftSurvey.objects.filter(shift_end__gte=now - RESULTS_OVER)
        .order_by()
        .values("schedule_id")
        .annotate(average=Avg("score"), answers=Count("score"), asked=Count("id"))
        .order_by("schedule__name")
    )
    schedules = Schedule.objects.in_bulk([row["schedule_id"] for row in rows])
    return [Average(schedules[row["schedule_id"]], row["average"], row["answers"], row["asked"]) for row in rows]
