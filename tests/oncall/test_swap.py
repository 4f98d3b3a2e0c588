"""Swaps: two turns change hands, follow their shifts, and can be given back."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from oncall import scheduling, swaps
from oncall.models import Schedule, Substitution
from oncall.roster import on_call_at
from oncall.rotations import draft_of
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)
# Ana has the weeks from 5 January on by turns with Bob: hers begin on 16 March, his on 23 March.
ANAS, BOBS = datetime(2026, 3, 17, 12, tzinfo=UTC), datetime(2026, 3, 25, 12, tzinfo=UTC)


@pytest.fixture
def ana() -> User:
    return user(name="Ana")


@pytest.fixture
def bob() -> User:
    return user(name="Bob")


@pytest.fixture
def schedule(ana: User, bob: User) -> Schedule:
    return oncall.schedule(ana, bob)


def swap(schedule: Schedule, ana: User, bob: User, now: datetime, **fields: Any) -> list[Substitution]:
    given: dict[str, Any] = {"actor": Actor.of_user(ana, via="web"), "at": ANAS, "other_at": BOBS, **fields}
    return swaps.swap_turns(schedule=schedule, user=ana, other=bob, now=now, **given)


def test_two_turns_change_hands_and_back(schedule: Schedule, ana: User, bob: User, now: datetime) -> None:
    assert [on_call_at(at)[schedule.pk] for at in (ANAS, BOBS)] == [[ana], [bob]]
    halves = swap(schedule, ana, bob, now)
    assert [on_call_at(at)[schedule.pk] for at in (ANAS, BOBS, ANAS + 2 * WEEK)] == [[bob], [ana], [ana]]
    [name] = {half.swap for half in halves}
    assert name is not None
    with pytest.raises(NotAllowed):
        swaps.undo_swap(actor=actor(), schedule=schedule, swap=name, now=now)
    for _ in range(2):
        swaps.undo_swap(actor=Actor.of_user(bob, via="web"), schedule=schedule, swap=name, now=now)
    assert [on_call_at(at)[schedule.pk] for at in (ANAS, BOBS)] == [[ana], [bob]]


def test_turns_are_not_swapped_when_both_are_on_call_then_by_another_rotation(
    ana: User, bob: User, now: datetime
) -> None:
    both = [oncall.rotation(ana, bob, name="First"), oncall.rotation(bob, name="Second")]
    schedule = oncall.schedule(rotations=both)
    with pytest.raises(Invalid, match="Bob is on call beside Ana then") as refused:
        swap(schedule, ana, bob, now)
    assert refused.value.field == "other"
    assert not Substitution.objects.exists()


def test_a_swap_follows_the_turn_when_the_handover_moves(
    schedule: Schedule, ana: User, bob: User, now: datetime
) -> None:
    swap(schedule, ana, bob, now)
    rotation = schedule.rotations.get()
    moved = replace(draft_of(rotation), handovers=[(2, time(18))])
    scheduling.save_schedule(
        actor=oncall.SYSTEM,
        schedule=schedule,
        name=schedule.name,
        slug=schedule.slug,
        time_zone="UTC",
        rotations=[moved],
        now=now,
        effective_from=now,
        confirm=True,
    )
    begins = datetime(2026, 3, 18, 18, tzinfo=UTC)
    before, after = on_call_at(begins - timedelta(minutes=1)), on_call_at(begins)
    assert before[schedule.pk] != after[schedule.pk]
    assert on_call_at(begins + WEEK - timedelta(minutes=1)) == after


def test_a_turn_that_has_begun_is_not_swapped_nor_given_back(
    schedule: Schedule, ana: User, bob: User, now: datetime
) -> None:
    begun = datetime(2026, 3, 16, 9, tzinfo=UTC)
    with pytest.raises(Invalid) as refused:
        swap(schedule, ana, bob, begun)
    assert refused.value.field == "at"
    [half, _other] = swap(schedule, ana, bob, now)
    assert half.swap is not None
    with pytest.raises(Conflict):
        swaps.undo_swap(actor=oncall.SYSTEM, schedule=schedule, swap=half.swap, now=begun)
    assert Substitution.objects.count() == 2


def test_a_swap_needs_a_turn_of_each(schedule: Schedule, ana: User, bob: User, now: datetime) -> None:
    wrong: list[tuple[User, dict[str, Any], str]] = [
        (bob, {"at": BOBS}, "at"),
        (bob, {"other_at": ANAS}, "other_at"),
        (ana, {}, "other"),
        (user(is_active=False), {}, "other"),
    ]
    for other, fields, field in wrong:
        with pytest.raises(Invalid) as refused:
            swap(schedule, ana, other, now, **fields)
        assert refused.value.field == field


def test_people_who_are_on_duty_together_do_not_swap_that_turn(now: datetime, ana: User, bob: User) -> None:
    both = replace(oncall.rotation(ana, bob, user()), people_at_once=2)
    schedule = oncall.schedule(rotations=[both])
    at = next(
        at for at in (now + number * WEEK for number in range(1, 5)) if set(on_call_at(at)[schedule.pk]) == {ana, bob}
    )
    with pytest.raises(Invalid) as refused:
        swap(schedule, ana, bob, now, at=at, other_at=at)
    assert refused.value.field == "other"


def test_strangers_and_viewers_swap_nothing(schedule: Schedule, ana: User, bob: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        swap(schedule, ana, bob, now, actor=actor())
    swap(schedule, ana, bob, now, actor=actor(Role.MANAGER))
