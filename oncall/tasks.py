"""The paging clock's background work; on its own queue."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from events.poke import followed_by, poke, pokes_held_back, sweeping
from events.turnstile import Turnstile
from oncall.actions import TICK
from oncall.audit import audit_pages, keep_audit
from oncall.calendars import fetch_calendars
from oncall.covering import close_expired_requests
from oncall.duty import hand_over
from oncall.engine import MOVED_AT_ONCE, SEND_PAGES, beat, tick
from oncall.paging_tests import check_paging_tests
from oncall.reaching import prove_reachability
from oncall.sealing import seal_ledger
from oncall.sending import SENT_AT_ONCE, send_due
from oncall.soundness import report_unreachable

# Half the threads of a worker (config/supervisor.py): however slowly providers answer, the clock finds a free one.
SENDERS = 2
_senders = Turnstile(SENDERS)
AUDIT = "audit.audit_pages"
# What was overdue after such a pause is done now: an audit that ran before must not stand until the next minute.
LONG_PAUSE = timedelta(seconds=20)


@shared_task(name=TICK)
def tick_task() -> None:
    """Moves what is due, then sends what is due."""
    with pokes_held_back():
        with followed_by(SEND_PAGES), sweeping(TICK):
            while tick(timezone.now()) == MOVED_AT_ONCE:
                pass
        stood_still = beat("tick", timezone.now())
        send_pages_task()
        if stood_still > LONG_PAUSE:
            poke(AUDIT)


@shared_task(name=SEND_PAGES)
def send_pages_task() -> None:
    """Sends until no page is due, unless enough of this process's threads do so already: they look once more."""
    _senders.run(_send)


def _send() -> None:
    while send_due(timezone.now()) >= SENT_AT_ONCE:
        pass


@shared_task(name="duty.hand_over")
def hand_over_task() -> None:
    """Sees which shifts have changed hands. Not on the paging queue: no page waits for a summary."""
    hand_over(timezone.now())


@shared_task(name="reaching.prove_reachability")
def prove_reachability_task() -> None:
    """Tests whether people can still be reached. Not on the paging queue: no page waits for a test."""
    prove_reachability(timezone.now())


@shared_task(name="ledger.seal")
def seal_ledger_task() -> None:
    """Makes the roots of the days that are over."""
    seal_ledger(timezone.now())


@shared_task(name=AUDIT)
def audit_pages_task() -> None:
    """Looks whether paging does what it must. Not on the paging queue: it must look while that one is stuck."""
    keep_audit(audit_pages(timezone.now()))


@shared_task(name="schedules.fetch_calendars")
def fetch_calendars_task() -> None:
    """Reads the calendars that are due. Not on the paging queue: no page waits for somebody else's server."""
    fetch_calendars(timezone.now())


@shared_task(name="paging_tests.check")
def check_paging_tests_task() -> None:
    """Checks all paging tests: what they depend on changes without any save that would run them."""
    check_paging_tests(timezone.now())


@shared_task(name="schedules.look_after")
def look_after_schedules_task() -> None:
    """Closes requests for cover that are over, and tells of people on call whom nothing reaches."""
    close_expired_requests(timezone.now())
    report_unreachable(timezone.now())
