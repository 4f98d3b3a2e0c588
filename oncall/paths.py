"""The frozen copy of a policy that an escalation walks whatever is changed later (its shape: oncall/walk.py)."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F

from accounts.models import User
from oncall.models import EscalationPolicy, EscalationTarget, Urgency
from oncall.targets import service_owner
from oncall.walk import FOR_EVER

MOST_POLICIES_IN_A_ROW = 5
MANAGERS_WAIT_SECONDS = 15 * 60
ADMINISTRATORS_WAIT_SECONDS = 10 * 60
Path = dict[str, Any]
# By hand: each alert waits for it.
LEVELS = """
SELECT level.position, level.timeout_minutes, level.condition::text, level.answers_needed, level.is_round_robin,
    target.id, COALESCE(target.kind, ''), COALESCE(target.name, ''),
    schedule.id, COALESCE(schedule.name, ''), COALESCE(schedule.time_zone, ''),
    person.id, COALESCE(person.name, ''), COALESCE(person.email, ''), team.id, COALESCE(team.name, '')
FROM oncall_escalationlevel AS level
LEFT JOIN oncall_escalationtarget AS target ON target.level_id = level.id
LEFT JOIN oncall_schedule AS schedule ON schedule.id = target.schedule_id
LEFT JOIN accounts_user AS person ON person.id = target.user_id
LEFT JOIN accounts_team AS team ON team.id = target.team_id
WHERE level.policy_id = %s ORDER BY level.position, target.id
"""


def freeze(
    policy: EscalationPolicy,
    *,
    urgency: str = Urgency.HIGH,
    facts: Mapping[str, Any] | None = None,
    takes_turn: bool = True,
) -> Path:
    """The policy as it is now, with the policies that follow it when nobody answers.

    `takes_turn` moves the policy's round robin on; without it (in a simulation) nothing is written.
    """
    levels: list[dict[str, Any]] = []
    stages: list[dict[str, int]] = []
    current: EscalationPolicy | None = policy
    seen: list[EscalationPolicy] = []
    zone, asks_owner = "", False
    while current is not None and current not in seen and len(seen) < MOST_POLICIES_IN_A_ROW:
        seen.append(current)
        rows = _rows(current)
        zone = zone or _zone(rows)
        asks_owner |= any(row.kind == EscalationTarget.Kind.SERVICE_OWNER for row in rows)
        own = _frozen_levels(rows, facts or {})
        _add_stage(levels, stages, own, current.repeats)
        current = current.next_policy if current.on_exhausted == EscalationPolicy.Exhausted.POLICY else None
    last = seen[-1]
    if last.on_exhausted == EscalationPolicy.Exhausted.MANAGERS:
        team = {"id": last.team_id, "name": f"managers of {last.team}" if last.team_id else "managers"}
        _add_stage(levels, stages, [_role_level({"type": "managers", **team}, MANAGERS_WAIT_SECONDS)], 0)
    elif last.on_exhausted == EscalationPolicy.Exhausted.ADMINISTRATORS:
        target = {"type": "administrators", "id": None, "name": "administrators"}
        _add_stage(levels, stages, [_role_level(target, ADMINISTRATORS_WAIT_SECONDS)], FOR_EVER)
    return {
        "policy": policy.name,
        "urgency": str(urgency),
        "zone": zone or "UTC",
        "turn": _turn(policy, levels) if takes_turn else policy.turn,
        "levels": levels,
        "stages": stages,
        "acknowledgement_seconds": _seconds(policy.acknowledgement_timeout_minutes),
        "auto_resolve_seconds": _seconds(policy.auto_resolve_minutes),
        # Whether others that start by the same policy at the same time may have the very same path.
        "is_shared": not any(level["is_round_robin"] for level in levels) and not asks_owner,
        "digest": urgency == Urgency.LOW and policy.low_urgency == EscalationPolicy.LowUrgency.DIGEST,
    }


def path_to_user(user_id: int, name: str, old: Path) -> Path:
    """A path to one person, for an escalation that is handed to them; what is not about people stays as it was."""
    target = {"type": "user", "id": user_id, "name": name}
    return {**old, "levels": [_role_level(target, 300)], "stages": [{"first": 0, "count": 1, "repeats": 2}]}


def path_of_person(user: User, urgency: str) -> Path:
    """A path that begins and ends with one person, whom somebody pages by hand."""
    rest: Path = {
        "policy": user.display_name,
        "urgency": str(urgency),
        "zone": user.time_zone,
        "turn": 0,
        "acknowledgement_seconds": None,
        "auto_resolve_seconds": None,
        "is_shared": False,
        "digest": False,
    }
    return path_to_user(user.pk, user.display_name, rest)


class _Row(NamedTuple):
    """A level with one of its targets, or with none."""

    position: int
    timeout_minutes: int
    condition: str
    answers_needed: int
    is_round_robin: bool
    target_id: int | None
    kind: str
    name: str
    schedule_id: int | None
    schedule: str
    time_zone: str
    user_id: int | None
    user: str
    email: str
    team_id: int | None
    team: str


def _rows(policy: EscalationPolicy) -> list[_Row]:
    """What stands in a policy, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(LEVELS, [policy.pk])
        return [_Row(*row) for row in cursor.fetchall()]


