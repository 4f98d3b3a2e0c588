"""Starts a real PostgreSQL and a real Valkey for the tests, before Django reads its settings.

Loaded with `-p tests.engines`. One pair serves the whole run: the controlling process starts and stops it, its xdist
workers inherit the addresses, each with a Valkey database of its own (pytest-django makes each its own PostgreSQL
database). Data is kept under var/test/, a slot for each run that goes on at the same time; `--reuse-db` finds it again.
With DATABASE_URL and REDIS_URL set, those are used and nothing is started.
"""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from config.engines import EngineError, Engines

SLOTS = 8
VAR = Path(__file__).resolve().parent.parent / "var" / "test"
started: list[Engines] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Runs before pytest-django loads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        use_own_valkey_database(int(worker.removeprefix("gw")))
    elif os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        use_environment(VAR / "own")
    else:
        start_engines()
    yield


def pytest_unconfigure() -> None:
    """Stops what this process started."""
    while started:
        started.pop().stop()


def start_engines() -> None:
    """Starts the pair in the first free slot and puts its addresses into the environment."""
    refusal = ""
    for slot in range(SLOTS):
        engines = Engines(VAR / str(slot), say=say, durable=False)
        try:
            addresses = engines.start()
        except EngineError as error:
            refusal = str(error)
            if "already runs" in refusal:
                continue
            break
        started.append(engines)
        os.environ |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        use_environment(engines.places.var)
        return
    raise pytest.UsageError(f"The tests need PostgreSQL and Valkey: {refusal}")


def use_environment(var: Path) -> None:
    """Keeps the tests' files and secrets apart from those of `make run`."""
    os.environ |= {"VAR_DIR": str(var), "SECRET_KEY": "a-key-for-tests-only-" + "0" * 50}


def use_own_valkey_database(number: int) -> None:
    """Points this xdist worker at its own database: worker 0 at 1, because the controlling process has 0."""
    address, _, _ = os.environ["REDIS_URL"].partition("?")
    if address.startswith("unix:"):
        os.environ["REDIS_URL"] = f"{address}?db={number + 1}"
    else:
        scheme, _, rest = address.partition("://")
        os.environ["REDIS_URL"] = f"{scheme}://{rest.split('/')[0]}/{number + 1}"


def say(line: str) -> None:
    """Tells the person who runs the tests, past pytest's capturing."""
    sys.__stderr__.write(f"{line}\n")  # type: ignore[union-attr]
