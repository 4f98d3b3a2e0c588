"""What paging costs people: pages by person and hour, nights, how fast answers come, how often more levels are needed.

Everything is counted by the database over a bounded stretch of time, by the indexes over the time of pages and
escalations; the number of queries does not depend on how much there is. Hours are those of the person's own zone.
Private escalations are counted and never named.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Aggregate,
    Case,
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, TruncDate

from accounts.models import Team, User
from oncall.models import Escalation, EscalationPolicy, EscalationTarget, Page, Schedule
from oncall.pages_received import count_of_pages, sent_between
from oncall.roster import zone_of
from oncall.windows import instant_of

LONGEST_DAYS = 366
USUAL_DAYS = 30
NIGHT_FROM, NIGHT_UNTIL = 22, 6
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Question:
    """Which pages a report is about: decided from `start` until `end` (UTC), by policies, teams or schedules if given.

    A schedule means the policies that page it, as they are now.
    """

    start: datetime
    end: datetime
    policies: tuple[EscalationPolicy, ...] = ()
    teams: tuple[Team, ...] = ()
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True)
class PersonReport:
    """A person's pages: by hour of their own day (24 numbers), at night (22 to 6), and in how many nights."""

    person: User
    hours: list[int]
    at_night: int
    nights: int

    @property
    def pages(self) -> int:
        return sum(self.hours)


@dataclass(frozen=True)
class PolicyReport:
    """How escalations of a policy went; times in seconds from start to acknowledgement, None without any.

    `escalated` of them went past their first level. Without a policy: of all, or of policies that are gone.
    """

    policy: EscalationPolicy | None
    escalations: int
    acknowledged: int
    median: float | None
    p90: float | None
    escalated: int

    @property
    def escalation_rate(self) -> float:
        """The part that went past the first level, 0 to 1."""
        return self.escalated / self.escalations if self.escalations else 0.0

    @property
    def escalated_share(self) -> str:
        """The same as people read it: 25%."""
        return f"{self.escalation_rate:.0%}"


@dataclass(frozen=True)
class Report:
    """The answer to a question."""

    question: Question
    people: list[PersonReport]
    policies: list[PolicyReport]
    total: PolicyReport

    @property
    def pages(self) -> int:
        return sum(each.pages for each in self.people)

    @property
    def at_night(self) -> int:
        return sum(each.at_night for each in self.people)

    @property
    def busiest(self) -> int:
        """The most pages that one person got at one hour of the day: the deepest colour."""
        return max((max(each.hours) for each in self.people), default=0)


