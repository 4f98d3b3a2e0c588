"""Whom senders name: people, teams, escalation policies and schedules, by what they are called or by their number."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import Team, User
from oncall.models import EscalationPolicy, Schedule
from oncall.paths import freeze
from oncall.reach import Reach

Recipient = User | Team | EscalationPolicy | Schedule
# What is asked for by text is asked for by its number only if it can be one.
MOST_DIGITS = 18
ROWS: dict[str, Any] = {"team": Team, "escalation": EscalationPolicy, "schedule": Schedule}


def find_recipient(called: Mapping[str, str]) -> Recipient | None:
    """Whoever has this `type` (user, team, escalation, schedule) and goes by this `id`, `name` or `username`.

    A slug or address counts before a name, a name before a number; who has left is not found.
    """
    for text in (called.get(each, "") for each in ("username", "name", "id")):
        found = _find(called.get("type", ""), text) if text else None
        if found is not None:
            return found
    return None


def _find(kind: str, text: str) -> Recipient | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0
    if kind == "user":
        people = User.objects.filter(is_active=True).order_by("pk")
        return people.filter(email__iexact=text).first() or people.filter(Q(name__iexact=text) | Q(pk=number)).first()
    rows = ROWS.get(kind)
    if rows is None:
        return None
    asked = Q(slug__iexact=text) | Q(name__iexact=text) | Q(pk=number)
    known: list[Team | EscalationPolicy | Schedule] = list(rows._default_manager.filter(asked))
    return min(known, key=lambda each: _rank(each, text), default=None)


def _rank(row: Recipient, text: str) -> tuple[int, int]:
    names = [str(getattr(row, each, "")).casefold() for each in ("slug", "name")]
    return (names.index(text.casefold()) if text.casefold() in names else len(names), row.pk)


def called(recipient: Recipient) -> str:
    """What people call it."""
    return recipient.display_name if isinstance(recipient, User) else recipient.name


def policy_of(recipient: Recipient) -> EscalationPolicy | None:
    """The policy by which it is paged: itself, or the team's, of several the first by name."""
    if isinstance(recipient, EscalationPolicy):
        return recipient
    if isinstance(recipient, Team):
        return recipient.escalation_policies.order_by("name").first()
    return None


def people_of(recipient: Recipient, now: datetime) -> list[User]:
    """Who is to be asked now: the person, who is on call, or whom the first level of its policy pages."""
    targets = _targets(recipient)
    roster = Reach.of([{"levels": [{"targets": targets}]}], now, now).at(now)
    user_ids = dict.fromkeys(user_id for target in targets for user_id in roster.reach(target)[0])
    people = User.objects.in_bulk(list(user_ids))
    return [people[user_id] for user_id in user_ids]


def _targets(recipient: Recipient) -> list[dict[str, object]]:
    policy = policy_of(recipient)
    if policy is not None:
        levels = freeze(policy, takes_turn=False)["levels"]
        return list(levels[0]["targets"]) if levels else []
    kind = {User: "user", Team: "team", Schedule: "schedule"}[type(recipient)]
    return [{"type": kind, "id": recipient.pk, "name": called(recipient)}]
