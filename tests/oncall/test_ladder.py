"""A policy's ladder says in words what it would do right now."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Team
from oncall.ladder import ladder
from oncall.models import EscalationPolicy, EscalationTarget
from oncall.policies import LevelDraft, TargetDraft, person
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 10, 3, tzinfo=UTC)


@pytest.fixture
def policy() -> EscalationPolicy:
    """Level 1: on call, in working hours; level 2: a team in turns, a chat; level 3: somebody without a method."""
    ana, bob, eve = user(name="Ana"), user(name="Bob"), user(name="Eve")
    for each in (ana, bob):
        oncall.contact_method(each)
    schedule = oncall.schedule(ana)
    team = Team.objects.create(name="Payments", slug="payments")
    Membership.objects.create(team=team, user=bob)
    chat = TargetDraft(EscalationTarget.Kind.CHAT, name="#incidents", address="slack://T1/B2/c3")
    in_hours = {"fact": f"working_hours.{schedule.slug}", "operator": "is", "value": True}
    return oncall.policy(
        oncall.level(schedule, condition=in_hours),
        LevelDraft(10, [TargetDraft(EscalationTarget.Kind.TEAM, team=team), chat], is_round_robin=True),
        LevelDraft(0, [person(eve)], answers_needed=0),
    )


def test_each_rung_says_after_how_long_and_whom_it_reaches(policy: EscalationPolicy) -> None:
    first, second, third = ladder(policy, NOON)
    assert [rung.after_minutes for rung in (first, second, third)] == [0, 5, 15]
    assert [each.name for foothold in first.footholds for each in foothold.people] == ["Ana"]
    assert [(foothold.name, foothold.is_told) for foothold in second.footholds] == [
        ("Payments", False),
        ("#incidents", True),
    ]
    assert (second.is_round_robin, second.is_empty) == (True, False)
    assert (third.is_empty, third.footholds[0].why_nobody) == (True, "no usable contact method")


def test_a_rung_whose_condition_does_not_hold_says_so(policy: EscalationPolicy) -> None:
    assert [rung.is_open for rung in ladder(policy, NOON)] == [True, True, True]
    assert [rung.is_open for rung in ladder(policy, NIGHT)] == [False, True, True]
    assert "working_hours" in ladder(policy, NIGHT)[0].condition


def test_a_ladder_of_ten_rungs_needs_as_many_queries_as_one_of_two() -> None:
    people = [user() for _ in range(5)]
    for each in people:
        oncall.contact_method(each)
    short = oncall.policy(*[oncall.level(oncall.schedule(each)) for each in people[:2]])
    long = oncall.policy(*[oncall.level(oncall.schedule(each)) for each in people * 2])
    counts = []
    for policy in (short, long):
        with CaptureQueriesContext(connection) as queries:
            ladder(policy, NOON)
        counts.append(len(queries))
    assert counts[0] == counts[1]
