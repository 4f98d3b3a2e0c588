"""Postmortems' background work; on the default queue."""

from celery import shared_task
from django.utils import timezone

from postmortems.overdue import TOLD_AT_ONCE, tell_overdue


@shared_task(name="postmortems.tell_overdue")
def tell_overdue_task() -> None:
    """Tells of the action items whose day has passed."""
    while tell_overdue(timezone.now()) == TOLD_AT_ONCE:
        pass
