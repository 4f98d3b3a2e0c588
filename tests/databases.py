"""Databases by copying: one that is migrated, one that is filled too, made once and kept until the code changes."""

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
MIGRATED, FILLED = "template_migrated_", "template_filled_"
# Any number that nobody else locks: one process at a time makes or copies a template.
LOCK = 7_402_915_633

Connection = psycopg.Connection[tuple[object, ...]]


def migrated_database() -> str:
    """Returns the name of an empty, migrated database to copy; it is made if the code has changed."""
    with server() as connection:
        return kept(connection, MIGRATED, (), migrate)


@contextmanager
def filled_database(fill: Callable[[str], None], *, depends_on: Iterable[str]) -> Generator[str]:
    """Copies the database that `fill(address)` fills and returns the copy's address; drops the copy at the end.

    `fill` gets a migrated database, and only if nobody has filled one yet with the code as it is, today, and with the
    values of `depends_on`.
    """
    name = f"journey_{secrets.token_hex(4)}"
    with server() as connection:
        migrated = kept(connection, MIGRATED, (), migrate)
        # The demo begins in this week.
        today = datetime.now(UTC).date().isoformat()
        filled = kept(connection, FILLED, [*depends_on, today], fill, copy_of=migrated)
        copy(connection, filled, name)
    try:
        yield address_of(name)
    finally:
        with server() as connection:
            drop(connection, name)


def migrate(address: str) -> None:
    """Brings an empty database up to date."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": address}, check=True)


def kept(
    connection: Connection,
    prefix: str,
    depends_on: Iterable[str],
    fill: Callable[[str], None],
    *,
    copy_of: str = "template1",
) -> str:
    """Returns the template's name; makes it, whole or not at all, in the place of one of yesterday or of other code."""
    template = prefix + digest_of(depends_on)
    stored = templates(connection, prefix)
    if template not in stored:
        for stale in stored:
            drop(connection, stale)
        unfinished = f"{prefix}unfinished"
        copy(connection, copy_of, unfinished)
        fill(address_of(unfinished))
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(template)))
    return template


def digest_of(values: Iterable[str]) -> str:
    """Returns what changes with the code and with the values."""
    digest = hashlib.sha256()
    # The apps, and the packages that bring migrations of their own.
    apps = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
    sources = sorted(path for app in apps for kind in ("*.py", "*.yaml") for path in app.rglob(kind))
    for path in [ROOT / "requirements.txt", *sources]:
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    for value in values:
        digest.update(f"\0{value}".encode())
    return digest.hexdigest()[:16]


def templates(connection: Connection, prefix: str) -> list[str]:
    """Returns the names of the templates that this server has, an unfinished one included."""
    found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    return [str(name) for (name,) in found]


def copy(connection: Connection, template: str, name: str) -> None:
    """Makes a database that holds what the template holds."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))


def drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server() -> Generator[Connection]:
    """Connects to the tests' server, alone: the lock is in the database that all share, and ends with it."""
    with psycopg.connect(os.environ["DATABASE_URL"], dbname="postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield connection


def address_of(name: str) -> str:
    """Returns the address of a database beside that of the tests."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    # Not urlunsplit: it drops the empty host of an address with a unix socket.
    return f"{parts.scheme}://{parts.netloc}/{name}{'?' if parts.query else ''}{parts.query}"
