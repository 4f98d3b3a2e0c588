"""What every test may rely on: a fixed instant, and no network beyond this machine."""

import os
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
import pytest_socket
import redis
from django.conf import settings

from tests import chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a Chromium, browser tests are skipped; with CI=true they fail instead."""
    if chromium.find() or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=chromium.MISSING))


def pytest_runtest_setup() -> None:
    """Closes the network: unix sockets and the loopback interface stay open."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


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
