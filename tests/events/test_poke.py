"""Pokes: one that waits speaks for all that follow it; what is committed after a sweep began gets one of its own."""

import pytest
import redis
from celery.signals import task_prerun
from pytest_django import DjangoCaptureOnCommitCallbacks

from events.actions import DELIVER_DUE
from events.poke import followed_by, poke, pokes_held_back, sweeping
from events.tasks import deliver_due_task

pytestmark = pytest.mark.django_db


def commit_with_a_poke(capture: DjangoCaptureOnCommitCallbacks) -> None:
    with capture(execute=True):
        poke(DELIVER_DUE)


def waiting(valkey: redis.Redis) -> int:
    """How many messages wait for the worker."""
    return int(str(valkey.llen("default")))


def test_a_storm_queues_one_message(
    valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for _ in range(20):
        commit_with_a_poke(django_capture_on_commit_callbacks)
    assert waiting(valkey) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_after_the_sweep_began_is_poked_for_again(valkey: redis.Redis) -> None:
    poke(DELIVER_DUE)
    task_prerun.send(sender=DELIVER_DUE, task=deliver_due_task)
    poke(DELIVER_DUE)
    assert waiting(valkey) == 2


def test_whoever_runs_the_sweep_next_needs_no_poke(
    valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with followed_by(DELIVER_DUE):
        commit_with_a_poke(django_capture_on_commit_callbacks)
    assert waiting(valkey) == 0
    commit_with_a_poke(django_capture_on_commit_callbacks)
    assert waiting(valkey) == 1


def test_whoever_asks_while_a_sweep_runs_is_answered_by_one_more(
    valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with sweeping(DELIVER_DUE):
        for _ in range(20):
            commit_with_a_poke(django_capture_on_commit_callbacks)
        assert waiting(valkey) == 0
    assert waiting(valkey) == 1


def test_a_sweep_that_nobody_asked_for_leaves_nothing_behind(valkey: redis.Redis) -> None:
    with sweeping(DELIVER_DUE):
        pass
    assert (waiting(valkey), valkey.keys("poke:*")) == (0, [])


def test_pokes_that_are_held_back_leave_at_the_end_once(
    valkey: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with pokes_held_back():
        commit_with_a_poke(django_capture_on_commit_callbacks)
        commit_with_a_poke(django_capture_on_commit_callbacks)
        assert waiting(valkey) == 0
    assert waiting(valkey) == 1