def _frozen_levels(rows: Sequence[_Row], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_frozen_level(list(own), facts) for _position, own in groupby(rows, key=lambda row: row.position)]


def _frozen_level(rows: Sequence[_Row], facts: Mapping[str, Any]) -> dict[str, Any]:
    level = rows[0]
    return {
        "timeout_seconds": level.timeout_minutes * 60,
        "condition": json.loads(level.condition),
        "answers_needed": level.answers_needed,
        "is_round_robin": level.is_round_robin,
        "targets": [_frozen_target(row, facts) for row in rows if row.target_id is not None],
    }


def _frozen_target(row: _Row, facts: Mapping[str, Any]) -> dict[str, Any]:
    """One target of a path. Addresses and secrets stay behind: chats and webhooks are looked up when they are told."""
    if row.kind == EscalationTarget.Kind.SERVICE_OWNER:
        team = service_owner(facts)
        if team is None:
            return {"type": "service_owner", "id": None, "name": "owner of the service"}
        return {"type": "team", "id": team.pk, "name": f"{team.name}, who own the service"}
    ids = {"schedule": row.schedule_id, "user": row.user_id, "team": row.team_id}
    name = row.schedule or row.user or row.email.partition("@")[0] or row.team or row.name
    return {
        "type": row.kind,
        "id": ids.get(row.kind, row.target_id),
        "name": name or str(EscalationTarget.Kind(row.kind).label),
    }


def _role_level(target: dict[str, Any], wait_seconds: int) -> dict[str, Any]:
    return {
        "timeout_seconds": wait_seconds,
        "condition": {},
        "answers_needed": 1,
        "is_round_robin": False,
        "targets": [target],
    }


def _add_stage(
    levels: list[dict[str, Any]], stages: list[dict[str, int]], more: list[dict[str, Any]], repeats: int
) -> None:
    stages.append({"first": len(levels), "count": len(more), "repeats": repeats})
    levels += more


def _zone(rows: Sequence[_Row]) -> str:
    """The zone of the clock that conditions read: of the first schedule that is paged."""
    return next((row.time_zone for row in rows if row.time_zone), "")


def _turn(policy: EscalationPolicy, levels: list[dict[str, Any]]) -> int:
    """Whose turn it is where a level takes one person after the other; only then is the policy's row written."""
    if not any(level["is_round_robin"] for level in levels):
        return 0
    EscalationPolicy.objects.filter(pk=policy.pk).update(turn=F("turn") + 1)
    return EscalationPolicy.objects.values_list("turn", flat=True).get(pk=policy.pk) - 1


def _seconds(minutes: int | None) -> int | None:
    return minutes * 60 if minutes else None
