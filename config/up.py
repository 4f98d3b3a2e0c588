"""What `make run` does, from nothing to a printed address: engines, migrations, the first start, processes, the end."""

import http.client
import os
import secrets
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from types import FrameType

import django
import psycopg
import redis
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from config import processes
from config.engines import Addresses, EngineError, Engines, Places
from config.kept_secrets import kept_secret, write_private
from config.supervisor import Supervisor, programs

BASE_DIR = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0


class RefusalError(Exception):
    """Sitrep can't start. The message is one line that says what to do."""


@dataclass(frozen=True)
class Options:
    """What the environment says about this run."""

    host: str
    port: int
    web_workers: int
    var: Path
    own: Addresses | None


def options_from(environment: dict[str, str]) -> Options:
    """Reads HOST, PORT, WEB_WORKERS, VAR_DIR, DATABASE_URL, REDIS_URL and their _FILE forms. Raises RefusalError."""
    database_url, redis_url = secret(environment, "DATABASE_URL"), secret(environment, "REDIS_URL")
    if bool(database_url) != bool(redis_url):
        given, missing = ("DATABASE_URL", "REDIS_URL") if database_url else ("REDIS_URL", "DATABASE_URL")
        raise RefusalError(f"{given} is set, but {missing} is not: set both to use engines of your own, or neither.")
    return Options(
        host=environment.get("HOST") or "127.0.0.1",
        port=whole_number(environment, "PORT", 8000, largest=65535),
        web_workers=whole_number(environment, "WEB_WORKERS", 1, largest=64),
        var=Path(environment.get("VAR_DIR") or BASE_DIR / "var").resolve(),
        own=Addresses(database_url, redis_url) if database_url else None,
    )


def secret(environment: dict[str, str], name: str) -> str:
    """Returns the variable, or what stands in the file that its _FILE form names."""
    filename = environment.get(f"{name}_FILE", "")
    try:
        return environment.get(name, "") or (Path(filename).read_text().strip() if filename else "")
    except OSError as error:
        raise RefusalError(f"{name}_FILE points at {filename}, which can't be read: {error.strerror}.") from error


def whole_number(environment: dict[str, str], name: str, otherwise: int, *, largest: int) -> int:
    """Returns the variable as a number between 1 and `largest`. Raises RefusalError."""
    text = environment.get(name) or str(otherwise)
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise RefusalError(f"{name} must be a number from 1 to {largest}, not {text!r}.")
    return int(text)


def check_port_is_free(host: str, port: int) -> None:
    """Raises RefusalError if the web server could not listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        raise RefusalError(f"HOST={host} is not an address of this machine ({error.strerror}).") from error
    except PermissionError as error:
        raise RefusalError(f"Port {port} needs root: choose another one, for example `make run PORT=8000`.") from error
    except OSError as error:
        if error.errno is not None and "in use" in os.strerror(error.errno):
            raise RefusalError(
                f"Port {port} on {host} is taken: stop what listens there, or choose another one, "
                f"for example `make run PORT={port + 1 if port < 65535 else 8000}`."
            ) from error
        raise RefusalError(f"Sitrep can't listen on {host} port {port}: {error.strerror}.") from error


def check_answers(own: Addresses) -> None:
    """Raises RefusalError if one of the operator's own engines does not answer."""
    try:
        psycopg.connect(own.database_url, connect_timeout=5).close()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise RefusalError(
            f"DATABASE_URL: PostgreSQL does not answer: start it or correct the address. ({reason})"
        ) from error
    try:
        redis.Redis.from_url(own.redis_url, socket_connect_timeout=5, socket_timeout=5).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise RefusalError(
            f"REDIS_URL: the broker does not answer: start it or correct the address. ({error})"
        ) from error


