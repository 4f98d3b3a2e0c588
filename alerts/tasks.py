"""Alerts' background work; on the paging queue."""

from celery import shared_task
from django.utils import timezone

from alerts.ingest import PROCESS_RAW_EVENTS, TAKEN_AT_ONCE, process_raw_events
from events.poke import followed_by
from events.turnstile import Turnstile
from oncall.engine import SEND_PAGES
from oncall.tasks import send_pages_task

# What waits while one thread takes in is taken in together: two would only get in each other's way.
_intake = Turnstile(1)


@shared_task(name=PROCESS_RAW_EVENTS)
def process_raw_events_task() -> None:
    """Works until no raw event is due, then pages for what is new: an alert at night waits for no second message."""
    with followed_by(SEND_PAGES):
        _intake.run(_take_in)
    send_pages_task()


def _take_in() -> None:
    while process_raw_events(timezone.now()) == TAKEN_AT_ONCE:
        pass
