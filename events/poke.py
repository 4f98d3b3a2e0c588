"""How an action wakes a worker when its transaction commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from celery import current_app
from celery.signals import task_prerun

from events.commit import once_on_commit
from events.valkey import valkey

log = structlog.get_logger(__name__)

# How long one poke speaks for all that follow it, if no worker takes it: as long as until the next sweep.
WAITS_SECONDS = 2
QUEUED, RUNNING = b"queued", b"running"
_following: ContextVar[tuple[str, ...]] = ContextVar("following", default=())
_held_back: ContextVar[list["_Poke"] | None] = ContextVar("held_back", default=None)


@dataclass(frozen=True)
class _Poke:
    task_name: str

    def __call__(self) -> None:
        held_back = _held_back.get()
        if held_back is None:
            self.send()
        elif self not in held_back:
            held_back.append(self)

    def send(self) -> None:
        """Asks now."""
        try:
            # One that waits will find this commit's work too, and one that runs looks when it is done: a storm must not
            # queue a task for each alert.
            if valkey().set(_key(self.task_name), QUEUED, ex=WAITS_SECONDS, get=True) is None:
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


def poke_at_once(task_name: str) -> None:
    """Asks now for a sweep over what is committed, whatever is held back: for a caller in the middle of long work."""
    _Poke(task_name).send()


@contextmanager
def followed_by(*task_names: str) -> Iterator[None]:
    """Says that the caller runs these sweeps itself right after what stands inside: nobody need be poked for them."""
    token = _following.set((*_following.get(), *task_names))
    try:
        yield
    finally:
        _following.reset(token)


@contextmanager
def pokes_held_back() -> Iterator[None]:
    """Asks for all that is committed inside at its end: nobody is woken before the page has left."""
    held_back: list[_Poke] = []
    token = _held_back.set(held_back)
    try:
        yield
    finally:
        _held_back.reset(token)
        for each in held_back:
            each.send()


@contextmanager
def sweeping(task_name: str) -> Iterator[None]:
    """Says that a sweep runs inside: who asks for it meanwhile is answered by one more at the end, not by one each."""
    _quietly(lambda valkey: valkey.set(_key(task_name), RUNNING, ex=WAITS_SECONDS))
    try:
        yield
    finally:
        if _quietly(lambda valkey: valkey.getdel(_key(task_name))) == QUEUED:
            _Poke(task_name).send()


@task_prerun.connect
def _forget_poke(*, task: Any, **_: object) -> None:
    """Whatever is committed from here on needs a poke of its own: the sweep may not see it."""
    _quietly(lambda valkey: valkey.delete(_key(task.name)))


def _quietly(ask: Callable[[redis.Redis], Any]) -> Any:
    """What Valkey says, or None if it does not: pokes are a convenience."""
    try:
        return ask(valkey())
    except Exception as error:
        log.warning("poke_not_noted", error=str(error))
        return None


def _key(task_name: str) -> str:
    return f"poke:{task_name}"