def stretch_of(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the begin of the first day to the end of the last in a zone (UTC)."""
    return instant_of(first, time(0), zone), instant_of(last + timedelta(days=1), time(0), zone)


def report(question: Question) -> Report:
    """Answers the question in seven queries."""
    by_policy = _by_policy(question)
    return Report(question, _people(question), by_policy, _total(question))


# --- Pages by person --------------------------------------------------------------------------------------------------


def _pages(question: Question) -> QuerySet[Page]:
    sent = sent_between(question.start, question.end)
    wanted = _wanted(question, "escalation__policy")
    return sent.filter(wanted) if wanted else sent  # type: ignore[no-any-return]


def _wanted(question: Question, path: str) -> Q:
    wanted = Q()
    if question.policies:
        wanted &= Q(**{f"{path}__in": [policy.pk for policy in question.policies]})
    if question.teams:
        wanted &= Q(**{f"{path}__team__in": [team.pk for team in question.teams]})
    if question.schedules:
        ids = [schedule.pk for schedule in question.schedules]
        paging = EscalationTarget.objects.filter(schedule__in=ids).values("level__policy_id")
        wanted &= Q(**{f"{path}__in": paging})
    return wanted


def _people(question: Question) -> list[PersonReport]:
    pages = _pages(question)
    local = _local_time(question)
    by_hour = (
        pages.annotate(hour=ExtractHour(local, tzinfo=UTC_ZONE))
        .values("user_id", "hour")
        .annotate(pages=count_of_pages())
    )
    hours: dict[int, list[int]] = {}
    for row in by_hour:
        hours.setdefault(row["user_id"], [0] * 24)[row["hour"]] += row["pages"]
    # Noon to noon is one night.
    night = ExpressionWrapper(local - timedelta(hours=12), output_field=DateTimeField())
    nights = dict(
        pages.annotate(hour=ExtractHour(local, tzinfo=UTC_ZONE), night=TruncDate(night, tzinfo=UTC_ZONE))
        .filter(Q(hour__gte=NIGHT_FROM) | Q(hour__lt=NIGHT_UNTIL))
        .values("user_id")
        .annotate(nights=Count("night", distinct=True))
        .values_list("user_id", "nights")
    )
    people = User.objects.in_bulk(hours)
    found = [
        PersonReport(people[pk], each, sum(each[NIGHT_FROM:]) + sum(each[:NIGHT_UNTIL]), nights.get(pk, 0))
        for pk, each in hours.items()
    ]
    return sorted(found, key=lambda each: (-each.pages, each.person.display_name))


def _local_time(question: Question) -> ExpressionWrapper[Any]:
    """The wall clock of the paged person, as if it were UTC.

    The offsets come from Python: the database may know fewer zones, and one that it does not know would be an error.
    """
    whens = [
        When(user__time_zone=name, created_at__gte=start, created_at__lt=end, then=Value(offset))
        for name in User.objects.order_by().values_list("time_zone", flat=True).distinct()
        for start, end, offset in offsets_of(zone_of(name), question.start, question.end)
        if offset
    ]
    offset = Case(*whens, default=Value(timedelta(0)), output_field=DurationField())
    return ExpressionWrapper(F("created_at") + offset, output_field=DateTimeField())


def offsets_of(zone: ZoneInfo, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime, timedelta]]:
    """The stretches of [start, end) in which a zone keeps its offset, to the quarter of an hour."""
    step, begin, at = timedelta(days=1), start, start
    offset = _offset(zone, start)
    while at < end:
        following = min(at + step, end)
        if _offset(zone, following) == offset:
            at = following
        elif step > timedelta(minutes=15):
            step = max(step / 4, timedelta(minutes=15))
        else:
            yield begin, following, offset
            begin, at, offset, step = following, following, _offset(zone, following), timedelta(days=1)
    yield begin, end, offset


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


# --- Answers by policy ------------------------------------------------------------------------------------------------


class Percentile(Aggregate):
    """A continuous percentile of seconds."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM %(expressions)s))"
    output_field = FloatField()

    def __init__(self, expression: Any, *, share: float) -> None:
        super().__init__(expression, share=share)


def _escalations(question: Question) -> QuerySet[Escalation]:
    found = Escalation.objects.filter(started_at__gte=question.start, started_at__lt=question.end)
    return found.filter(_wanted(question, "policy")).order_by()


def _measures() -> dict[str, Any]:
    took = ExpressionWrapper(F("acknowledged_at") - F("started_at"), output_field=DurationField())
    further = Page.objects.filter(Q(level__gt=0) | Q(round__gt=0), escalation=OuterRef("pk"))
    return {
        "escalations": Count("pk"),
        "acknowledged": Count("acknowledged_at"),
        "median": Percentile(took, share=0.5),
        "p90": Percentile(took, share=0.9),
        "escalated": Count("pk", filter=Exists(further)),
    }


def _by_policy(question: Question) -> list[PolicyReport]:
    found: Any = _escalations(question).values("policy_id").annotate(**_measures())
    rows: list[dict[str, Any]] = list(found)
    policies = EscalationPolicy.objects.in_bulk([row["policy_id"] for row in rows if row["policy_id"]])
    reports = [PolicyReport(policies.get(row.pop("policy_id")), **row) for row in rows]
    return sorted(reports, key=lambda each: (-each.escalations, str(each.policy or "")))


def _total(question: Question) -> PolicyReport:
    return PolicyReport(None, **_escalations(question).aggregate(**_measures()))
