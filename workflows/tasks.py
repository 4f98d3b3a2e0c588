"""Workflows' background work, on a queue and a worker of its own: no page waits for a chore."""

import time

from celery import shared_task
from django.utils import timezone

from events.poke import poke_at_once, sweeping
from workflows.engine import ADVANCED_AT_ONCE, advance_due
from workflows.starting import ADVANCE
from workflows.times import STARTED_AT_ONCE, start_due
from workflows.trouble import keep_trouble

START_DUE = "workflows.start_due"
# A task ends soon and asks for the next one: behind one that lasts, what beat asks for would expire.
LONGEST_SECONDS = 0.8


@shared_task(name=ADVANCE)
def advance_task() -> None:
    """Takes runs further until none is due, or the task has lasted long enough."""
    ends = time.monotonic() + LONGEST_SECONDS
    with sweeping(ADVANCE):
        while advance_due(timezone.now()) == ADVANCED_AT_ONCE:
            if time.monotonic() > ends:
                poke_at_once(ADVANCE)
                return


@shared_task(name=START_DUE)
def start_due_task() -> None:
    """Starts what a clock starts, and keeps how many workflows are in trouble."""
    while start_due(timezone.now()) == STARTED_AT_ONCE:
        pass
    keep_trouble(timezone.now())
