"""How an action wakes a worker when its transaction commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from celery import current_app
from celery.signals import task_prerun
from django.core.cache import cache

from events.commit import once_on_commit

log = structlog.get_logger(__name__)

# How long one poke speaks for all that follow it, if no worker takes it: as long as until the next sweep.
WAITS_SECONDS = 2
_following: ContextVar[tuple[str, ...]] = ContextVar("following", default=())


@dataclass(frozen=True)
class _Poke:
    task_name: str

    def __call__(self) -> None:
        try:
            # One that waits will find this commit's work too; a storm must not queue a task for each alert.
            if cache.add(_key(self.task_name), 1, timeout=WAITS_SECONDS):
                current_app.send_task(self.task_name, expires=30, retry=False, ignore_result=True)
        except Exception as error:  # the broker may be down in any of its ways
            log.warning("poke_failed", task=self.task_name, error=str(error))


def poke(task_name: str) -> None:
    """Asks a worker to run the sweep `task_name` once the current transaction has committed, at most once for it.

    A convenience, never the guarantee: beat starts each of these sweeps too, so a broker that is down costs a second
    and loses nothing.
    """
    if task_name not in _following.get():
        once_on_commit(_Poke(task_name))


@contextmanager
def followed_by(*task_names: str) -> Iterator[None]:
    """Says that the caller runs these sweeps itself right after what stands inside: nobody need be poked for them."""
    token = _following.set((*_following.get(), *task_names))
    try:
        yield
    finally:
        _following.reset(token)


@task_prerun.connect
def _forget_poke(*, task: Any, **_: object) -> None:
    """Whatever is committed from here on needs a poke of its own: the sweep may not see it."""
    try:
        cache.delete(_key(task.name))
    except Exception as error:
        log.warning("poke_not_forgotten", task=task.name, error=str(error))


def _key(task_name: str) -> str:
    return f"poke:{task_name}"
