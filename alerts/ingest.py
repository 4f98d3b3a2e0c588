"""From raw events to alerts: claim, normalise, deduplicate, and hand new alerts to routing."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from accounts.actor import Actor
from alerts.dialects import DIALECTS, NormalisedEvent
from alerts.models import Alert, AlertSource, RawEvent
from alerts.routing import Router
from catalog.models import Service
from events.actions import publish
from incidents.models import TimelineEntry
from incidents.timeline import add_entry
from oncall.actions import resolve_escalation

log = structlog.get_logger(__name__)

PROCESS_RAW_EVENTS = "alerts.process_raw_events"
ATTEMPTS = 5
TAKEN_AT_ONCE = 50
RETRY_AFTER = timedelta(seconds=10)
Outcome = RawEvent.Outcome


@transaction.atomic
def process_raw_events(now: datetime, *, limit: int = TAKEN_AT_ONCE) -> int:
    """Turns due raw events into alerts and returns how many were taken.

    Claim and effect are one transaction: a process that dies leaves the events as they were. One that can't be handled
    is set aside with its error and does not hold up the others.
    """
    due = list(
        RawEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("source")
        .filter(state=RawEvent.State.PENDING, due_at__lte=now)
        .order_by("id")[:limit]
    )
    router = Router()
    for raw in due:
        try:
            with transaction.atomic():
                raw.outcomes = [
                    ingest_event(source=raw.source, event=event, raw=raw, router=router, now=now)
                    for event in DIALECTS[raw.source.dialect].parse(bytes(raw.body), raw.headers)
                ]
            raw.state, raw.error, raw.processed_at = RawEvent.State.DONE, "", now
        except Exception as error:
            log.exception("raw_event_failed", raw_event_id=raw.pk, source=raw.source.slug)
            raw.attempts += 1
            raw.error = f"{type(error).__name__}: {error}"[:2000]
            raw.state = RawEvent.State.FAILED if raw.attempts >= ATTEMPTS else RawEvent.State.PENDING
            raw.due_at = now + RETRY_AFTER * raw.attempts
    RawEvent.objects.bulk_update(due, ["outcomes", "state", "error", "processed_at", "attempts", "due_at"])
    AlertSource.objects.filter(pk__in={raw.source_id for raw in due}).update(last_event_at=now)
    return len(due)


def ingest_event(
    *, source: AlertSource, event: NormalisedEvent, raw: RawEvent | None, router: Router, now: datetime
) -> dict[str, Any]:
    """Applies one event and returns its outcome, `{"outcome": …, "alert": id or None}`, in the caller's transaction."""
    actor = Actor.of_alert_source(source.pk, source.name)
    firing = Alert.objects.select_for_update().filter(
        source=source, dedup_key=event.dedup_key, status=Alert.Status.FIRING
    )
    alert = firing.first()
    if event.status == "resolved":
        if alert is None:
            return {"outcome": Outcome.NOTHING_OPEN, "alert": None}
        resolve_alert(actor=actor, alert=alert, now=now)
        return {"outcome": Outcome.RESOLVED, "alert": alert.pk}
    if alert is None:
        try:
            with transaction.atomic():
                alert = _create(source, event, raw, now)
        except IntegrityError:
            # Another worker has just opened the same key: count on its alert.
            alert = firing.get()
        else:
            publish("alert.fired", subject=alert, actor=actor, data={"source": source.slug, "severity": alert.severity})
            return {"outcome": router.apply_route(alert=alert, actor=actor, now=now), "alert": alert.pk}
    Alert.objects.filter(pk=alert.pk).update(count=F("count") + 1, last_event_at=now, last_raw_event=raw)
    return {"outcome": Outcome.DEDUPLICATED, "alert": alert.pk}


def _create(source: AlertSource, event: NormalisedEvent, raw: RawEvent | None, now: datetime) -> Alert:
    service = None
    if event.service:
        named = Q(slug__iexact=event.service) | Q(name__iexact=event.service)
        service = Service.objects.select_related("escalation_policy", "team").filter(named).first()
    return Alert.objects.create(
        source=source,
        dedup_key=event.dedup_key,
        title=event.title,
        description=event.description,
        severity=event.severity[:60],
        service=service,
        service_named=event.service[:100],
        attributes=event.attributes,
        source_url=event.source_url[:1000] if event.source_url.startswith(("http://", "https://")) else "",
        started_at=event.started_at or now,
        first_event_at=now,
        last_event_at=now,
        last_raw_event=raw,
    )


@transaction.atomic
def resolve_alert(*, actor: Actor, alert: Alert, now: datetime) -> Alert:
    """The signal is over: its escalation ends when no other alert of it fires. Resolving again changes nothing."""
    alert = Alert.objects.select_for_update(of=("self",)).select_related("escalation", "incident").get(pk=alert.pk)
    if alert.status == Alert.Status.RESOLVED:
        return alert
    alert.status = Alert.Status.RESOLVED
    alert.resolved_at = now
    alert.resolved_by_id = actor.user_id
    alert.save(update_fields=["status", "resolved_at", "resolved_by"])
    publish("alert.resolved", subject=alert, actor=actor)
    if alert.incident is not None:
        text = f"alert “{alert.title}” resolved"
        add_entry(
            incident=alert.incident,
            actor=actor,
            kind=TimelineEntry.Kind.ALERT,
            text=text,
            now=now,
            data={"alert": alert.pk},
        )
    if alert.escalation is not None and not alert.escalation.alerts.filter(status=Alert.Status.FIRING).exists():
        resolve_escalation(actor=actor, escalation=alert.escalation, now=now, reason="its alerts resolved")
    return alert
