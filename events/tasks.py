"""The outbox's background work."""

from celery import shared_task
from django.utils import timezone

from events.actions import DELIVER_DUE, DELIVERED_AT_ONCE, deliver_due


@shared_task(name=DELIVER_DUE)
def deliver_due_task() -> None:
    """Delivers until nothing is due."""
    while deliver_due(timezone.now()) == DELIVERED_AT_ONCE:
        pass
