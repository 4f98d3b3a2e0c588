"""Policies for tests of the engine, row by row: every kind of level and target, and what follows exhaustion."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from accounts.models import Team, User
from oncall.actions import start_escalation
from oncall.engine import tick
from oncall.models import (
    ContactMethod,
    Escalation,
    EscalationLevel,
    EscalationPolicy,
    EscalationTarget,
    NotificationRule,
    Schedule,
)
from tests.factories import oncall
from tests.factories.accounts import user

numbers = count(1)
MINUTE = timedelta(minutes=1)
# A Tuesday noon; schedules hand over on Mondays at 09:00.
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
Kind = EscalationTarget.Kind
Rung = Callable[[EscalationPolicy, int], None]


def reachable(name: str = "Ana", **fields: Any) -> User:
    """Somebody with one usable contact method, their mail."""
    person = user(name=name, **fields)
    oncall.contact_method(person)
    return person


def rung(*targets: User | Schedule | Team | dict[str, Any], minutes: int = 5, **fields: Any) -> Rung:
    """A level; a target is a person, a schedule, a team or the fields of any other."""

    def make(policy: EscalationPolicy, position: int) -> None:
        level = EscalationLevel.objects.create(policy=policy, position=position, timeout_minutes=minutes, **fields)
        for target in targets:
            EscalationTarget.objects.create(level=level, **_fields(target))

    return make


def _fields(target: User | Schedule | Team | dict[str, Any]) -> dict[str, Any]:
    if isinstance(target, User):
        return {"kind": Kind.USER, "user": target}
    if isinstance(target, Schedule):
        return {"kind": Kind.SCHEDULE, "schedule": target}
    if isinstance(target, Team):
        return {"kind": Kind.TEAM, "team": target}
    return target


def ladder(*rungs: Rung, **fields: Any) -> EscalationPolicy:
    """A policy of these levels."""
    number = next(numbers)
    policy = EscalationPolicy.objects.create(**{"name": f"Ladder {number}", "slug": f"ladder-{number}", **fields})
    for position, make in enumerate(rungs):
        make(policy, position)
    return policy


def running(policy: EscalationPolicy, now: datetime = NOON, **fields: Any) -> Escalation:
    """An escalation along the policy that has taken its first step."""
    escalation = started(policy, now, **fields)
    tick(now)
    escalation.refresh_from_db()
    return escalation


def started(policy: EscalationPolicy, now: datetime = NOON, **fields: Any) -> Escalation:
    """An escalation along the policy that nobody has looked at yet."""
    return start_escalation(
        actor=oncall.SYSTEM, policy=policy, now=now, **{"title": "Payment API returning 500 errors", **fields}
    )


def paged(escalation: Escalation) -> list[tuple[int, str]]:
    """Who was paged at which level (counted from 1), in order, each once a level, round and run."""
    rows = escalation.pages.order_by("id").values_list("run", "round", "level", "user__name")
    return [(level + 1, name) for _run, _round, level, name in dict.fromkeys(rows)]


def ledger(escalation: Escalation) -> list[str]:
    """What the ledger says."""
    return list(escalation.entries.order_by("number").values_list("text", flat=True))


def rule(person: User, minutes: int, method: ContactMethod, *, urgency: str = "high") -> NotificationRule:
    """One more step of how somebody wants to be paged."""
    position = NotificationRule.objects.filter(user=person, urgency=urgency).count()
    return NotificationRule.objects.create(
        user=person, urgency=urgency, position=position, delay_minutes=minutes, contact_method=method
    )
