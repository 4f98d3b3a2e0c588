"""Alerts' background work; on the paging queue."""

from celery import shared_task
from django.utils import timezone

from alerts.heartbeats import CHECK_HEARTBEATS, CHECKED_AT_ONCE, check_heartbeats
from alerts.ingest import PROCESS_RAW_EVENTS, TAKEN_AT_ONCE, process_raw_events
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
