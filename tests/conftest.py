"""What every test may rely on: a fixed instant, and no network beyond this machine."""

import os
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
import pytest_socket
import redis
from django.conf import settings
from django.db import connections

from tests import chromium
from tests.databases import migrated_database

# Files that take longer than ten seconds each, the longest first.
LONGEST = [
    *("test_chaos", "test_workflow_chaos", "test_pages", "test_alert_chaos", "test_make_run", "test_two_browsers"),
    "test_by_hand",
    *("test_schedule_editor", "test_worker_killed", "test_push", "test_watchdog", "test_alertmanager", "test_engines"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no process is left with one at the end, and no file is divided.

    Without a Chromium, browser tests are skipped; with CI=true they fail instead.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    if chromium.find() or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=chromium.MISSING))


def pytest_configure() -> None:
    """Looks static files up when they are asked for, not all of them for each test client."""
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_runtest_setup() -> None:
    """Closes the network: unix sockets and the loopback interface stay open."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Makes each test process's database a copy of one that is migrated: migrating takes ten seconds, copying none."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = migrated_database()


@pytest.fixture
def now() -> datetime:
    """A fixed instant: Saturday 2026-03-14 09:26:53 UTC, in no clock's change-over."""
    return datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.fixture
def valkey() -> Generator[redis.Redis]:
    """This worker's own Valkey database, empty."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.close()
