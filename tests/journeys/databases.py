"""Which database a journey gets: a copy of one that is migrated and filled once, and kept until the code changes."""

import hashlib
import os
import secrets
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "journey_template_"
# Any number that nobody else locks: one process at a time makes or copies a template.
LOCK = 7_402_915_633

Connection = psycopg.Connection[tuple[object, ...]]


@contextmanager
def filled_database(fill: Callable[[str], None], *, depends_on: Iterable[str]) -> Generator[str]:
    """Copies the database that `fill(address)` fills and returns the copy's address; drops the copy at the end.

    `fill` runs only if nobody has filled one yet with the code as it is, today, and with the values of `depends_on`.
    """
    name, template = f"journey_{secrets.token_hex(4)}", template_name(depends_on)
    with server() as connection:
        # The lock ends with the connection, also when this process is killed.
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if template not in templates(connection):
            make_template(connection, template, fill)
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield address_of(name)
    finally:
        with server() as connection:
            drop(connection, name)


def template_name(depends_on: Iterable[str]) -> str:
    """Returns a name that changes with the code, with the day (the demo begins in this week), and with the values."""
    digest = hashlib.sha256(datetime.now(UTC).date().isoformat().encode())
    # The apps, and the packages that bring migrations of their own.
    apps = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
    sources = sorted(path for app in apps for kind in ("*.py", "*.yaml") for path in app.rglob(kind))
    for path in [ROOT / "requirements.txt", *sources]:
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    for value in depends_on:
        digest.update(f"\0{value}".encode())
    return TEMPLATE + digest.hexdigest()[:16]


def make_template(connection: Connection, template: str, fill: Callable[[str], None]) -> None:
    """Makes a template, whole or not at all, in the place of those of yesterday or of other code."""
    for stale in templates(connection):
        drop(connection, stale)
    unfinished = f"{TEMPLATE}unfinished"
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    fill(address_of(unfinished))
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(template)))


def templates(connection: Connection) -> list[str]:
    """Returns the names of the templates that this server has, an unfinished one included."""
    found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATE])
    return [str(name) for (name,) in found]


def drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def server() -> Connection:
    """Connects to the tests' server; to the database that all who use it share, so that the lock is common to them."""
    return psycopg.connect(os.environ["DATABASE_URL"], dbname="postgres", autocommit=True)


def address_of(name: str) -> str:
    """Returns the address of a database beside that of the tests."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    # Not urlunsplit: it drops the empty host of an address with a unix socket.
    return f"{parts.scheme}://{parts.netloc}/{name}{'?' if parts.query else ''}{parts.query}"
