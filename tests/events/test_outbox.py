"""The outbox: each handler gets each event, once if all goes well, again if not, and gives up in sight."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Team
from events import registry
from events.actions import ATTEMPTS, LEASE, back_off, deliver_due, publish, retry_delivery
from events.errors import Conflict
from events.models import Delivery, Event

ACTOR = Actor.system("Tests", via="command")


class Handlers:
    """Two handlers that a test can break."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.broken = False

    def steady(self, event: Event) -> None:
        self.seen.append(f"steady {event.data['number']}")

    def shaky(self, event: Event) -> None:
        Team.objects.create(name=f"made by {event.pk}", slug=f"made-{event.pk}")
        if self.broken:
            raise RuntimeError("the other side is down")
        self.seen.append(f"shaky {event.data['number']}")


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Handlers:
    monkeypatch.setattr(registry, "_handlers", {})
    made = Handlers()
    registry.handles("thing.happened", name="steady")(made.steady)
    registry.handles("thing.happened", "other.happened", name="shaky")(made.shaky)
    return made


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Payments", slug="payments")


def happen(team: Team, number: int = 1) -> Event:
    publish("thing.happened", subject=team, actor=ACTOR, data={"number": number})
    return Event.objects.latest("id")


def test_every_handler_gets_the_event_once(handlers: Handlers, team: Team) -> None:
    happen(team)
    now = timezone.now()
    assert deliver_due(now) == 2
    assert deliver_due(now) == 0
    assert sorted(handlers.seen) == ["shaky 1", "steady 1"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.DONE}


def test_an_event_records_who_did_what_through_what(handlers: Handlers, team: Team) -> None:
    event = happen(team)
    assert (event.actor_kind, event.actor_name, event.via) == ("system", "Tests", "command")
    assert (event.subject_type, event.subject_id) == ("accounts.team", team.pk)


def test_a_broken_handler_neither_blocks_nor_repeats_the_others(handlers: Handlers, team: Team) -> None:
    handlers.broken = True
    happen(team)
    now = timezone.now()
    deliver_due(now)
    delivery = Delivery.objects.get(handler="shaky")
    assert delivery.state == Delivery.State.PENDING
    assert "the other side is down" in delivery.last_error
    assert delivery.due_at > now
    assert not Team.objects.filter(slug__startswith="made").exists(), "what a failed handler wrote is undone"
    handlers.broken = False
    deliver_due(delivery.due_at)
    assert handlers.seen == ["steady 1", "shaky 1"]


def test_a_handler_that_keeps_failing_gives_up_in_sight_and_can_be_retried(handlers: Handlers, team: Team) -> None:
    handlers.broken = True
    happen(team)
    now = timezone.now()
    for number in range(ATTEMPTS + 2):
        deliver_due(now + timedelta(hours=number))
    delivery = Delivery.objects.get(handler="shaky")
    assert (delivery.state, delivery.attempts) == (Delivery.State.DEAD, ATTEMPTS)
    handlers.broken = False
    retry_delivery(delivery=delivery, now=now)
    deliver_due(now)
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.DONE
    with pytest.raises(Conflict):
        retry_delivery(delivery=delivery, now=now)


@pytest.mark.django_db(transaction=True)
def test_what_fails_after_the_commit_does_not_repeat_the_handler(handlers: Handlers) -> None:
    team = Team.objects.create(name="Payments", slug="payments")

    def explode() -> None:
        raise RuntimeError("after the commit")

    registry.handles("thing.happened", name="late")(lambda event: transaction.on_commit(explode))
    with transaction.atomic():
        happen(team)
    now = timezone.now()
    deliver_due(now)
    assert Delivery.objects.get(handler="late").state == Delivery.State.DONE
    assert deliver_due(now + timedelta(hours=1)) == 0


def test_a_delivery_whose_worker_died_is_due_again_when_its_lease_ends(handlers: Handlers, team: Team) -> None:
    happen(team)
    now = timezone.now()
    Delivery.objects.update(state=Delivery.State.RUNNING, due_at=now + LEASE, attempts=1)
    assert deliver_due(now) == 0
    assert deliver_due(now + LEASE) == 2
    assert sorted(handlers.seen) == ["shaky 1", "steady 1"]


def test_a_handler_that_is_gone_is_told(handlers: Handlers, team: Team) -> None:
    happen(team)
    Delivery.objects.filter(handler="steady").update(handler="removed")
    deliver_due(timezone.now())
    assert "No handler is called 'removed'" in Delivery.objects.get(handler="removed").last_error


def test_an_event_belongs_into_a_transaction() -> None:
    class Outside:
        in_atomic_block = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("events.actions.connection", Outside())
        with pytest.raises(RuntimeError):
            publish("thing.happened", subject=Team(pk=1), actor=ACTOR)


@pytest.mark.parametrize("statement", ["UPDATE events_event SET name = 'forged'", "DELETE FROM events_event"])
def test_the_database_refuses_to_rewrite_history(handlers: Handlers, team: Team, statement: str) -> None:
    happen(team)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.filter(name="thing.happened").count() == 1


def test_waiting_doubles_and_is_capped() -> None:
    waits = [back_off(attempts).total_seconds() for attempts in range(1, 20)]
    assert 2 <= waits[0] <= 2.4
    assert all(wait <= 720 for wait in waits)
    assert waits[-1] >= 600


def test_publishing_costs_two_statements(
    handlers: Handlers, team: Team, django_assert_num_queries: "object", now: datetime
) -> None:
    with django_assert_num_queries(2):  # type: ignore[operator]
        happen(team)
