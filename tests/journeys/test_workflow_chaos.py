"""Five hundred runs while their workers are killed at random: the effect of each step happens once.

What is proved: SIGKILL finds workers before, within and after each kind of step (one that is done in the database, one
that is done outside, a loop, one that is left out), and no effect is lost or doubled, but for what is outside, which
comes again under the same key. Most runs are taken by forks of a small process, so that many can die in a few seconds;
the last ones by Celery's workers of the queue, started as in production, of which all but one die as well.
"""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from accounts.actor import Actor
from events.models import Event
from incidents.models import Incident, TimelineEntry
from tests.factories import incidents
from tests.factories.workflows import running, step
from tests.journeys import marking
from tests.journeys.chores import CELERY_WORKERS, THREADS
from workflows.models import StepRun, Workflow, WorkflowRun, WorkflowVersion
from workflows.starting import start_run

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
RUNS = 500
# So many of them are about an incident, which a note is then left in.
NOTED, INCIDENTS = 40, 4
# Two of five call the world outside.
OF_EACH, CALLING = 5, 2
CALLS = {"fact": "event.data.calls", "operator": "is", "value": True}
IS_ABOUT_ONE = {"fact": "incident.reference", "operator": "exists"}
KILLS, FEWEST_KILLS = 14, 6
LEFT_TO_CELERY = 120
SEED = 20_261_122


class World(ThreadingHTTPServer):
    """The world outside: it counts the keys that it is sent, and takes a moment, so that some die in the middle."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.keys: Counter[str] = Counter()
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever called has been killed meanwhile."""


class Answers(BaseHTTPRequestHandler):
    server: World

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.keys[self.headers["Idempotency-Key"]] += 1
        time.sleep(0.005)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def world() -> Generator[World]:
    server = World()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_each_effect_of_500_runs_happens_once_though_workers_are_killed(world: World) -> None:
    now = timezone.now()
    begin(world, now)
    done = subprocess.run(
        [sys.executable, "-m", "tests.journeys.chores", str(KILLS), str(SEED), str(LEFT_TO_CELERY)],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    forks, celery = (int(each) for each in done.stdout.split()[-2:])
    assert forks >= FEWEST_KILLS
    assert celery == CELERY_WORKERS - 1

    runs = list(WorkflowRun.objects.order_by("pk").values_list("pk", "state"))
    assert Counter(state for _pk, state in runs) == {"done": RUNS}
    assert Counter(StepRun.objects.values_list("path", "state")) == Counter(
        {
            **{(path, "done"): RUNS for path in ("each", "each.0.turn")},
            ("call", "done"): RUNS * CALLING // OF_EACH,
            ("call", "skipped"): RUNS - RUNS * CALLING // OF_EACH,
            ("note", "done"): NOTED,
            ("note", "skipped"): RUNS - NOTED,
        }
    )
    # In the database: exactly once.
    marked = Counter(event.data["text"] for event in Event.objects.filter(name="chaos.marked"))
    assert marked == Counter(f"{pk} {name}" for pk, _state in runs for name in ("turn 1",))
    notes = Counter(TimelineEntry.objects.filter(kind="note").values_list("text", flat=True))
    assert notes == Counter(f"{pk} noted" for pk, _state in runs[:NOTED])
    # Outside: once, or again under the same key where a worker died before it could write down that it was done.
    called = {f"workflow-{pk}-call" for number, (pk, _state) in enumerate(runs) if number % OF_EACH < CALLING}
    assert set(world.keys) == called
    assert sum(world.keys.values()) <= len(called) + forks + THREADS * celery
    # And the timelines have no gaps.
    for incident in Incident.objects.all():
        assert incident.timeline.count() == incident.last_sequence


def begin(world: World, now: datetime) -> None:
    """Starts the runs, of one workflow."""
    turn = step(marking.Mark.kind, "turn", text="{{ run.id }} turn {{ loop.index }}")
    made: Workflow = running(
        step("http_request", "call", url=f"http://127.0.0.1:{world.server_port}/", body="{}", conditions=CALLS),
        step("loop", "each", over="event.data.words", **{"as": "word"}, steps=[turn]),
        step("add_note", "note", text="{{ run.id }} noted", conditions=IS_ABOUT_ONE),
        trigger={"kind": "person"},
    )
    version = WorkflowVersion.objects.select_related("workflow").get(workflow=made)
    declared = [incidents.incident(severity="sev4", now=now) for _ in range(INCIDENTS)]
    with transaction.atomic():
        for number in range(RUNS):
            start_run(
                actor=Actor.system(),
                version=version,
                trigger="person",
                dedup_key=f"chaos-{number}",
                now=now,
                incident=declared[number % INCIDENTS] if number < NOTED else None,
                facts={"event": {"data": {"words": ["a"], "calls": number % OF_EACH < CALLING}}},
            )


def environment() -> dict[str, str]:
    """That of a process which works on the database of this test."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = connections["default"].settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OUTBOUND_PRIVATE_ADDRESSES": "True",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": settings.SECRET_KEY,
    }
