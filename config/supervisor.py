"""How one command keeps the web server, the workers and beat running: starts, restarts with back-off, stops."""

import json
import logging
import logging.handlers
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from config import processes

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
LOG_BYTES, LOG_COPIES = 20_000_000, 3
STEADY_SECONDS = 60.0
DEATHS_IN_A_ROW = 5
PATIENCE_SECONDS = 10.0
CONSOLE_LEVELS = {"warning", "error", "critical"}


@dataclass(frozen=True)
class Program:
    """One part of Sitrep that runs as a process of its own."""

    name: str
    command: Sequence[str]


@dataclass
class Child:
    """A running program and how it fares."""

    program: Program
    log: logging.Logger
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = 0.0
    last_words: str = ""
    readers: list[threading.Thread] = field(default_factory=list)


def programs(*, host: str, port: int, web_workers: int, var: Path, hears_mail: bool = False) -> list[Program]:
    """Returns what makes up Sitrep on one machine. Paging has a worker of its own: nothing can stand in front of it.

    `hears_mail` adds the listener for alerts by mail.
    """
    python = sys.executable
    web = [python, "-m", "uvicorn", "config.asgi:application", "--host", host, "--port", str(port)]
    # Django alone decides which proxy it believes (TRUSTED_PROXIES), and it logs the requests.
    web += ["--lifespan", "off", "--no-server-header", "--no-access-log", "--no-proxy-headers"]
    web += ["--timeout-graceful-shutdown", "3", "--workers", str(web_workers)]
    # Each socket would compress what is sent to all of them by itself.
    web += ["--ws-per-message-deflate", "false"]
    return [
        Program("web", web),
        Program("worker-paging", worker(python, queue="paging")),
        Program("worker-default", worker(python, queue="default")),
        Program("worker-workflows", worker(python, queue="workflows", threads=2)),
        Program(
            "beat", [python, "-m", "celery", "-A", "config", "beat", "-s", str(var / "beat" / "schedule"), "--pidfile="]
        ),
        *([Program("mail", [python, str(MANAGE), "receive_mail"])] if hears_mail else []),
    ]


def worker(python: str, *, queue: str, threads: int = 4) -> list[str]:
    """Returns the command of a worker for one queue. Its tasks wait for others most of the time: threads will do."""
    command = [python, "-m", "celery", "-A", "config", "worker", "-Q", queue, "-n", f"{queue}@%h"]
    return [*command, "-P", "threads", "-c", str(threads), "--without-gossip", "--without-mingle"]


class Supervisor:
    """Runs programs until told to stop. `say` gets the few lines that belong on the console; the rest goes to `log`."""

    def __init__(
        self, wanted: Sequence[Program], *, var: Path, environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.log_directory = var / "log"
        self.log_directory.mkdir(parents=True, exist_ok=True)
        (var / "beat").mkdir(exist_ok=True)
        self.metrics_directory = var / "metrics"
        self.environment = {
            **environment,
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics_directory),
            "PYTHONUNBUFFERED": "1",
        }
        self.say = say
        self.children = [Child(program, self._open_log(program.name)) for program in wanted]

    def start(self) -> None:
        """Starts all programs at once."""
        shutil.rmtree(self.metrics_directory, ignore_errors=True)
        self.metrics_directory.mkdir(parents=True)
        for child in self.children:
            self._start(child)

    def look_after(self, now: float) -> str | None:
        """Restarts what died and whose turn it is; returns a reason to give up, or None. `now` is time.monotonic()."""
        for child in self.children:
            if child.process is None:
                if now >= child.start_at:
                    self._start(child)
            elif child.process.poll() is not None:
                reason = self._note_death(child, now)
                if reason:
                    return reason
        return None

    def stop(self) -> None:
        """Asks all to finish what they are doing, waits, kills the rest; returns when they are gone."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            processes.ask_to_stop(process)
        deadline = time.monotonic() + PATIENCE_SECONDS
        for process in running:
            processes.wait_or_kill(process, max(0.1, deadline - time.monotonic()))
        for child in self.children:
            child.process = None
            for reader in child.readers:
                reader.join(2)

    def _open_log(self, name: str) -> logging.Logger:
        log = logging.Logger(f"sitrep.{name}")  # it writes a file and takes no part in the logging tree
        handler = logging.handlers.RotatingFileHandler(
            self.log_directory / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_COPIES, encoding="utf-8"
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        return log

    def _start(self, child: Child) -> None:
        child.process = processes.spawn(child.program.command, output=subprocess.PIPE, environment=self.environment)
        child.started_at, child.last_words = time.monotonic(), ""
        assert child.process.stdout is not None  # noqa: S101  (asked for above)
        reader = threading.Thread(target=self._read, args=(child, child.process.stdout), daemon=True)
        reader.start()
        child.readers = [*(old for old in child.readers if old.is_alive()), reader]

    def _note_death(self, child: Child, now: float) -> str | None:
        process = child.process
        assert process is not None  # noqa: S101  (the caller saw it die)
        processes.wait_or_kill(process, 0)
        for reader in child.readers:
            reader.join(1)
        child.deaths = 1 if now - child.started_at > STEADY_SECONDS else child.deaths + 1
        child.process = None
        name, log = child.program.name, self.log_directory / f"{child.program.name}.log"
        ending = f"{name} ended ({exit_reason(process.returncode)}{child.last_words and ': ' + child.last_words})"
        if child.deaths >= DEATHS_IN_A_ROW:
            return f"{ending}, {child.deaths} times in a row. Its log: {log}"
        delay = 2 ** (child.deaths - 1)
        child.start_at = now + delay
        self.say(f"{ending}; starting it again in {delay} s. Its log: {log}")
        return None

    def _read(self, child: Child, output: IO[bytes]) -> None:
        for raw in output:
            line = raw.decode(errors="replace").rstrip()
            if not line:
                continue
            child.log.info("%s", line)
            child.last_words = line[:300] if not line.startswith("{") else child.last_words
            warning = console_line(child.program.name, line)
            if warning:
                self.say(warning)


def console_line(name: str, line: str) -> str | None:
    """Returns the short form of a JSON log line that a person at the console should see, or None."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    # A refused request (404, 403, …) is somebody's typo; the web log has it.
    refused = entry.get("event") == "request_finished" and entry.get("level") == "warning"
    if entry.get("level") not in CONSOLE_LEVELS or refused:
        return None
    details = " ".join(f"{key}={entry[key]}" for key in ("request", "code", "task", "error") if entry.get(key))
    event = " ".join(str(entry.get("event", "")).split())[:300]
    return f"{name}: {entry['level']}: {event}{' ' + details if details else ''}"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Becomes one of the programs, for containers: `python -m config.supervisor web`."""
    var = Path(environment.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var")
    known = {
        program.name: program
        for program in programs(
            host=environment.get("HOST") or "127.0.0.1",
            port=int(environment.get("PORT") or 8000),
            web_workers=int(environment.get("WEB_WORKERS") or 1),
            var=var,
            hears_mail=True,
        )
    }
    if len(arguments) != 1 or arguments[0] not in known:
        sys.exit(f"Name one of: {', '.join(known)}.")
    (var / "beat").mkdir(parents=True, exist_ok=True)
    if arguments == ["web"] and environment.get("PROMETHEUS_MULTIPROC_DIR"):
        # The numbers of processes that are gone.
        for path in Path(environment["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db"):
            path.unlink()
    os.execv(sys.executable, list(known[arguments[0]].command))  # noqa: S606


def exit_reason(code: int) -> str:
    """Tells in words how a process ended."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
