"""Overrides: somebody in for everybody, or for one person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from oncall import scheduling
from oncall.models import Override, Schedule
from oncall.roster import on_call_at
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_a_responder_covers_for_another_and_gives_it_back(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana)
    cover = Actor.of_user(bob, via="web")
    override = scheduling.add_override(
        actor=cover, schedule=schedule, user=bob, starts_at=now - HOUR, ends_at=now + 8 * HOUR, now=now
    )
    assert on_call_at(now) == {schedule.pk: [bob]}
    scheduling.remove_override(actor=cover, override=override, now=now)
    override.refresh_from_db()
    assert override.ends_at == now
    assert on_call_at(now) == {schedule.pk: [ana]}
    assert on_call_at(now - HOUR / 2) == {schedule.pk: [bob]}


def test_an_override_that_has_not_begun_is_removed_without_a_trace(now: datetime) -> None:
    bob = user()
    cover = Actor.of_user(bob, via="web")
    override = scheduling.add_override(
        actor=cover, schedule=oncall.schedule(bob), user=bob, starts_at=now + HOUR, ends_at=now + 2 * HOUR, now=now
    )
    scheduling.remove_override(actor=cover, override=override, now=now)
    assert not Override.objects.exists()


@pytest.mark.parametrize(("starts", "ends"), [(2, 1), (1, 1), (-3, -1)])
def test_an_override_needs_an_end_in_the_future_after_its_start(now: datetime, starts: int, ends: int) -> None:
    with pytest.raises(Invalid) as refused:
        scheduling.add_override(
            actor=actor(),
            schedule=oncall.schedule(),
            user=user(),
            starts_at=now + starts * HOUR,
            ends_at=now + ends * HOUR,
            now=now,
        )
    assert refused.value.field == "ends_at"


def test_the_past_of_a_schedule_stays_as_it_was(now: datetime) -> None:
    override = Override.objects.create(
        schedule=oncall.schedule(), user=user(), starts_at=now - 2 * HOUR, ends_at=now - HOUR
    )
    with pytest.raises(Conflict):
        scheduling.remove_override(actor=oncall.SYSTEM, override=override, now=now)


def test_viewers_may_not_cover_and_nobody_removes_the_cover_of_others(now: datetime) -> None:
    schedule, bob = oncall.schedule(), user()
    times: dict[str, Any] = {"starts_at": now, "ends_at": now + HOUR, "now": now}
    with pytest.raises(NotAllowed):
        scheduling.add_override(actor=actor(Role.VIEWER), schedule=schedule, user=bob, **times)
    override = scheduling.add_override(actor=Actor.of_user(bob, via="web"), schedule=schedule, user=bob, **times)
    with pytest.raises(NotAllowed):
        scheduling.remove_override(actor=actor(), override=override, now=now)


def replace(schedule: Schedule, user: User, replaces: User, now: datetime, *, hours: int = 8) -> Override:
    """The user on call instead of the other from now on."""
    return scheduling.add_override(
        actor=actor(),
        schedule=schedule,
        user=user,
        replaces=replaces,
        starts_at=now,
        ends_at=now + hours * HOUR,
        now=now,
    )


@pytest.mark.parametrize("way", ["two at once in one rotation", "two rotations of one layer", "an override before"])
def test_nobody_replaces_whom_they_are_on_call_beside_for_that_would_leave_one_fewer(now: datetime, way: str) -> None:
    ana, bob, kim = user(name="Ana"), user(name="Bob"), user(name="Kim")
    if way == "two at once in one rotation":
        schedule = oncall.schedule(rotations=[oncall.rotation(ana, bob, people_at_once=2)])
    elif way == "two rotations of one layer":
        schedule = oncall.schedule(rotations=[oncall.rotation(ana, name="First"), oncall.rotation(bob, name="Second")])
    else:
        schedule = oncall.schedule(rotations=[oncall.rotation(ana, kim, people_at_once=2)])
        replace(schedule, bob, kim, now, hours=2)
    with pytest.raises(Invalid, match=r"Bob is on call beside Ana then .Sat 14 Mar 09:26 ") as refused:
        replace(schedule, bob, ana, now)
    assert refused.value.field == "user"
    assert "somebody who is not on call then" in (refused.value.remedy or "")
    assert len(on_call_at(now)[schedule.pk]) == 2
    replace(schedule, user(name="Eve"), ana, now)
    assert len(on_call_at(now)[schedule.pk]) == 2


def test_somebody_replaces_another_across_the_handover_between_the_two(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    # Bob has this week, Ana the next: in his own week nothing is replaced.
    schedule = oncall.schedule(ana, bob)
    override = replace(schedule, bob, ana, now, hours=7 * 24)
    assert on_call_at(now)[schedule.pk] == on_call_at(now + 4 * 24 * HOUR)[schedule.pk] == [bob]
    assert replace(schedule, bob, ana, now, hours=7 * 24) == override


def test_whoever_is_on_call_with_others_may_be_put_on_call_alone(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(rotations=[oncall.rotation(ana, bob, people_at_once=2)])
    times: dict[str, Any] = {"starts_at": now, "ends_at": now + HOUR, "now": now}
    scheduling.add_override(actor=actor(), schedule=schedule, user=bob, **times)
    assert on_call_at(now)[schedule.pk] == [bob]


def test_who_is_on_call_is_read_in_five_queries_however_many_schedules(now: datetime) -> None:
    for _ in range(12):
        oncall.schedule(user(), user())
    with CaptureQueriesContext(connection) as captured:
        assert len(on_call_at(now)) == 12
    assert len(captured) <= 5