class Run:
    """One `make run`, from its start to its end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stop_asked = threading.Event()
        self.make = os.getppid() if "MAKELEVEL" in os.environ else 0
        self.make_catches_interrupts = bool(self.make) and processes.catches(self.make, signal.SIGINT)
        self.engines: Engines | None = None
        self.supervisor: Supervisor | None = None

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Handles SIGINT, SIGTERM and SIGHUP: the next step sees it."""
        self.stop_asked.set()

    def go(self) -> None:
        """Starts everything, looks after it until told to stop, stops it. Raises RefusalError or EngineError."""
        try:
            for step in (
                self.check_settings,
                self.start_engines,
                self.prepare_data,
                self.start_programs,
                self.look_after,
            ):
                if self.stop_asked.is_set():
                    break
                step()
        finally:
            self.end()

    def check_settings(self) -> None:
        """Puts this run's addresses and secrets into the environment, and reads the settings, which may refuse."""
        options = self.options
        check_port_is_free(options.host, options.port)
        if options.own:
            check_answers(options.own)
        addresses = options.own or Places(options.var).addresses
        os.environ |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        os.environ |= {"HOST": options.host, "PORT": str(options.port), "VAR_DIR": str(options.var)}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        try:
            options.var.mkdir(parents=True, exist_ok=True)
            if not secret(dict(os.environ), "SECRET_KEY"):
                kept_secret(options.var / "secret-key", secrets.token_urlsafe(64))
        except OSError as error:
            raise RefusalError(f"{options.var} can't be used ({error.strerror}): set VAR_DIR.") from error
        # Reading one reads them all.
        if settings.DEBUG:
            say("DEBUG is on: error pages show internals. Never let others reach this site.")
        if settings.ALERT_MAIL_PORT:
            check_port_is_free(settings.ALERT_MAIL_HOST, settings.ALERT_MAIL_PORT)

    def start_engines(self) -> None:
        """Starts PostgreSQL and Valkey, unless the operator has them, and tells other commands where they are."""
        if self.options.own:
            return
        say("Starting PostgreSQL and Valkey …")
        self.engines = Engines(self.options.var, say=say)
        addresses = self.engines.start()
        lines = f"DATABASE_URL={addresses.database_url}\nREDIS_URL={addresses.redis_url}\n"
        write_private(self.options.var / "engines.env", lines)

    def prepare_data(self) -> None:
        """Brings the database up to date; on the first start fills it."""
        django.setup()
        migrated = StringIO()
        call_command("migrate", interactive=False, verbosity=1, stdout=migrated)
        applied = migrated.getvalue().count("... OK")
        if applied:
            say(f"Brought the database up to date ({applied} migrations).")
        if not self.stop_asked.is_set():
            call_command("first_start", stdout=sys.stdout)
        connections.close_all()

    def start_programs(self) -> None:
        """Starts web, workers and beat, and prints where to look once they answer."""
        options = self.options
        wanted = programs(
            host=options.host,
            port=options.port,
            web_workers=options.web_workers,
            var=options.var,
            hears_mail=bool(settings.ALERT_MAIL_PORT),
        )
        self.supervisor = Supervisor(wanted, var=options.var, environment=os.environ, say=say)
        started_at, deadline = timezone.now(), time.monotonic() + READY_SECONDS
        self.supervisor.start()
        # The paging engine has done a round too: the first alert is then paged without a wait.
        while not (answers(options.host, options.port, "/healthz") and paging_engine_ran_since(started_at)):
            self.check()
            if self.stop_asked.wait(0.1):
                return
            if time.monotonic() > deadline:
                raise RefusalError(
                    f"nothing answered within {READY_SECONDS:.0f} s; the logs in {options.var / 'log'} say why."
                )
        call_command("welcome", stdout=sys.stdout)
        connections.close_all()

    def look_after(self) -> None:
        """Keeps all running until told to stop."""
        while not self.stop_asked.wait(0.25):
            self.check()

    def check(self) -> None:
        """Raises RefusalError when Sitrep can't go on."""
        if self.make_catches_interrupts and not processes.catches(self.make, signal.SIGINT):
            # `kill -INT` on make alone: it stops catching, waits for us, and tells us nothing (SIGTERM it passes on).
            self.stop_asked.set()
        fallen = self.engines.fallen() if self.engines else None
        reason = fallen or (self.supervisor.look_after(time.monotonic()) if self.supervisor else None)
        if reason:
            raise RefusalError(f"{reason}.")

    def end(self) -> None:
        """Stops the processes, then the engines."""
        if self.supervisor or self.engines:
            say("Stopping …")
        if self.supervisor:
            self.supervisor.stop()
        if self.engines:
            (self.options.var / "engines.env").unlink(missing_ok=True)
            self.engines.stop()
            say("Stopped; the data is kept.")


def answers(host: str, port: int, path: str) -> bool:
    """Tells whether the web server answers 200 at this path."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def paging_engine_ran_since(instant: datetime) -> bool:
    """Tells whether an engine of this run, not of an earlier one, has beaten."""
    return bool(apps.get_model("oncall", "EngineBeat").objects.filter(name="tick", beat_at__gte=instant).exists())


def say(line: str) -> None:
    """Prints a line for the person at the console."""
    print(line, flush=True)  # noqa: T201


def main() -> int:
    """Runs Sitrep and returns the exit code: 0 when asked to stop, 1 when it could not go on."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # each line at once, into a pipe or a file too
    if "MAKELEVEL" in os.environ:
        processes.die_with_parent(signal.SIGTERM)
    try:
        run = Run(options_from(dict(os.environ)))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under `nohup` a hangup stays ignored.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, run.ask_to_stop)
        run.go()
    except (RefusalError, EngineError) as error:
        print(f"Sitrep can't run: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
