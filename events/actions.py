"""Every write of the outbox: publish a fact, deliver it, retry what gave up."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, models, transaction
from django.db.models import F
from django.utils import timezone

from events import registry
from events.errors import Conflict
from events.models import ActorLike, Delivery, Event
from events.poke import poke

log = structlog.get_logger(__name__)

DELIVER_DUE = "events.deliver_due"
ATTEMPTS = 8
DELIVERED_AT_ONCE = 100
LEASE = timedelta(seconds=60)
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 600.0


@dataclass(frozen=True)
class Fact:
    """What happened to whom, before it is recorded. `data` must be JSON: ids and plain values, never secrets."""

    name: str
    subject: models.Model
    data: dict[str, Any] = field(default_factory=dict)


def publish(name: str, *, subject: models.Model, actor: ActorLike, data: dict[str, Any] | None = None) -> Event:
    """Records the fact `name` about `subject` and one delivery per handler, in the caller's transaction.

    `data` must be JSON: ids and plain values, never secrets.
    """
    return publish_all([Fact(name, subject, data or {})], actor=actor)[0]


def publish_all(facts: Sequence[Fact], *, actor: ActorLike) -> list[Event]:
    """Like `publish` for many facts of one actor, in a constant number of statements."""
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs inside the transaction of the action that it reports.")
    now = timezone.now()
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    events = Event.objects.bulk_create(
        Event(
            name=fact.name,
            subject_type=fact.subject._meta.label_lower,
            subject_id=fact.subject.pk,
            actor_kind=actor.kind,
            actor_key=actor.key,
            actor_name=actor.name[:200],
            via=actor.via,
            data=fact.data,
            request_id=request_id,
            occurred_at=now,
        )
        for fact in facts
    )
    deliveries = [
        Delivery(event=event, handler=handler.name, due_at=now)
        for event in events
        for handler in registry.handlers_of(event.name)
    ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
        poke(DELIVER_DUE)
    return events


def deliver_due(now: datetime, *, limit: int = DELIVERED_AT_ONCE) -> int:
    """Runs the handlers of due deliveries and returns how many were tried.

    A claim is a lease: if this process dies, the delivery is due again when the lease ends.
    """
    with transaction.atomic():
        claimed = list(
            Delivery.objects.select_for_update(skip_locked=True)
            .filter(state__in=[Delivery.State.PENDING, Delivery.State.RUNNING], due_at__lte=now)
            .order_by("due_at")[:limit]
            .values_list("id", flat=True)
        )
        Delivery.objects.filter(id__in=claimed).update(
            state=Delivery.State.RUNNING, due_at=now + LEASE, attempts=F("attempts") + 1
        )
    for delivery in Delivery.objects.filter(id__in=claimed).select_related("event").order_by("id"):
        _deliver(delivery, now)
    return len(claimed)


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
