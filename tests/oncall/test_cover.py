"""Asking for cover: whom it may ask, who may answer, and what comes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall import covering
from oncall.models import CoverRequest, Leave, Override, Schedule
from oncall.roster import on_call_at
from tests.factories import oncall
from tests.factories.accounts import actor, team, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
# Ana's turn of the schedule below: Monday 16 March 09:00 to Monday 23 March.
STARTS = datetime(2026, 3, 18, 8, tzinfo=UTC)
ENDS = STARTS + 4 * HOUR


def of(person: User) -> Actor:
    return Actor.of_user(person, via="web")


@pytest.fixture
def ana() -> User:
    return user(name="Ana")


@pytest.fixture
def schedule(ana: User) -> Schedule:
    return oncall.schedule(ana)


def ask(schedule: Schedule, ana: User, now: datetime, *, by: Actor | None = None, **fields: Any) -> CoverRequest:
    given = {"starts_at": STARTS, "ends_at": ENDS, **fields}
    return covering.ask_for_cover(actor=by or of(ana), schedule=schedule, user=ana, now=now, **given)


def test_one_person_is_asked_accepts_and_is_on_call_in_her_place(schedule: Schedule, ana: User, now: datetime) -> None:
    bob = user(name="Bob")
    request = ask(schedule, ana, now, asked=[bob], note="Dentist")
    assert list(covering.open_requests_for(bob, now)) == [request]
    accepted = covering.accept_cover(actor=of(bob), request=request, now=now)
    assert (accepted.status, accepted.covered_by) == ("accepted", bob)
    override = Override.objects.get()
    assert (override.user, override.replaces, override.reason) == (bob, ana, "Dentist")
    assert on_call_at(STARTS)[schedule.pk] == [bob]
    assert on_call_at(ENDS)[schedule.pk] == [ana]
    assert covering.accept_cover(actor=of(bob), request=request, now=now).override == override
    assert list(covering.open_requests_for(bob, now)) == []


def test_only_the_person_who_asked_is_replaced_while_others_stay(now: datetime, ana: User) -> None:
    eve, bob = user(), user()
    schedule = oncall.schedule(rotations=[oncall.rotation(ana, name="First"), oncall.rotation(eve, name="Second")])
    covering.accept_cover(actor=of(bob), request=ask(schedule, ana, now), now=now)
    assert set(on_call_at(STARTS)[schedule.pk]) == {bob, eve}


def test_whoever_is_on_call_beside_the_one_who_asks_can_not_cover(now: datetime, ana: User) -> None:
    eve, bob = user(name="Eve"), user(name="Bob")
    schedule = oncall.schedule(rotations=[oncall.rotation(ana, eve, people_at_once=2)])
    request = ask(schedule, ana, now)
    with pytest.raises(Conflict, match="You are on call beside Ana then"):
        covering.accept_cover(actor=of(eve), request=request, now=now)
    covering.accept_cover(actor=of(bob), request=request, now=now)
    assert set(on_call_at(STARTS)[schedule.pk]) == {eve, bob}


def test_a_team_is_asked_and_anybody_in_it_may_accept(schedule: Schedule, ana: User, now: datetime) -> None:
    bob, stranger = user(), user()
    request = ask(schedule, ana, now, team=team(ana, bob))
    assert set(covering.people_asked(request)) == {bob}
    with pytest.raises(NotAllowed):
        covering.accept_cover(actor=of(stranger), request=request, now=now)
    covering.accept_cover(actor=of(bob), request=request, now=now)


def test_anybody_who_can_be_on_call_is_asked_when_nobody_is_named(schedule: Schedule, ana: User, now: datetime) -> None:
    bob, viewer, gone = user(), user(role=Role.VIEWER), user(is_active=False)
    request = ask(schedule, ana, now)
    assert set(covering.people_asked(request)) == {bob}
    assert list(covering.open_requests_for(viewer, now)) == []
    assert list(covering.open_requests_for(ana, now)) == []
    assert gone not in covering.people_asked(request)


def test_the_second_to_accept_is_told_that_somebody_was_faster(schedule: Schedule, ana: User, now: datetime) -> None:
    bob, eve = user(), user()
    request = ask(schedule, ana, now)
    covering.accept_cover(actor=of(bob), request=request, now=now)
    with pytest.raises(Conflict):
        covering.accept_cover(actor=of(eve), request=request, now=now)
    assert Override.objects.count() == 1


def test_a_request_ends_when_everybody_has_declined(schedule: Schedule, ana: User, now: datetime) -> None:
    bob, eve = user(), user()
    request = ask(schedule, ana, now, asked=[bob, eve])
    covering.decline_cover(actor=of(bob), request=request, now=now)
    covering.decline_cover(actor=of(bob), request=request, now=now)
    request.refresh_from_db()
    assert (request.status, list(covering.open_requests_for(bob, now))) == ("open", [])
    assert list(covering.open_requests_for(eve, now)) == [request]
    covering.decline_cover(actor=of(eve), request=request, now=now)
    request.refresh_from_db()
    assert request.status == "declined"
    assert Event.objects.filter(name="cover.declined_by_all").count() == 1


def test_a_request_is_withdrawn_by_whoever_asked_and_by_managers(schedule: Schedule, ana: User, now: datetime) -> None:
    user()
    request = ask(schedule, ana, now)
    with pytest.raises(NotAllowed):
        covering.withdraw_cover(actor=actor(), request=request, now=now)
    for _ in range(2):
        covering.withdraw_cover(actor=actor(Role.MANAGER), request=request, now=now)
    request.refresh_from_db()
    assert request.status == "withdrawn"
    with pytest.raises(Conflict):
        covering.accept_cover(actor=of(user()), request=request, now=now)


def test_a_manager_asks_for_another_and_a_colleague_may_not(schedule: Schedule, ana: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        ask(schedule, ana, now, by=actor())
    user()
    manager = actor(Role.MANAGER)
    assert ask(schedule, ana, now, by=manager).created_by_id == manager.user_id


def test_asking_twice_is_asking_once(schedule: Schedule, ana: User, now: datetime) -> None:
    user()
    assert ask(schedule, ana, now) == ask(schedule, ana, now)


def test_what_is_left_of_a_stretch_is_covered_and_the_past_stays(schedule: Schedule, ana: User, now: datetime) -> None:
    bob = user()
    request = ask(schedule, ana, now)
    covering.accept_cover(actor=of(bob), request=request, now=STARTS + HOUR)
    assert on_call_at(STARTS)[schedule.pk] == [ana]
    assert on_call_at(STARTS + HOUR)[schedule.pk] == [bob]


def test_a_request_ends_with_its_time(schedule: Schedule, ana: User, now: datetime) -> None:
    bob = user()
    request = ask(schedule, ana, now)
    with pytest.raises(Conflict):
        covering.accept_cover(actor=of(bob), request=request, now=ENDS)
    assert covering.close_expired_requests(ENDS - HOUR) == 0
    assert covering.close_expired_requests(ENDS) == 1
    assert covering.close_expired_requests(ENDS) == 0
    request.refresh_from_db()
    assert (request.status, request.closed_at) == ("expired", ENDS)


def test_nothing_is_covered_when_whoever_asked_is_not_on_call_any_more(
    schedule: Schedule, ana: User, now: datetime
) -> None:
    bob = user()
    request = ask(schedule, ana, now)
    Override.objects.create(schedule=schedule, user=bob, starts_at=STARTS - HOUR, ends_at=ENDS + HOUR)
    with pytest.raises(Conflict):
        covering.accept_cover(actor=of(bob), request=request, now=now)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ends_at": STARTS}, "ends_at"),
        ({"starts_at": STARTS - 60 * 24 * HOUR, "ends_at": STARTS - 59 * 24 * HOUR}, "ends_at"),
        ({"ends_at": datetime(9999, 1, 1, tzinfo=UTC)}, "ends_at"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    schedule: Schedule, ana: User, now: datetime, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(schedule, ana, now, **fields)
    assert refused.value.field == field


def test_only_people_who_can_be_on_call_are_asked_and_never_oneself(
    schedule: Schedule, ana: User, now: datetime
) -> None:
    for asked in ([ana], [user(role=Role.VIEWER)], [user(is_active=False)]):
        with pytest.raises(Invalid):
            ask(schedule, ana, now, asked=asked)
    with pytest.raises(Invalid):
        ask(schedule, ana, now, team=team(ana))
    with pytest.raises(Invalid):
        ask(oncall.schedule(user()), ana, now)
    assert not CoverRequest.objects.exists()


def test_whoever_is_away_or_on_call_anyway_is_not_free(schedule: Schedule, ana: User, now: datetime) -> None:
    bob, eve = user(), user()
    Leave.objects.create(user=bob, starts_at=STARTS - HOUR, ends_at=STARTS + HOUR)
    assert covering.why_not([ana.pk, bob.pk, eve.pk], STARTS, ENDS) == {ana.pk: "on_call", bob.pk: "away"}
    assert covering.why_not([bob.pk], ENDS, ENDS + HOUR) == {}
