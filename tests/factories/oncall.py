"""Schedules, policies, contact methods and escalations to test with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import start_escalation
from oncall.models import ContactMethod, Escalation, EscalationPolicy, Schedule
from oncall.policies import LevelDraft, on_call, person, save_policy
from oncall.rotations import RotationDraft
from oncall.scheduling import save_schedule

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM = Actor.system(via="command")
numbers = count(1)


def contact_method(user: User, kind: str = ContactMethod.Kind.EMAIL, **fields: Any) -> ContactMethod:
    """A usable contact method: the person's own e-mail address unless `kind` says otherwise."""
    if kind == ContactMethod.Kind.EMAIL:
        fields.setdefault("address", user.email)
    return ContactMethod.objects.create(user=user, kind=kind, **{"verified_at": LONG_AGO, **fields})


def rotation(*members: User, **fields: Any) -> RotationDraft:
    """A weekly rotation that hands over on Mondays at 09:00 since January 2026."""
    defaults: dict[str, Any] = {
        "name": "Weekly",
        "handovers": [(fields.pop("handover_weekday", 0), fields.pop("handover_time", time(9)))],
        "starts_on": date(2026, 1, 5),
    }
    return RotationDraft(members=list(members), **{**defaults, **fields})


def schedule(
    *members: User, time_zone: str = "UTC", rotations: Sequence[RotationDraft] | None = None, **fields: Any
) -> Schedule:
    """A schedule of one weekly rotation of these people."""
    number = next(numbers)
    drafts = rotations if rotations is not None else ([rotation(*members)] if members else [])
    named = {"name": f"Schedule {number}", "slug": f"schedule-{number}", **fields}
    return save_schedule(actor=SYSTEM, time_zone=time_zone, rotations=drafts, now=LONG_AGO, **named)


def policy(*levels: LevelDraft, **fields: Any) -> EscalationPolicy:
    """A policy of these levels."""
    number = next(numbers)
    return save_policy(
        actor=SYSTEM, name=f"Policy {number}", slug=f"policy-{number}", levels=levels, now=LONG_AGO, **fields
    )


def level(*targets: User | Schedule, minutes: int = 5, **fields: Any) -> LevelDraft:
    """A level that pages these people and schedules."""
    drafts = [on_call(target) if isinstance(target, Schedule) else person(target) for target in targets]
    return LevelDraft(minutes, drafts, **fields)


def escalation(*levels: LevelDraft, now: datetime, repeats: int = 0, **fields: Any) -> Escalation:
    """An escalation that has just started along a policy of these levels."""
    return start_escalation(
        actor=SYSTEM,
        policy=policy(*levels, repeats=repeats),
        now=now,
        **{"title": "Payment API returning 500 errors", **fields},
    )
