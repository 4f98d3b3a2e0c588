"""What people do with events whose handling has failed: try them again, or set them aside."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.actor import Actor
from alerts.ingest import PROCESS_RAW_EVENTS
from alerts.models import RawEvent
from alerts.permissions import can_configure
from events.actions import Fact, publish, publish_all
from events.errors import require
from events.poke import poke

NOT_A_MANAGER = "Only managers may decide about events that have failed."
AT_ONCE = 1_000
UNDONE = [RawEvent.State.FAILED, RawEvent.State.SET_ASIDE]


@transaction.atomic
def retry_raw_event(*, actor: Actor, raw_event: RawEvent, now: datetime) -> RawEvent:
    """Makes a failed event due again, one that was set aside too. Others stay as they are."""
    require(can_configure(actor), NOT_A_MANAGER)
    raw_event = RawEvent.objects.select_for_update(of=("self",)).get(pk=raw_event.pk)
    if raw_event.state in UNDONE:
        raw_event.state, raw_event.attempts, raw_event.due_at = RawEvent.State.PENDING, 0, now
        raw_event.save(update_fields=["state", "attempts", "due_at"])
        publish("raw_event.retried", subject=raw_event, actor=actor)
        poke(PROCESS_RAW_EVENTS)
    return raw_event


@transaction.atomic
def retry_failed(*, actor: Actor, now: datetime, source_id: int | None = None) -> int:
    """Makes all failed events due again, of one source or of all: at most a thousand, the oldest first. How many."""
    require(can_configure(actor), NOT_A_MANAGER)
    failed = _failed(source_id)
    RawEvent.objects.filter(pk__in=[raw.pk for raw in failed]).update(
        state=RawEvent.State.PENDING, attempts=0, due_at=now
    )
    if failed:
        publish_all([Fact("raw_event.retried", raw) for raw in failed], actor=actor)
        poke(PROCESS_RAW_EVENTS)
    return len(failed)


@transaction.atomic
def set_aside_raw_event(*, actor: Actor, raw_event: RawEvent) -> RawEvent:
    """Says that a failed event needs no more looking at; it is kept as long as its source's others, and counted."""
    require(can_configure(actor), NOT_A_MANAGER)
    raw_event = RawEvent.objects.select_for_update(of=("self",)).get(pk=raw_event.pk)
    if raw_event.state == RawEvent.State.FAILED:
        raw_event.state = RawEvent.State.SET_ASIDE
        raw_event.save(update_fields=["state"])
        publish("raw_event.set_aside", subject=raw_event, actor=actor)
    return raw_event


def _failed(source_id: int | None) -> list[RawEvent]:
    """Those that have failed, locked; whatever somebody else is deciding about is left to them."""
    failed: QuerySet[RawEvent] = RawEvent.objects.filter(state=RawEvent.State.FAILED)
    if source_id is not None:
        failed = failed.filter(source=source_id)
    locked = failed.select_for_update(skip_locked=True, of=("self",))
    return list(locked.order_by("pk").only("pk")[:AT_ONCE])
