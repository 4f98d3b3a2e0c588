"""Leave, which changes nobody's duty, and shadows, who are never paged."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from oncall import absences
from oncall.models import Leave, Shadow
from oncall.roster import on_call_at, schedule_specs
from oncall.rota import shadows_at
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_leave_is_entered_once_and_changes_nobodys_duty(now: datetime) -> None:
    ana = user()
    schedule, mine = oncall.schedule(ana), Actor.of_user(ana, via="web")
    for _ in range(2):
        leave = absences.add_leave(actor=mine, user=ana, starts_at=now, ends_at=now + 48 * HOUR, now=now, reason="Sea")
    assert Leave.objects.get() == leave
    assert on_call_at(now)[schedule.pk] == [ana]
    absences.remove_leave(actor=mine, leave=leave)
    assert not Leave.objects.exists()


def test_managers_enter_anybodys_leave_and_colleagues_only_their_own(now: datetime) -> None:
    ana = user()
    with pytest.raises(NotAllowed):
        absences.add_leave(actor=actor(), user=ana, starts_at=now, ends_at=now + HOUR, now=now)
    leave = absences.add_leave(actor=actor(Role.MANAGER), user=ana, starts_at=now, ends_at=now + HOUR, now=now)
    with pytest.raises(NotAllowed):
        absences.remove_leave(actor=actor(), leave=leave)
    with pytest.raises(Invalid):
        absences.add_leave(actor=oncall.SYSTEM, user=ana, starts_at=now, ends_at=now, now=now)


def test_a_shadow_is_told_and_never_on_call(now: datetime) -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana)
    mine = Actor.of_user(bob, via="web")
    given = {"schedule": schedule, "user": bob, "starts_at": now - HOUR, "ends_at": now + HOUR, "now": now}
    shadow = absences.add_shadow(actor=mine, follows=ana, **given)  # type: ignore[arg-type]
    assert absences.add_shadow(actor=mine, follows=ana, **given) == shadow  # type: ignore[arg-type]
    spec = schedule_specs(now, now, {schedule.pk})[schedule.pk]
    assert shadows_at(spec, now) == (bob.pk,)
    assert on_call_at(now)[schedule.pk] == [ana]
    with pytest.raises(NotAllowed):
        absences.remove_shadow(actor=actor(), shadow=shadow, now=now)
    absences.remove_shadow(actor=mine, shadow=shadow, now=now)
    shadow.refresh_from_db()
    assert shadow.ends_at == now
    with pytest.raises(Conflict):
        absences.remove_shadow(actor=mine, shadow=shadow, now=now)


def test_a_shadow_that_has_not_begun_goes_without_a_trace(now: datetime) -> None:
    schedule, manager = oncall.schedule(user()), actor(Role.MANAGER)
    bob = user()
    given = {"schedule": schedule, "user": bob, "starts_at": now + HOUR, "ends_at": now + 2 * HOUR, "now": now}
    absences.remove_shadow(actor=manager, shadow=absences.add_shadow(actor=manager, **given), now=now)  # type: ignore[arg-type]
    assert not Shadow.objects.exists()
    with pytest.raises(Invalid):
        absences.add_shadow(actor=manager, follows=bob, **given)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        absences.add_shadow(actor=actor(), **given)  # type: ignore[arg-type]
