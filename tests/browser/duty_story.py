"""What duty leaves behind, for the pages to show: a handover, surveys, rates and a month, a board on a wall."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.core import signing

from accounts.actor import Actor
from accounts.models import Team, User
from oncall import pay
from oncall.actions import acknowledge_escalation, start_escalation
from oncall.board import add_board_address
from oncall.duty import summary_of, write_handover_note
from oncall.engine import tick
from oncall.models import EscalationPolicy, Handover, Schedule, ShiftSurvey
from oncall.sending import send_due
from oncall.surveys import SALT, answer_survey

NOTE = (
    "The payments database is close to its limit: **do not** restart it before the migration is done.\n\n- INC-3 waits"
)


def tell_of_duty(now: datetime) -> dict[str, str]:
    """Tells it and returns where it is."""
    _page_people(now)
    people = {user.email.partition("@")[0]: user for user in User.objects.all()}
    admin, ana, bob = people["admin"], people["ana"], people["bob"]
    actor = Actor.of_user(admin, via="web")
    schedule = Schedule.objects.get(slug="primary-on-call")
    write_handover_note(actor=actor, schedule=schedule, note=NOTE, now=now)
    then = now - timedelta(days=3)
    sections = summary_of(list(User.objects.values_list("pk", flat=True)), now - timedelta(days=9), now, now)
    handover = Handover.objects.create(
        schedule=schedule,
        at=then,
        note=NOTE,
        note_by=ana,
        mailed_at=then,
        summary={"since": (then - timedelta(days=7)).isoformat(), "sections": sections},
    )
    handover.going.add(ana)
    handover.coming.add(bob)
    surveys = [_survey(schedule, user, now, weeks) for user, weeks in ((ana, 1), (bob, 6), (admin, 9), (admin, 1))]
    for survey, score in zip(surveys[:3], (2, 4, 3), strict=True):
        words = "The search alert fired every night, and its runbook ends in the middle of a sentence."
        answer_survey(
            actor=Actor.of_user(survey.user, via="email"), survey=survey, score=score, what_hurt=words, now=now
        )
    table = pay.save_rate_table(
        actor=actor,
        name="Standard",
        currency="EUR",
        weekday=Decimal("3.50"),
        night=Decimal("6.00"),
        weekend=Decimal("8.00"),
        holiday=Decimal("12.00"),
        per_page=Decimal("20.00"),
        schedules=list(Schedule.objects.all()),
    )
    pay.draft_statements(actor=actor, month=now.date(), now=now)
    board = add_board_address(actor=actor, name="Kitchen", now=now)
    add_board_address(actor=actor, name="Payments corner", team=Team.objects.get(slug="payments"), now=now)
    return {
        "handover": str(handover.pk),
        "survey": str(surveys[3].pk),
        "survey_token": signing.dumps(surveys[3].pk, salt=SALT),
        "rate_table": str(table.pk),
        "board_token": board.token,
    }


def _page_people(now: datetime) -> None:
    """Three weeks of pages at all hours, each answered by whoever got it."""
    policy = EscalationPolicy.objects.get(slug="production-critical")
    midnight = now.replace(hour=0, minute=0)
    for number, hour in enumerate((2, 3, 3, 9, 10, 10, 10, 14, 14, 15, 21, 23)):
        at = midnight - timedelta(days=1 + number // 2, hours=24 - hour)
        escalation = start_escalation(actor=Actor.system(), policy=policy, title=f"Disk {number} is full", now=at)
        for minute in range(0, 6 + number % 3, 5):
            tick(at + timedelta(minutes=minute))
            send_due(at + timedelta(minutes=minute))
        page = escalation.pages.order_by("-id").select_related("user").first()
        if page is not None:
            answered_at = at + timedelta(minutes=7 + number)
            actor = Actor.of_user(page.user, via="email")
            acknowledge_escalation(actor=actor, escalation=escalation, now=answered_at)


def _survey(schedule: Schedule, user: User, now: datetime, weeks: int) -> ShiftSurvey:
    end = now - timedelta(weeks=weeks)
    return ShiftSurvey.objects.create(
        schedule=schedule, user=user, shift_start=end - timedelta(days=7), shift_end=end, asked_at=end
    )
