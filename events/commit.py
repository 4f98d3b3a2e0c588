"""Work that follows a commit, once however often it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Following:
    """Calls a function after the commit. What fails is logged and hinders nothing: the work itself is committed."""

    function: Callable[[], None]

    def __call__(self) -> None:
        try:
            self.function()
        except Exception:
            log.exception("after_commit_failed", function=repr(self.function))


def once_on_commit(function: Callable[[], None]) -> None:
    """Runs `function` after the current transaction has committed, unless an equal one is already waiting."""
    following = _Following(function)
    if not any(entry[1] == following for entry in connection.run_on_commit):
        transaction.on_commit(following)
