"""How many threads sweep at a time, and that nothing is overlooked by those who are sent away."""

import threading

import pytest

from events.turnstile import Turnstile


def test_whoever_comes_when_all_are_busy_makes_one_go_round_again() -> None:
    turnstile, begun, may_end, rounds = Turnstile(1), threading.Event(), threading.Event(), []

    def sweep() -> None:
        rounds.append(threading.current_thread().name)
        begun.set()
        may_end.wait(10)

    busy = threading.Thread(target=turnstile.run, args=[sweep], name="busy")
    busy.start()
    assert begun.wait(10)
    for _ in range(3):
        turnstile.run(sweep)
    may_end.set()
    busy.join(10)
    assert rounds == ["busy", "busy"]


def test_a_sweep_that_fails_leaves_the_way_free() -> None:
    turnstile, done = Turnstile(1), []

    def fail() -> None:
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError):
        turnstile.run(fail)
    turnstile.run(lambda: done.append("swept"))
    assert done == ["swept"]
