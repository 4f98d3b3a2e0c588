"""Overrides: somebody in for everybody, or for one person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from oncall import scheduling
from oncall.models import Override
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


def test_who_is_on_call_is_read_in_five_queries_however_many_schedules(now: datetime) -> None:
    for _ in range(12):
        oncall.schedule(user(), user())
    with CaptureQueriesContext(connection) as captured:
        assert len(on_call_at(now)) == 12
    assert len(captured) <= 5
