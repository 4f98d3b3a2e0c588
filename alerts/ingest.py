"""From raw events to alerts: claim, normalise, and conclude; what events make of alerts is in alerts/batch.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from django.db import transaction

from alerts.batch import Batch
from alerts.dialects import DIALECTS, NormalisedEvent
from alerts.dialects.mapping import map_events
from alerts.models import AlertSource, RawEvent
from alerts.verbs import with_keys
from events.prepared import Prepared, holds
from events.rows import updating, write

log = structlog.get_logger(__name__)

PROCESS_RAW_EVENTS = "alerts.process_raw_events"
ATTEMPTS = 5
TAKEN_AT_ONCE = 200
RETRY_AFTER = timedelta(seconds=10)
# How exactly a source's page tells when it was last heard of: a storm need not write it again and again.
HEARD = timedelta(seconds=1)
CONCLUDED = ["outcomes", "state", "error", "processed_at", "attempts", "due_at"]


def process_raw_events(now: datetime, *, limit: int = TAKEN_AT_ONCE) -> int:
    """Turns due raw events into alerts and returns how many were taken.

    Claim and effect are one transaction: a process that dies leaves the events as they were. One that can't be handled
    is set aside with its error and does not hold up the others.
    """
    try:
        with transaction.atomic():
            due = _claim(now, limit)
            _take(due, now)
            _conclude(due, now)
    except Exception:
        # Which of them it was shows when each is taken by itself. It may have been none: another worker has opened the
        # same key meanwhile, and its alert is there now.
        log.warning("raw_events_taken_one_by_one", exc_info=True)
        return _one_by_one(now, limit)
    return len(due)


@transaction.atomic
def _one_by_one(now: datetime, limit: int) -> int:
    due = _claim(now, limit)
    for raw in due:
        try:
            with transaction.atomic():
                _take([raw], now)
                # (the next one may say what became of what waits)
                _conclude([raw], now)
        except Exception as error:
            log.exception("raw_event_failed", raw_event_id=raw.pk, source=raw.source.slug)
            raw.attempts += 1
            raw.outcomes, raw.processed_at = [], None
            raw.error = f"{type(error).__name__}: {error}"[:2000]
            raw.state = RawEvent.State.FAILED if raw.attempts >= ATTEMPTS else RawEvent.State.PENDING
            raw.due_at = now + RETRY_AFTER * raw.attempts
            _conclude([raw], now)
    return len(due)


@lru_cache
def _due(limit: int) -> Prepared[RawEvent]:
    return Prepared(
        lambda: (
            RawEvent.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("source")
            .filter(holds("alerts_rawevent.due_at <= {now}"), state=RawEvent.State.PENDING, is_verified=True)
            .order_by("due_at", "id")[:limit]
        )
    )


def _claim(now: datetime, limit: int) -> list[RawEvent]:
    """Those that have waited longest, locked; others may work on the rest."""
    due = _due(limit)(now=now)
    return sorted(due, key=lambda raw: raw.pk)


def _take(due: Sequence[RawEvent], now: datetime) -> None:
    """Makes of the events what they say, and writes into each what became of it."""
    parsed = [(raw, events_of(raw)) for raw in due]
    batch = Batch([(raw.source, event) for raw, events in parsed for event in events], now)
    for raw, events in parsed:
        raw.outcomes = [batch.add(raw.source, event, raw) for event in events]
        raw.state, raw.error, raw.processed_at = RawEvent.State.DONE, "", now
    batch.write()


def events_of(raw: RawEvent) -> list[NormalisedEvent]:
    """What a source sent, read in its dialect and mapped as its owner wants it; raises DialectError."""
    request = raw.request()
    events = with_keys(DIALECTS[raw.source.dialect].parse(request), raw.source_id)
    return map_events(raw.source.mapping, events, request.body) if raw.source.mapping else events


def _conclude(due: Sequence[RawEvent], now: datetime) -> None:
    write(*updating(due, CONCLUDED))
    quiet = {raw.source_id for raw in due if not raw.source.last_event_at or raw.source.last_event_at <= now - HEARD}
    if quiet:
        AlertSource.objects.filter(pk__in=quiet).update(last_event_at=now)
