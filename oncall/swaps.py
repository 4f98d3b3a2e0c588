"""Swaps: two people exchange two turns. A swap belongs to the turns, so it follows them when handovers move."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.models import Schedule, Substitution
from oncall.roster import schedule_specs
from oncall.rota import RotationSpec, ScheduleSpec, mid_turn
from oncall.scheduling import check_not_beside
from oncall.turns import Turns, crew_at

# More turns than this nobody looks through.
MOST_TURNS = 300


@dataclass(frozen=True)
class Half:
    """One turn of a swap: in the turn of the rotation that holds `anchor`, which `begin`s and `ends` then."""

    series: str
    anchor: datetime
    begin: datetime
    end: datetime
    crew: tuple[int, ...]


@transaction.atomic
def swap_turns(
    *,
    actor: Actor,
    schedule: Schedule,
    user: User,
    at: datetime,
    other: User,
    other_at: datetime,
    now: datetime,
    reason: str = "",
) -> list[Substitution]:
    """The user's turn that holds `at` goes to the other, whose turn that holds `other_at` goes to the user.

    Returns both halves. Turns that have begun can't be swapped: the past stays as it was. Nor can turns in which both
    are on call, in whichever rotations: that would leave one fewer.
    """
    require(permissions.can_swap(actor, {user.pk, other.pk}), "You may only swap your own turns.")
    if user == other:
        raise Invalid("Two different people swap.", field="other", remedy="Choose somebody else.")
    for person in (user, other):
        if not person.is_active:
            raise Invalid(f"{person} is no longer active.", field="other", remedy="Choose somebody else.")
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    spec = schedule_specs(min(at, other_at), max(at, other_at), {schedule.pk})[schedule.pk]
    given = _coming_turn(spec, user, at, now, field="at")
    taken = _coming_turn(spec, other, other_at, now, field="other_at")
    if other.pk in given.crew or user.pk in taken.crew:
        raise Invalid("They are on duty together in one of these turns.", field="other", remedy="Choose other turns.")
    for half, going, coming in ((given, user, other), (taken, other, user)):
        try:
            check_not_beside(schedule, coming, going, half.begin, half.end)
        except Invalid as error:
            raise Invalid(error.message, field="other", remedy="Choose other turns.") from error
    swap = uuid.uuid4()
    halves = Substitution.objects.bulk_create(
        Substitution(
            schedule=schedule,
            series=half.series,
            anchor=half.anchor,
            going=going,
            coming=coming,
            swap=swap,
            reason=reason.strip()[:200],
            created_by_id=actor.user_id,
        )
        for half, going, coming in ((given, user, other), (taken, other, user))
    )
    data = {"swap": str(swap), "users": [user.pk, other.pk]}
    data["turns"] = [given.begin.isoformat(), taken.begin.isoformat()]
    publish("schedule.swapped", subject=schedule, actor=actor, data=data)
    return halves


def _coming_turn(spec: ScheduleSpec, user: User, at: datetime, now: datetime, *, field: str) -> Half:
    half = turn_of(spec, user.pk, at)
    if half is None:
        raise Invalid(f"{user} has no turn then.", field=field, remedy="Choose a time within a turn of theirs.")
    if half.begin <= now:
        raise Invalid(f"{user}'s turn has begun.", field=field, remedy="Ask for cover of what is left of it instead.")
    return half


def turn_of(spec: ScheduleSpec, user_id: int, at: datetime) -> Half | None:
    """The turn of the highest layer in which the person is on duty at the instant."""
    found = [each for each in spec.rotations if user_id in crew_at(each, spec.zone, at)]
    return _half(max(found, key=lambda each: each.layer), spec, at) if found else None


def _half(rotation: RotationSpec, spec: ScheduleSpec, at: datetime) -> Half:
    turns = Turns(rotation, spec.zone)
    turn = turns.at(at)
    return Half(
        rotation.series, mid_turn(rotation, spec.zone, at), turns.begin(turn), turns.begin(turn + 1), turns.crew(turn)
    )


@transaction.atomic
def undo_swap(*, actor: Actor, schedule: Schedule, swap: uuid.UUID, now: datetime) -> None:
    """Gives both turns back, unless one of them has begun. Undoing again changes nothing."""
    halves = list(Substitution.objects.select_for_update().filter(schedule=schedule, swap=swap))
    if not halves:
        return
    user_ids = {user_id for half in halves for user_id in (half.going_id, half.coming_id)}
    require(permissions.can_swap(actor, user_ids), "This swap is not yours.")
    anchors = [half.anchor for half in halves]
    spec = schedule_specs(min(anchors), max(anchors), {schedule.pk})[schedule.pk]
    for half in halves:
        rotation = next((each for each in spec.rotations if each.series == str(half.series)), None)
        if rotation is not None and _half(rotation, spec, half.anchor).begin <= now:
            raise Conflict("One of these turns has begun.", remedy="Ask for cover of what is left instead.")
    Substitution.objects.filter(pk__in=[half.pk for half in halves]).delete()
    data = {"swap": str(swap), "users": sorted(user_ids)}
    publish("schedule.swap_undone", subject=schedule, actor=actor, data=data)


def coming_turns(spec: ScheduleSpec, now: datetime, horizon: timedelta) -> list[tuple[int, Half]]:
    """The turns that begin within the horizon, each once for everybody who is on duty in it (their id first)."""
    found: list[tuple[int, Half]] = []
    for rotation in spec.rotations:
        if not rotation.members:
            continue
        turns = Turns(rotation, spec.zone)
        turn = max(turns.at(now) + 1, 0)
        while turns.begin(turn) < now + horizon and len(found) < MOST_TURNS:
            half = _half(rotation, spec, turns.begin(turn))
            if _holds(rotation, half):
                found += [(user_id, half) for user_id in half.crew]
            turn += 1
    return sorted(found, key=lambda each: each[1].begin)


def _holds(rotation: RotationSpec, half: Half) -> bool:
    """Whether the version of the rotation holds in the middle of the turn, where a substitution is anchored."""
    since, until = rotation.effective_from, rotation.effective_until
    return (since is None or since <= half.anchor) and (until is None or half.anchor < until)
