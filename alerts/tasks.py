"""Alerts' background work; on the paging queue."""

from celery import shared_task
from django.utils import timezone

from alerts.ingest import PROCESS_RAW_EVENTS, process_raw_events


@shared_task(name=PROCESS_RAW_EVENTS)
def process_raw_events_task() -> None:
    """Works until no raw event is due."""
    while process_raw_events(timezone.now()):
        pass
