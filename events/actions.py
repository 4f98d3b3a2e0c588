"""Every write of the outbox: publish a fact, deliver it, retry what gave up."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from events import registry
from events.errors import Conflict
from events.models import ActorLike, Delivery, Event
from events.poke import poke
from events.rows import Part, inserting, write

log = structlog.get_logger(__name__)

DELIVER_DUE = "events.deliver_due"
ATTEMPTS = 8
DELIVERED_AT_ONCE = 100
LEASE = timedelta(seconds=60)
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 600.0
# Each event's handlers are those of its name.
NEW_DELIVERIES = """
INSERT INTO events_delivery (event_id, handler, state, attempts, due_at, last_error)
SELECT told.id, wanted.handler, 'pending', 0, %s, ''
FROM new_events_event AS told JOIN unnest(%s::text[], %s::text[]) AS wanted(name, handler) ON wanted.name = told.name
ORDER BY told.id, wanted.handler
"""
# One statement by hand: each delivery of a storm waits for it.
CLAIM = """
WITH due AS (
    SELECT id FROM events_delivery WHERE state IN ('pending', 'running') AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE events_delivery SET state = 'running', due_at = %(lease_ends)s, attempts = attempts + 1
FROM due WHERE events_delivery.id = due.id RETURNING events_delivery.id
"""


@dataclass(frozen=True)
class Fact:
    """What happened to whom, before it is recorded. `data` must be JSON: ids and plain values, never secrets.

    `actor` is whose doing it is, if not of the one who does all that is published together.
    """

    name: str
    subject: models.Model
    data: dict[str, Any] = field(default_factory=dict)
    actor: ActorLike | None = None


def publish(name: str, *, subject: models.Model, actor: ActorLike, data: dict[str, Any] | None = None) -> None:
    """Records the fact `name` about `subject` and one delivery per handler, in the caller's transaction.

    `data` must be JSON: ids and plain values, never secrets.
    """
    publish_all([Fact(name, subject, data or {})], actor=actor)


def publish_all(facts: Sequence[Fact], *, actor: ActorLike) -> None:
    """Like `publish` for many facts, in one statement."""
    write(*publishing(facts, actor=actor))


def publishing(facts: Sequence[Fact], *, actor: ActorLike) -> list[Part]:
    """What records the facts and their deliveries when the caller writes it, together with what they tell of."""
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs inside the transaction of the action that it reports.")
    now = timezone.now()
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    events = [
        Event(
            name=fact.name,
            subject_type=fact.subject._meta.label_lower,
            subject_id=fact.subject.pk,
            actor_kind=by.kind,
            actor_key=by.key,
            actor_name=by.name[:200],
            via=by.via,
            data=fact.data,
            request_id=request_id,
            occurred_at=now,
        )
        for fact in facts
        for by in (fact.actor or actor,)
    ]
    names = {fact.name for fact in facts}
    wanted = [(name, handler.name) for name in sorted(names) for handler in registry.handlers_of(name)]
    if not wanted:
        return inserting(events)
    poke(DELIVER_DUE)
    columns = [list(column) for column in zip(*wanted, strict=True)]
    return [*inserting(events, returning="id, name"), Part("new_deliveries", NEW_DELIVERIES, [now, *columns])]


def deliver_due(now: datetime, *, limit: int = DELIVERED_AT_ONCE) -> int:
    """Runs the handlers of due deliveries and returns how many were tried.

    A claim is a lease: if this process dies, the delivery is due again when the lease ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "lease_ends": now + LEASE, "limit": limit})
        claimed = [pk for (pk,) in cursor.fetchall()]
    if not claimed:
        return 0
    deliveries = list(Delivery.objects.filter(id__in=claimed).select_related("event").order_by("id"))
    idle = _of_no_concern(deliveries)
    if idle:
        Delivery.objects.filter(pk__in=idle).update(state=Delivery.State.DONE, done_at=timezone.now(), last_error="")
    for delivery in deliveries:
        if delivery.pk not in idle:
            _deliver(delivery, now)
    return len(claimed)


def _of_no_concern(deliveries: Sequence[Delivery]) -> set[int]:
    """The ids of those that their handlers have nothing to do for, asked once for all events of a handler."""
    asked: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        asked[delivery.handler].append(delivery)
    idle: set[int] = set()
    for name, own in asked.items():
        handler = registry.handler_called(name)
        if handler is None or handler.concerned is None:
            continue
        try:
            wanted = handler.concerned([delivery.event for delivery in own])
        except Exception:
            log.exception("handler_did_not_tell", handler=name)  # each is then delivered, and fails or not by itself
        else:
            idle |= {delivery.pk for delivery in own if delivery.event_id not in wanted}
    return idle


def _deliver(delivery: Delivery, now: datetime) -> None:
    handler = registry.handler_called(delivery.handler)
    try:
        if handler is None:
            raise LookupError(f"No handler is called {delivery.handler!r} in this version of Sitrep.")
        with transaction.atomic():
            handler.function(delivery.event)
            delivery.state = Delivery.State.DONE
            delivery.done_at = timezone.now()
            delivery.last_error = ""
            delivery.save(update_fields=["state", "done_at", "last_error"])
    except Exception as error:
        log.exception("delivery_failed", handler=delivery.handler, delivery_id=delivery.pk)
        dead = delivery.attempts >= ATTEMPTS
        # Only while it is running: what failed after the commit has had its effect and must not have it again.
        Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.RUNNING).update(
            state=Delivery.State.DEAD if dead else Delivery.State.PENDING,
            due_at=now + back_off(delivery.attempts),
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )


def back_off(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: doubling, capped, with up to 20 % of jitter."""
    seconds = min(FIRST_DELAY_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_DELAY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(1.0, 1.2))  # noqa: S311 (spreads load, guards nothing)


@transaction.atomic
def retry_delivery(*, delivery: Delivery, now: datetime) -> Delivery:
    """Makes a delivery that gave up due again. The caller has checked that the actor may."""
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if delivery.state == Delivery.State.DONE:
        raise Conflict("This delivery is already done.", remedy="There is nothing to retry.")
    if delivery.state == Delivery.State.DEAD:
        delivery.state = Delivery.State.PENDING
        delivery.attempts = 0
        delivery.due_at = now
        delivery.save(update_fields=["state", "attempts", "due_at"])
        poke(DELIVER_DUE)
    return delivery
