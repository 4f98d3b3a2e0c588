"""5,000 events come in while everything is killed: what was accepted is lost nowhere, and the audit says so."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.supervisor import programs
from tests.journeys.harness import free_port, manage, wait_for
from tests.journeys.house import House, Receiver, built, receiving

pytestmark = pytest.mark.journey
EVENTS = 5_000
SENDERS = 8
# Of four requests one holds many events; half of all events repeat the keys of others.
MANY = 5
REPEATED_KEYS = 50
CRITICAL_EVERY = 20
# What is killed when so many of the events were accepted, and started again at once.
KILLED = {"worker-paging": 0.15, "web": 0.35, "valkey": 0.55, "postgres": 0.75}
PATIENCE_SECONDS = 240.0
UNSETTLED = "SELECT count(*) FROM alerts_rawevent WHERE state <> 'done'"
UNSENT = "SELECT count(*) FROM oncall_page WHERE state IN ('pending', 'sending')"
STATES = "SELECT id, state, jsonb_array_length(outcomes), event_count FROM alerts_rawevent"
TOLD = "SELECT told ->> 'outcome', (told ->> 'alert')::bigint FROM alerts_rawevent, jsonb_array_elements(outcomes) told"


@dataclass
class Sender:
    """Whoever monitors: it sends each request until that is accepted, on one connection after the other."""

    port: int
    path: str
    requests: list[list[dict[str, Any]]]
    # The number that each accepted request was given, and how many events that held.
    accepted: dict[int, int] = field(default_factory=dict)
    refusals: Counter[int] = field(default_factory=Counter)
    connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Sends all of them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.requests and time.monotonic() < deadline:
            events = self.requests[-1]
            if self.is_accepted(events):
                self.requests.pop()
            else:
                time.sleep(0.1)

    def is_accepted(self, events: list[dict[str, Any]]) -> bool:
        """Sends one request; whether its sender was told that it is accepted."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            body = json.dumps(events[0] if len(events) == 1 else events)
            self.connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self.connection = None
            return False
        if answer.status != 202:
            self.refusals[answer.status] += 1
            return False
        self.accepted[said["id"]] = said["events"]
        return True


def requests() -> list[list[dict[str, Any]]]:
    """5,000 events in requests of one or of many."""
    events = [
        {
            "title": f"Disk {number} is full",
            "dedup_key": f"again-{number % REPEATED_KEYS}" if number % 2 else f"disk-{number}",
            "severity": "critical" if number % CRITICAL_EVERY == 0 else "error",
        }
        for number in range(EVENTS)
    ]
    found: list[list[dict[str, Any]]] = []
    while events:
        size = MANY if len(found) % 4 == 3 else 1
        found.append([events.pop() for _ in range(min(size, len(events)))])
    return found


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def house(port: int) -> Generator[House]:
    def all_of_it(var: Path) -> dict[str, list[str]]:
        (var / "beat").mkdir()
        wanted = programs(host="127.0.0.1", port=port, web_workers=1, var=var)
        return {program.name: list(program.command) for program in wanted}

    with built(all_of_it) as house:
        yield house


def test_each_of_5000_accepted_events_has_one_outcome_though_everything_is_killed(
    house: House, receiver: Receiver, port: int
) -> None:
    setting_up = f"from tests.journeys.storm import listen; listen({receiver.url!r})"
    path = manage(house.environment, "shell", "--no-imports", "--command", setting_up).strip()
    house.start()
    every = requests()
    senders = [Sender(port, path, every[number::SENDERS]) for number in range(SENDERS)]
    threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
    for thread in threads:
        thread.start()

    def accepted() -> int:
        return sum(sum(list(sender.accepted.values())) for sender in senders)

    for part, share in KILLED.items():
        wait_for(partial(reaches, accepted, share * EVENTS), f"{share:.0%} are accepted", seconds=PATIENCE_SECONDS)
        house.kill(part)
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert accepted() == EVENTS
    wait_for(lambda: house.count(UNSETTLED) == 0, f"all is taken in; logs are in {house.var}", seconds=PATIENCE_SECONDS)
    # What died in the middle of a try is held by its lease; a minute may pass at once.
    house.rows("UPDATE oncall_page SET due_at = now() WHERE state = 'sending' RETURNING id")
    wait_for(lambda: house.count(UNSENT) == 0, f"all is sent; logs are in {house.var}", seconds=PATIENCE_SECONDS)
    house.stop()
    check(house, receiver, {number: events for sender in senders for number, events in sender.accepted.items()})
    house.is_proved = True


def reaches(count: Callable[[], int], wanted: float) -> bool:
    return count() >= wanted


def check(house: House, receiver: Receiver, accepted: dict[int, int]) -> None:
    """What must be true after whatever happened."""
    # Whatever a sender was told is stored, and each of its events has one outcome.
    stored = {number: (state, told, events) for number, state, told, events in house.rows(STATES)}
    assert {number: stored.get(number) for number in accepted} == {
        number: ("done", events, events) for number, events in accepted.items()
    }
    # Each key opened one alert, however often it was sent and by whatever it was interrupted.
    outcomes = Counter(outcome for outcome, _alert in house.rows(TOLD))
    keys = EVENTS // 2 + REPEATED_KEYS // 2
    assert house.rows("SELECT count(*), count(DISTINCT dedup_key) FROM alerts_alert") == [(keys, keys)]
    assert set(outcomes) == {"paged", "recorded", "deduplicated"}
    assert outcomes["paged"] + outcomes["recorded"] == keys
    assert house.count("SELECT sum(count) FROM alerts_alert") == sum(outcomes.values()) >= EVENTS
    # Who was to be paged was, for each of them.
    assert outcomes["paged"] == EVENTS // CRITICAL_EVERY
    assert house.rows("SELECT count(*), count(DISTINCT escalation_id) FROM oncall_page") == [(outcomes["paged"],) * 2]
    assert len(receiver.pages) == outcomes["paged"]
    # And the ledger says so.
    said = json.loads(manage(house.environment, "audit_alerts", "--json"))
    assert (said["holds"], said["problems"]) == (True, [])
    assert said["accepted"] == sum(said["outcomes"].values()) == sum(outcomes.values())
    assert (said["failed"], said["waiting_to_be_processed"]) == (0, 0)
