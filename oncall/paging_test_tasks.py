"""The hourly check of paging tests: what they depend on changes without any save that would run them."""

from celery import shared_task
from django.utils import timezone

from oncall.paging_tests import check_paging_tests


@shared_task(name="paging_tests.check")
def check_paging_tests_task() -> None:
    """Checks them all in one pass. Not on the paging queue: no page waits for a simulation."""
    check_paging_tests(timezone.now())
