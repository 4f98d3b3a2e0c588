"""`make run`, from nothing to a printed address, and from Ctrl-C to nothing left behind."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.journeys.harness import PATIENCE_SECONDS, ROOT, free_port, wait_for, web

pytestmark = pytest.mark.journey
OTHERS_SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "VAR_DIR",
    "SECRET_KEY",
    "MAKELEVEL",
    "PUBLIC_URL",
    "EMAIL_URL",
    "PYTHONUNBUFFERED",
)


@pytest.fixture
def var() -> Generator[Path]:
    # Not `tmp_path`: pytest keeps that closed to the user that runs PostgreSQL for root.
    directory = Path(tempfile.mkdtemp(prefix="run-"))
    directory.chmod(0o755)
    yield directory / "var"
    shutil.rmtree(directory)


def environment(var: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OTHERS_SETTINGS}
    return {**inherited, "VAR_DIR": str(var), **settings}


class Runner:
    """One run of the command behind `make run`, with what it printed."""

    def __init__(self, settings: Mapping[str, str], transcript: Path) -> None:
        self.transcript = transcript
        self.started_at = time.monotonic()
        with transcript.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.up"],
                cwd=ROOT,
                env=dict(settings),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        return self.transcript.read_text()

    def wait_until_up(self) -> float:
        """Returns how many seconds it took until the login was printed."""

        def is_up() -> bool:
            assert self.process.poll() is None, self.printed()
            return "Ctrl-C stops Sitrep" in self.printed()

        wait_for(is_up, "the address is printed", seconds=90)
        return time.monotonic() - self.started_at

    def family(self) -> list[psutil.Process]:
        """Returns all processes that it started, engines included."""
        return psutil.Process(self.process.pid).children(recursive=True)


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def living_in(var: Path) -> list[list[str]]:
    """Returns the commands of the processes that work in this directory."""
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [command for command in commands if any(str(var) in word for word in command)]


def test_first_start_second_start_and_the_end(var: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = environment(var, PORT=str(port))
    first = Runner(settings, tmp_path / "first")
    first.wait_until_up()
    printed = first.printed()
    password = (var / "admin-password").read_text().strip()
    assert f"http://localhost:{port}/" in printed
    assert f"admin@example.com   password {password}" in printed
    assert stat.S_IMODE((var / "admin-password").stat().st_mode) == 0o600
    assert stat.S_IMODE((var / "secret-key").stat().st_mode) == 0o600
    status_page = re.search(r"http://localhost:\d+/status/\S+", printed)
    assert status_page
    assert web.get(status_page.group()).status_code == 200

    # The line is pasted unchanged into a shell.
    line = next(line for line in printed.splitlines() if line.strip().startswith("curl "))
    fired = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert '"accepted"' in fired.stdout
    wait_for(lambda: list((var / "mail").glob("*.eml")), "the page is kept as mail")

    # Commands find the engines while it runs.
    shell = [sys.executable, "manage.py", "welcome"]
    assert password in subprocess.run(shell, cwd=ROOT, env=settings, capture_output=True, text=True, check=True).stdout

    family = first.family()
    assert len(family) >= 6
    first.process.kill()
    first.process.wait()
    if sys.platform == "linux":
        wait_for(lambda: not alive(family), "everything ends with the killed runner")

    second = Runner(settings, tmp_path / "second")
    # Ten seconds are the aim; a busy machine gets three times as long.
    assert second.wait_until_up() < 30
    assert password in second.printed()
    assert "Filling" not in second.printed()
    family = second.family()
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(PATIENCE_SECONDS) == 0, second.printed()
    assert alive(family) == []

    # Told to stop in the middle of a start, it stops all the same.
    third = Runner(settings, tmp_path / "third")
    wait_for(third.family, "the engines start")
    third.process.send_signal(signal.SIGTERM)
    assert third.process.wait(PATIENCE_SECONDS) == 0, third.printed()
    assert living_in(var) == []


def refused(settings: Mapping[str, str], tmp_path: Path) -> str:
    """Returns the one line that the runner printed before it ended with exit code 1."""
    runner = Runner(settings, tmp_path / "refused")
    assert runner.process.wait(PATIENCE_SECONDS) == 1
    lines = runner.printed().splitlines()
    assert len(lines) == 1, runner.printed()
    return lines[0]


def test_a_taken_port_is_one_line(var: Path, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        line = refused(environment(var, PORT=str(port)), tmp_path)
    assert f"Port {port} on 127.0.0.1 is taken" in line
    assert f"make run PORT={port + 1}" in line


def test_an_unreachable_database_is_one_line(var: Path, tmp_path: Path) -> None:
    url = f"postgresql://sitrep:hidden-password@127.0.0.1:{free_port()}/sitrep"
    line = refused(
        environment(var, PORT=str(free_port()), DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:1/0"), tmp_path
    )
    assert "DATABASE_URL: PostgreSQL does not answer" in line
    assert "hidden-password" not in line


def test_an_unreachable_broker_is_one_line(var: Path, tmp_path: Path) -> None:
    settings = environment(
        var,
        PORT=str(free_port()),
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    assert "REDIS_URL: the broker does not answer" in refused(settings, tmp_path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "many"}, "PORT must be a number from 1 to 65535, not 'many'"),
        ({"HOST": "no.such.host.invalid"}, "HOST=no.such.host.invalid is not an address of this machine"),
        ({"REDIS_URL": "redis://localhost"}, "REDIS_URL is set, but DATABASE_URL is not"),
        ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE points at /nowhere/key"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be json or console"),
        ({"VAR_DIR": "/proc/nothing"}, "set VAR_DIR"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line(
    var: Path, tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    assert words in refused(environment(var, **{"PORT": str(free_port()), **settings}), tmp_path)
