"""A real Sitrep for one journey: its own database, web, workers and beat as processes, and a mail server to read."""

import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config import processes
from config.kept_secrets import write_private
from config.supervisor import Program, programs
from tests.databases import filled_database

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
# The test processes use the first Valkey databases; journeys take theirs from the end.
LAST_VALKEY_DATABASE = 63
FIRST_PORT = 20_000
PORTS_EACH = 1_000
PORT_RANGES = 12
# Another run on this machine begins somewhere else.
_ports_taken = count(os.getpid() * 7)
# How long anything may take before it counts as broken: long enough for a small machine with other work.
PATIENCE_SECONDS = 60.0
HTTP_SECONDS = 30.0
# Who waits asks often, and a client of its own for each question would read the machine's certificates each time.
TLS = httpx.create_ssl_context(trust_env=False)
web = httpx.Client(timeout=HTTP_SECONDS, verify=TLS, trust_env=False)
# Known beforehand, because the database that every installation is copied from holds its hash.
ADMIN_PASSWORD = "journey-password-1"


def free_port() -> int:
    """Returns a port of the loopback interface that nothing listens on, and that nothing else here will be given.

    It lies below the ports that the kernel gives away by itself, each test process has a range of its own, and none is
    returned twice: between this answer and the server that takes the port, seconds may pass.
    """
    first = FIRST_PORT + worker_number() % PORT_RANGES * PORTS_EACH
    for number in _ports_taken:
        port = first + number % PORTS_EACH
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("The numbers never end.")


def wait_for(look: Callable[[], T], what: str, *, seconds: float = PATIENCE_SECONDS) -> T:
    """Returns what `look` returns once that is truthy; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"Not within {seconds:.0f} s: {what}"
        time.sleep(0.15)


class Mailbox:
    """A mail server that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keeps one mail (the name is aiosmtpd's)."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def saying(self, words: str) -> list[EmailMessage]:
        """Returns the mails whose subject or text holds the words, oldest first."""
        return [mail for mail in list(self.mails) if words in str(mail["Subject"]) + text_of(mail)]


def text_of(mail: EmailMessage) -> str:
    """Returns the plain text of a mail."""
    body = mail.get_body(preferencelist=("plain",))
    return str(body.get_content()) if body else ""


def links_in(mail: EmailMessage) -> list[str]:
    """Returns the addresses in the plain text of a mail."""
    return re.findall(r"https?://\S+", text_of(mail))


@dataclasses.dataclass
class Sitrep:
    """One running installation."""

    url: str
    database_url: str
    environment: dict[str, str]
    var: Path
    mailbox: Mailbox
    programs: dict[str, Program]
    running: dict[str, subprocess.Popen[bytes]]

    def start(self, *names: str) -> None:
        """Starts the named programs (default: all that do not run)."""
        for name in names or [name for name in self.programs if name not in self.running]:
            with (self.var / f"{name}.log").open("ab") as log:
                self.running[name] = processes.spawn(
                    self.programs[name].command, output=log, environment=self.environment, directory=ROOT
                )

    def stop(self, *names: str) -> None:
        """Stops the named programs (default: all) in order."""
        for name in names or list(self.running):
            processes.stop(self.running.pop(name), patience_seconds=10)

    def kill(self, name: str) -> None:
        """Kills a program and its children with SIGKILL, as the kernel does when memory runs out."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_until_ready(self) -> None:
        """Returns when the web server, the broker and the paging engine work."""
        wait_for(self._is_ready, f"/readyz answers 200; logs are in {self.var}")

    def _is_ready(self) -> bool:
        for name, process in self.running.items():
            assert process.poll() is None, f"{name} ended:\n{(self.var / f'{name}.log').read_text()[-3000:]}"
        try:
            return web.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def manage(self, *arguments: str) -> str:
        """Runs a management command and returns what it printed."""
        return manage(self.environment, *arguments)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Returns what the journey's database answers."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def signed_in(self, email: str, password: str) -> httpx.Client:
        """Returns a browser-like client after signing in by the form."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=HTTP_SECONDS, verify=TLS)
        client.get("/account/login/")
        token = client.cookies["csrftoken"]
        answer = client.post(
            "/account/login/",
            data={"login": email, "password": password, "csrfmiddlewaretoken": token},
            headers={"Referer": f"{self.url}/account/login/"},
        )
        assert "/account/login/" not in str(answer.url), f"could not sign in as {email}: {answer.status_code}"
        return client

    def post(self, client: httpx.Client, path: str, data: dict[str, object] | None = None) -> httpx.Response:
        """Sends JSON to the API with the client's session; fails unless it is a 2xx."""
        headers = {"X-CSRFToken": client.cookies["csrftoken"], "Referer": self.url}
        answer = client.post(path, json=data or {}, headers=headers)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:1000]}"
        return answer


def worker_number() -> int:
    """Returns which of pytest-xdist's processes this is."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def valkey_address() -> str:
    """Returns the address of a Valkey database that no test process uses."""
    address, number = os.environ["REDIS_URL"], LAST_VALKEY_DATABASE - worker_number()
    if address.startswith("unix:"):
        return f"{address.partition('?')[0]}?db={number}"
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/{number}"


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Runs a management command in the environment and returns what it printed; fails unless it succeeds."""
    finished = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stdout


@contextmanager
def installed(var: Path) -> Generator[Sitrep]:
    """Gives an installation that is migrated and filled as by `first_start`, with nothing running yet."""
    mailbox, web_port = Mailbox(), free_port()
    mail_server = Controller(mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=HTTP_SECONDS)
    mail_server.start()
    url = f"http://127.0.0.1:{web_port}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_POOL_SIZE": "8",
        "REDIS_URL": valkey_address(),
        "VAR_DIR": str(var),
        "HOST": "127.0.0.1",
        "PORT": str(web_port),
        "PUBLIC_URL": url,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "OUTBOUND_PRIVATE_ADDRESSES": "True",
        "PYTHONUNBUFFERED": "1",
    }
    (var / "beat").mkdir(parents=True, exist_ok=True)
    write_private(var / "admin-password", f"{ADMIN_PASSWORD}\n")

    def fill(database_url: str) -> None:
        manage(environment | {"DATABASE_URL": database_url}, "first_start")

    try:
        # The secrets in the database are encrypted with the key, and the owner has that password.
        with filled_database(fill, depends_on=[environment["SECRET_KEY"], ADMIN_PASSWORD]) as database_url:
            # What the journey before left in the broker is about rows of another database.
            with redis.Redis.from_url(environment["REDIS_URL"]) as valkey:
                valkey.flushdb()
            wanted = programs(host="127.0.0.1", port=web_port, web_workers=1, var=var)
            sitrep = Sitrep(
                url=url,
                database_url=database_url,
                environment=environment | {"DATABASE_URL": database_url},
                var=var,
                mailbox=mailbox,
                programs={program.name: program for program in wanted},
                running={},
            )
            try:
                yield sitrep
            finally:
                sitrep.stop()
    finally:
        mail_server.stop()
