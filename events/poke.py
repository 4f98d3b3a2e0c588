"""How an action wakes a worker when its transaction commits."""

from dataclasses import dataclass

import structlog
from celery import current_app

from events.commit import once_on_commit

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Poke:
    task_name: str

    def __call__(self) -> None:
        try:
            current_app.send_task(self.task_name, expires=30, retry=False, ignore_result=True)
        except Exception as error:  # the broker may be down in any of its ways
            log.warning("poke_failed", task=self.task_name, error=str(error))


def poke(task_name: str) -> None:
    """Asks a worker to run the sweep `task_name` once the current transaction has committed, at most once for it.

    A convenience, never the guarantee: beat starts each of these sweeps too, so a broker that is down costs a second
    and loses nothing.
    """
    once_on_commit(_Poke(task_name))
