"""Two write to one row at once: the second, on a connection of its own, waits for what the first does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, transaction

T = TypeVar("T")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def after_waiting(second: Callable[[], T], *, first: Callable[[], object], then: Callable[[], object]) -> T:
    """What `second` returns in its own transaction. It begins once `first` has locked what it needs, and goes on once
    `then` has changed that and all of it is committed."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            told = pool.submit(_elsewhere, second)
            _wait_until_it_waits()
            then()
        return told.result(timeout=20)


def _elsewhere(second: Callable[[], T]) -> T:
    try:
        with transaction.atomic():
            return second()
    finally:
        connection.close()


def _wait_until_it_waits() -> None:
    with connection.cursor() as cursor:
        for _look in range(10_000):
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waits for the row.")
