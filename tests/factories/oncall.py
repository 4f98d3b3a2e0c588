"""Schedules, policies, contact methods and escalations to test with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import start_escalation
from oncall.configuration import LevelDraft, RotationDraft, save_policy, save_schedule
from oncall.models import ContactMethod, Escalation, EscalationPolicy, Schedule

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
    return RotationDraft(members=members, **{**defaults, **fields})


def schedule(*members: User, time_zone: str = "UTC", rotations: Sequence[RotationDraft] | None = None) -> Schedule:
    """A schedule of one weekly rotation of these people."""
    number = next(numbers)
    drafts = rotations if rotations is not None else ([rotation(*members)] if members else [])
    return save_schedule(
        actor=SYSTEM, name=f"Schedule {number}", slug=f"schedule-{number}", time_zone=time_zone, rotations=drafts
    )


def policy(*levels: LevelDraft, repeats: int = 0) -> EscalationPolicy:
    """A policy of these levels."""
    number = next(numbers)
    return save_policy(actor=SYSTEM, name=f"Policy {number}", slug=f"policy-{number}", levels=levels, repeats=repeats)


def level(*targets: User | Schedule, minutes: int = 5) -> LevelDraft:
    """A level that pages these people and schedules."""
    return LevelDraft(
        timeout_minutes=minutes,
        schedules=[target for target in targets if isinstance(target, Schedule)],
        users=[target for target in targets if isinstance(target, User)],
    )


def escalation(*levels: LevelDraft, now: datetime, repeats: int = 0, **fields: Any) -> Escalation:
    """An escalation that has just started along a policy of these levels."""
    return start_escalation(
        actor=SYSTEM,
        policy=policy(*levels, repeats=repeats),
        now=now,
        **{"title": "Payment API returning 500 errors", **fields},
    )
