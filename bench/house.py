"""A Sitrep of its own that runs with all its processes, for benchmarks that measure the whole way."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

from config.engines import Engines
from config.supervisor import Supervisor, programs

ROOT = Path(__file__).resolve().parent.parent
PORT = int(os.environ.get("PORT", "8790"))


@dataclass(frozen=True)
class Installation:
    """A Sitrep that runs: what setting it up printed, where its rows are, what its processes are told."""

    told: str
    database_url: str
    environment: dict[str, str]


@contextmanager
def installation(set_up: str, *, web_workers: int = 1) -> Iterator[Installation]:
    """A Sitrep of its own with everything running, set up by a few lines for Django's shell."""
    with tempfile.TemporaryDirectory(prefix="sitrep-bench-") as directory:
        var = Path(directory) / "var"
        engines = Engines(var, say=say)
        addresses = engines.start()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "VAR_DIR": str(var),
            "SECRET_KEY": "a-key-for-benchmarks-only-" + "0" * 50,
            "OUTBOUND_PRIVATE_ADDRESSES": "True",
        }
        wanted = programs(host="127.0.0.1", port=PORT, web_workers=web_workers, var=var)
        supervisor = Supervisor(wanted, var=var, environment=environment, say=say)
        try:
            manage(environment, "migrate", "--verbosity", "0")
            told = manage(environment, "shell", "--no-imports", "--command", set_up)
            supervisor.start()
            wait_until_ready()
            yield Installation(told, addresses.database_url, environment)
        finally:
            supervisor.stop()
            engines.stop()


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command printed."""
    command = [sys.executable, "manage.py", *arguments]
    finished = subprocess.run(  # noqa: S603  (a command of our own)
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return finished.stdout


def wait_until_ready() -> None:
    """Returns when the web server, the broker and the paging engine work."""
    for _ in range(300):
        with suppress(OSError):
            if urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).status == HTTPStatus.OK:
                return
        time.sleep(0.2)
    raise RuntimeError("Sitrep did not become ready within a minute.")


def say(line: str) -> None:
    """For the person who waits."""
    sys.stderr.write(f"{line}\n")
