"""Alerts' background work; on the paging queue."""

from celery import shared_task
from django.utils import timezone

from alerts.audit import audit_newest, keep_alert_audit
from alerts.heartbeats import CHECK_HEARTBEATS, CHECKED_AT_ONCE, check_heartbeats
from alerts.ingest import PROCESS_RAW_EVENTS, TAKEN_AT_ONCE, process_raw_events
from alerts.later import LOOK_AT_HELD, LOOKED_AT_ONCE, look_at_held
from alerts.retention import FORGET_RAW_EVENTS, forget_raw_events
from alerts.signatures import VERIFIED_AT_ONCE, VERIFY_RAW_EVENTS, verify_raw_events
from alerts.windows import LOOK_AFTER_WINDOWS, advance_windows
from events.poke import followed_by, poke_at_once, pokes_held_back, sweeping
from oncall.engine import SEND_PAGES
from oncall.tasks import send_pages_task


@shared_task(name=PROCESS_RAW_EVENTS)
def process_raw_events_task() -> None:
    """Works until no raw event is due, then pages for what is new: an alert at night waits for no second message."""
    with pokes_held_back():
        with followed_by(SEND_PAGES), sweeping(PROCESS_RAW_EVENTS):
            while process_raw_events(timezone.now()) == TAKEN_AT_ONCE:
                # More wait: another thread begins with the pages of these.
                poke_at_once(SEND_PAGES)
        send_pages_task()


@shared_task(name=LOOK_AT_HELD)
def look_at_held_task() -> None:
    """Decides about what has waited or was muted long enough, then pages for it."""
    with pokes_held_back():
        with followed_by(SEND_PAGES), sweeping(LOOK_AT_HELD):
            looked_at = again = look_at_held(timezone.now())
            while again >= LOOKED_AT_ONCE:
                again = look_at_held(timezone.now())
        if looked_at:
            send_pages_task()


@shared_task(name=LOOK_AFTER_WINDOWS)
def look_after_windows_task() -> None:
    """Moves maintenance windows on and tells of ends that are near. Not on the paging queue: no page waits for it."""
    advance_windows(timezone.now())


@shared_task(name=CHECK_HEARTBEATS)
def check_heartbeats_task() -> None:
    """Tells of all that is late, then pages for it."""
    with pokes_held_back():
        with followed_by(SEND_PAGES), sweeping(CHECK_HEARTBEATS):
            checked = told = check_heartbeats(timezone.now())
            while told == CHECKED_AT_ONCE:
                told = check_heartbeats(timezone.now())
        if checked:
            send_pages_task()


@shared_task(name=VERIFY_RAW_EVENTS)
def verify_raw_events_task() -> None:
    """Believes what is signed, or not. Not on the paging queue: it waits for others."""
    with sweeping(VERIFY_RAW_EVENTS):
        while verify_raw_events(timezone.now()) == VERIFIED_AT_ONCE:
            pass


@shared_task(name="audit.audit_alerts")
def audit_alerts_task() -> None:
    """Proves that nothing accepted is lost. Not on the paging queue: it must look while that one is stuck."""
    keep_alert_audit(audit_newest(timezone.now()))


@shared_task(name=FORGET_RAW_EVENTS)
def forget_raw_events_task() -> None:
    """Makes room for the months ahead and deletes what has had its time. Not on the paging queue: no page waits."""
    forget_raw_events(timezone.now())
