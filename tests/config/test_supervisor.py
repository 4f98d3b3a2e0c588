"""The supervisor restarts what dies, gives up on what keeps dying, and leaves nothing behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from config.supervisor import Program, Supervisor, console_line

SLEEPER = Program("sleeper", [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"])
SHORT_LIVED = Program("short-lived", [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"])
STUBBORN_PARENT = Program(
    "stubborn",
    [
        sys.executable,
        "-c",
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); time.sleep(60)",
    ],
)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, said: list[str]) -> Generator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def start(*programs: Program) -> Supervisor:
        supervisor = Supervisor(programs, var=tmp_path, environment=os.environ, say=said.append)
        made.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in made:
        supervisor.stop()


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def process_of(supervisor: Supervisor) -> subprocess.Popen[bytes]:
    process = supervisor.children[0].process
    assert process is not None
    return process


def test_a_program_that_dies_is_started_again_after_a_pause(
    supervise: Callable[..., Supervisor], said: list[str]
) -> None:
    supervisor = supervise(SLEEPER)
    first = process_of(supervisor)
    wait_for(lambda: supervisor.children[0].last_words == "up", "the program never started")
    first.kill()
    first.wait()
    now = time.monotonic()
    assert supervisor.look_after(now) is None
    assert supervisor.look_after(now + 0.5) is None
    assert supervisor.children[0].process is None
    assert supervisor.look_after(now + 1.1) is None
    assert process_of(supervisor).pid != first.pid
    assert len(said) == 1
    assert said[0].startswith("sleeper ended (killed by signal 9: up); starting it again in 1 s. Its log: ")


def test_pauses_double_and_the_fifth_death_in_a_row_ends_everything(
    supervise: Callable[..., Supervisor], said: list[str]
) -> None:
    supervisor = supervise(SHORT_LIVED)
    now, reason = time.monotonic(), None
    while reason is None:
        process = supervisor.children[0].process
        if process:
            process.wait(10)
        reason = supervisor.look_after(now)
        now += 1
    assert "short-lived ended (exit code 3: no such table), 5 times in a row" in reason
    assert [line.partition("again in ")[2].split()[0] for line in said] == ["1", "2", "4", "8"]


def test_deaths_far_apart_are_not_counted_together(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(SLEEPER)
    child = supervisor.children[0]
    child.deaths = 4
    process_of(supervisor).kill()
    process_of(supervisor).wait()
    assert supervisor.look_after(child.started_at + 3600) is None
    assert child.deaths == 1


def test_stopping_leaves_no_process_behind_even_if_one_ignores_the_request(
    supervise: Callable[..., Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.supervisor.PATIENCE_SECONDS", 0.3)
    supervisor = supervise(STUBBORN_PARENT)
    log = tmp_path / "log" / "stubborn.log"
    wait_for(lambda: log.read_text().strip(), "the program never started")
    grandchild = int(log.read_text())
    parent = process_of(supervisor)
    supervisor.stop()
    assert parent.poll() is not None
    wait_for(lambda: not psutil.pid_exists(grandchild) or is_zombie(grandchild), "a grandchild was left behind")


def is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_output_goes_to_a_log_of_its_own(supervise: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervise(SLEEPER)
    wait_for(lambda: (tmp_path / "log" / "sleeper.log").read_text() == "up\n", "nothing in the log")


def test_the_console_shows_warnings_and_worse_in_short() -> None:
    warning = '{"level": "warning", "event": "poke_failed", "task": "oncall.tick", "error": "refused"}'
    assert console_line("web", warning) == "web: warning: poke_failed task=oncall.tick error=refused"


@pytest.mark.parametrize(
    "line",
    [
        '{"level": "info", "event": "request_finished"}',
        '{"level": "warning", "event": "request_finished", "code": 404}',
        "{not json",
        "plain text",
    ],
)
def test_the_console_shows_nothing_of_everyday_lines(line: str) -> None:
    assert console_line("web", line) is None
