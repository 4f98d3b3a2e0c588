"""Alerts' background work; on the paging queue."""

from celery import shared_task
from django.utils import timezone

from alerts.ingest import PROCESS_RAW_EVENTS, TAKEN_AT_ONCE, process_raw_events
from events.poke import followed_by
from oncall.actions import TICK
from oncall.tasks import tick_task


@shared_task(name=PROCESS_RAW_EVENTS)
def process_raw_events_task() -> None:
    """Works until no raw event is due, then pages for what is new: an alert at night waits for no second message."""
    with followed_by(TICK):
        while process_raw_events(timezone.now()) == TAKEN_AT_ONCE:
            pass
    tick_task()
