"""A thousand escalations are paged while everything is killed at random: at least once each, no level left out."""

import random
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from config.supervisor import worker
from tests.journeys.harness import manage, wait_for
from tests.journeys.house import House, Receiver, built, receiving
from tests.journeys.storm import LEVELS

pytestmark = pytest.mark.journey
ESCALATIONS = 1_000
KILLS = 10
FEWEST_KILLS = 4
SEED = 20_261_121
# Long enough that somebody gets to work between two deaths, short enough that most die at work.
PAUSE_SECONDS = (0.8, 2.0)
# A small machine with other work takes its time for what an idle one does in seconds.
SETTLE_SECONDS = 240.0


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def house() -> Generator[House]:
    with built(two_of_each) as house:
        yield house


def two_of_each(var: Path) -> dict[str, list[str]]:
    """Two paging workers and two beats."""
    commands: dict[str, list[str]] = {}
    for number in (1, 2):
        paging = worker(sys.executable, queue="paging")
        paging[paging.index("-n") + 1] = f"paging-{number}@%h"
        schedule = str(var / f"beat-{number}")
        beat = [sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile=", "-s", schedule]
        commands |= {f"worker-{number}": paging, f"beat-{number}": beat}
    return commands


OPEN = "SELECT count(*) FROM oncall_escalation WHERE outcome = ''"
UNSENT = "SELECT count(*) FROM oncall_page WHERE state IN ('pending', 'sending')"


def test_each_of_3000_pages_is_sent_though_everything_is_killed_at_random(house: House, receiver: Receiver) -> None:
    house.start()
    storm = f"from tests.journeys.storm import begin; begin({receiver.url!r}, {ESCALATIONS})"
    manage(house.environment, "shell", "--no-imports", "--command", storm)

    chance = random.Random(SEED)
    parts = ["worker-1", "worker-2", "beat-1", "beat-2", "valkey", "postgres", "backend"]
    killed = chance.sample(parts, len(parts)) + chance.choices(parts, k=KILLS - len(parts))
    kills_in_the_storm = 0
    for part in killed:
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        # On a slow machine coming back takes its time, and the storm may be over before the last one is killed.
        if house.count(OPEN) == 0:
            break
        house.kill(part)
        kills_in_the_storm += 1
    assert kills_in_the_storm >= FEWEST_KILLS

    # What died in the middle of a try is held by its lease; with nobody at work, a minute may pass at once.
    house.stop()
    house.rows("UPDATE oncall_page SET due_at = now() WHERE state = 'sending' RETURNING id")
    house.start()
    wait_for(lambda: house.count(OPEN) == 0, f"all is exhausted; logs are in {house.var}", seconds=SETTLE_SECONDS)
    wait_for(lambda: house.count(UNSENT) == 0, f"all is sent; logs are in {house.var}", seconds=SETTLE_SECONDS)
    house.stop()
    check(house, receiver)
    house.is_proved = True


def check(house: House, receiver: Receiver) -> None:
    """What must be true after whatever happened."""
    # Nobody was left out, no level skipped, nothing paged twice for the same level and round.
    levels = house.rows("SELECT escalation_id, array_agg(level ORDER BY level) FROM oncall_page GROUP BY 1")
    assert len(levels) == ESCALATIONS
    assert {tuple(own) for _escalation, own in levels} == {tuple(range(LEVELS))}
    assert house.rows("SELECT DISTINCT status, outcome FROM oncall_escalation") == [("exhausted", "exhausted")]
    assert house.count("SELECT count(*) FROM oncall_escalationentry WHERE kind = 'skipped'") == 0
    assert house.rows("SELECT DISTINCT state FROM oncall_page") == [("sent",)]
    # Each arrived at least once, and once only unless nobody saw how a try ended: then that try says so.
    tries = {
        page: (unknown, accepted, others)
        for page, unknown, accepted, others in house.rows(
            "SELECT page_id, count(*) FILTER (WHERE outcome = 'unknown'), count(*) FILTER (WHERE outcome = 'accepted'),"
            " count(*) FILTER (WHERE outcome NOT IN ('unknown', 'accepted')) FROM oncall_pageattempt GROUP BY 1"
        )
    }
    assert set(receiver.pages) == set(tries)
    assert len(tries) == ESCALATIONS * LEVELS
    twice = {page: number for page, number in receiver.pages.items() if number > 1}
    assert all(number <= 1 + tries[page][0] for page, number in twice.items())
    assert {accepted for _unknown, accepted, _others in tries.values()} == {1}
    assert sum(others for _unknown, _accepted, others in tries.values()) == 0
    # And the record of all that proves itself.
    assert "The ledger verifies." in manage(house.environment, "verify_ledger")
    assert "Nothing is overdue" in manage(house.environment, "audit_pages")
