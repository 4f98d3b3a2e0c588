"""A policy as a ladder: each rung with whom it would page right now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import User
from events.conditions import holds, in_words
from oncall.models import EscalationPolicy, EscalationTarget
from oncall.paths import freeze
from oncall.reach import Reach
from oncall.walk import TELLS, clock_facts


@dataclass(frozen=True)
class Foothold:
    """A target of a level and who that is right now; `why_nobody` when nobody behind it can be reached."""

    kind: str
    name: str
    schedule_slug: str
    people: list[User]
    why_nobody: str

    @property
    def is_told(self) -> bool:
        """Whether it is told and not asked."""
        return self.kind in TELLS


@dataclass(frozen=True)
class Rung:
    """A level of a policy: after how many minutes it is paged, on which condition, and whom it reaches now."""

    number: int
    after_minutes: int
    wait_minutes: int
    footholds: list[Foothold] = field(default_factory=list)
    condition: str = ""
    is_open: bool = True
    answers_needed: int = 1
    is_round_robin: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody would be paged or told: the level would be skipped at once."""
        return not any(foothold.people or foothold.is_told for foothold in self.footholds)


def ladder(policy: EscalationPolicy, now: datetime) -> list[Rung]:
    """The policy's own levels with whom each of them would page at `now`; a constant number of queries."""
    path = freeze(policy, takes_turn=False)
    count = path["stages"][0]["count"]
    reach = Reach.of([path], now, now)
    roster = reach.at(now)
    facts = {**clock_facts(path, now), "working_hours": roster.working_hours()}
    users = User.objects.in_bulk(list(reach.people))
    slugs = dict(
        EscalationTarget.objects.filter(level__policy=policy, schedule__isnull=False).values_list(
            "schedule_id", "schedule__slug"
        )
    )
    rungs, after = [], 0
    for number, level in enumerate(path["levels"][:count], 1):
        footholds = []
        for target in level["targets"]:
            ids, why = roster.reach(target) if target["type"] not in TELLS else ((), "")
            reached = [users[user_id] for user_id in ids if roster.person(user_id).methods]
            if ids and not reached:
                why = "no usable contact method"
            footholds.append(Foothold(target["type"], target["name"], _slug(target, slugs), reached, why))
        wait = level["timeout_seconds"] // 60
        condition = level["condition"]
        rungs.append(
            Rung(
                number=number,
                after_minutes=after,
                wait_minutes=wait,
                footholds=footholds,
                condition=in_words(condition) if condition else "",
                is_open=not condition or holds(condition, facts),
                answers_needed=level["answers_needed"],
                is_round_robin=level["is_round_robin"],
            )
        )
        after += wait
    return rungs


def _slug(target: Mapping[str, Any], slugs: Mapping[int, str]) -> str:
    return slugs.get(target["id"], "") if target["type"] == "schedule" else ""


def on_call_now(policies: Iterable[EscalationPolicy], now: datetime) -> dict[int, list[User]]:
    """Whom each of these policies would page first at `now`, by its id: the people of its first level that has any.

    Everything but the policies' own levels is read once for all of them.
    """
    paths = {policy.pk: freeze(policy, takes_turn=False) for policy in policies}
    if not paths:
        return {}
    reach = Reach.of(paths.values(), now, now)
    roster = reach.at(now)
    first: dict[int, list[int]] = {}
    for pk, path in paths.items():
        levels = path["levels"][: path["stages"][0]["count"]]
        asked = [[target for target in level["targets"] if target["type"] not in TELLS] for level in levels]
        reached = ([user_id for target in targets for user_id in roster.reach(target)[0]] for targets in asked)
        first[pk] = next((list(dict.fromkeys(ids)) for ids in reached if ids), [])
    users = User.objects.in_bulk({user_id for ids in first.values() for user_id in ids})
    return {pk: [users[user_id] for user_id in ids if user_id in users] for pk, ids in first.items()}
