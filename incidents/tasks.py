"""The background work of incidents: sweeps over what is due, none of them on the paging queue."""

from celery import shared_task
from django.utils import timezone

from incidents.followers import TELL_FOLLOWERS, TOLD_AT_ONCE, tell_due
from incidents.nudges import NUDGED_AT_ONCE, nudge_due


@shared_task(name="incidents.nudge_due")
def nudge_due_task() -> None:
    """Says which updates are due and did not come."""
    while nudge_due(timezone.now()) == NUDGED_AT_ONCE:
        pass


@shared_task(name=TELL_FOLLOWERS)
def tell_followers_task() -> None:
    """Mails followers what is new."""
    while tell_due(timezone.now()) == TOLD_AT_ONCE:
        pass
