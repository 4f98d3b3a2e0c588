"""The short way in: what it stores and answers, alone and in a crowd, and what it leaves to Django."""

import asyncio
import json
from typing import Any, cast

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from alerts.models import AlertSource, RawEvent
from config.door import Door
from tests.factories import alerts

# The door stores in a thread of its own, which sees what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


class Django:
    """Stands behind the door and notes what comes through."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.seen.append(f"{scope['method']} {scope['path']}")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def ask(door: Door, method: str, path: str, *parts: bytes, **headers: str) -> tuple[int, dict[str, str], Any]:
    """One request whose body comes in parts: the status, headers and JSON of the answer."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "scheme": "http", "headers": given}
    talk: Any = cast(Any, ApplicationCommunicator)(door, scope)
    for number, part in enumerate(parts, 1):
        await talk.send_input({"type": "http.request", "body": part, "more_body": number < len(parts)})
    start = await talk.receive_output(10)
    body = (await talk.receive_output(10))["body"]
    await talk.wait(10)
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], named, json.loads(body) if body else None


def answer(door: Door, method: str, path: str, *parts: bytes, **headers: str) -> tuple[int, dict[str, str], Any]:
    return asyncio.run(ask(door, method, path, *parts, **headers))


def test_an_alert_is_stored_as_it_came_and_answered_202(source: AlertSource) -> None:
    status, headers, content = answer(
        Door(Django()), "POST", f"/in/{source.token}", b'{"title":  ', b'"Disk full"}', content_type="application/json"
    )
    raw = RawEvent.objects.get()
    assert (status, content) == (202, {"status": "accepted", "id": raw.pk, "events": 1})
    assert (bytes(raw.body), raw.content_type) == (b'{"title":  "Disk full"}', "application/json")
    assert headers["content-type"] == "application/json"
    assert len(headers["x-request-id"]) == 36


def test_those_who_come_together_get_each_their_own_answer(source: AlertSource) -> None:
    door = Door(Django())

    async def crowd() -> list[tuple[int, dict[str, str], Any]]:
        bodies = [json.dumps({"title": f"Disk {number}"}).encode() for number in range(150)]
        bodies[77] = b"{"
        asked = [ask(door, "POST", f"/in/{source.token}", body) for body in bodies]
        return await asyncio.gather(*asked, ask(door, "POST", "/in/unknown", b'{"title": "x"}'))

    answers = asyncio.run(crowd())
    assert [status for status, _headers, _content in answers] == [400 if n == 77 else 202 for n in range(150)] + [401]
    for number in (0, 149):
        raw = RawEvent.objects.get(pk=answers[number][2]["id"])
        assert json.loads(bytes(raw.body))["title"] == f"Disk {number}"
    assert RawEvent.objects.count() == 149


@pytest.mark.parametrize("told", [True, False])
def test_a_body_over_the_limit_is_not_read_to_its_end(source: AlertSource, settings: Settings, told: bool) -> None:
    settings.MAX_EVENT_BYTES = 100
    headers = {"content_length": "5000"} if told else {}
    parts = [b"x" * 60] * 10
    status, _headers, content = answer(Door(Django()), "POST", f"/in/{source.token}", *parts, **headers)
    assert (status, content["error"]["code"]) == (413, "too_large")
    assert not RawEvent.objects.exists()


def test_what_a_sender_did_not_send_to_its_end_is_not_stored(source: AlertSource) -> None:
    async def hang_up() -> None:
        scope = {"type": "http", "method": "POST", "path": f"/in/{source.token}", "scheme": "http", "headers": []}
        talk: Any = cast(Any, ApplicationCommunicator)(Door(Django()), scope)
        await talk.send_input({"type": "http.request", "body": b'{"title": "x"}', "more_body": True})
        await talk.send_input({"type": "http.disconnect"})
        await talk.wait(10)

    asyncio.run(hang_up())
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/in/token"), ("POST", "/in/"), ("POST", "/in/token/more"), ("POST", "/alerts/1/resolve/"), ("GET", "/")],
)
def test_everything_else_goes_on_to_django(method: str, path: str) -> None:
    behind = Django()
    assert answer(Door(behind), method, path, b"")[0] == 204
    assert behind.seen == [f"{method} {path}"]


@pytest.mark.parametrize(
    ("proxies", "proto", "is_stored"), [(0, "https", False), (1, "http", False), (1, "https", True)]
)
def test_without_tls_django_sends_it_there(
    source: AlertSource, settings: Settings, proxies: int, proto: str, is_stored: bool
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, proxies
    behind = Django()
    address = f"/in/{source.token}"
    status, _headers, _content = answer(Door(behind), "POST", address, b'{"title": "x"}', x_forwarded_proto=proto)
    assert (status, bool(behind.seen)) == ((202, False) if is_stored else (204, True))
