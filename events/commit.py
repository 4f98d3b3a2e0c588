"""Work that follows a commit, once however often it was asked for."""

from collections.abc import Callable

from django.db import connection, transaction


def once_on_commit(function: Callable[[], None]) -> None:
    """Runs `function` after the current transaction has committed, unless an equal one is already waiting."""
    if not any(entry[1] == function for entry in connection.run_on_commit):
        transaction.on_commit(function, robust=True)
