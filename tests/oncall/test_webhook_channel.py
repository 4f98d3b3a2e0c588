"""A page by webhook is signed, told apart from its repetitions, and never leads into the private network."""

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from oncall.channels.webhook import send
from oncall.models import ContactMethod
from tests.oncall.messages import code_message, message
from tests.oncall.servers import impatient, silent_server

SECRET = "shared-with-the-receiver"
MESSAGE = message()


class Receiver(ThreadingHTTPServer):
    """What a person would run: it refuses what is not signed as the documentation says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receives)
        self.status = 200
        self.received: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.cookies: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/pages?team=payments"


class Receives(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = dict(part.split("=", 1) for part in self.headers["X-Sitrep-Signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        is_fresh = abs(datetime.now(UTC).timestamp() - int(parts["t"])) < 300
        if not hmac.compare_digest(expected, parts["v1"]) or not is_fresh or self.path != "/pages?team=payments":
            self.send_response(401)
        else:
            self.server.received.append(json.loads(body))
            self.server.keys.append(self.headers["Idempotency-Key"])
            self.server.cookies.append(self.headers["Cookie"])
            self.send_response(self.server.status)
            self.send_header("Set-Cookie", "whose=yours; Path=/")
            if self.server.status == 302:
                self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver(settings: Settings) -> Generator[Receiver]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def method(url: str, secret: str = SECRET) -> ContactMethod:
    return ContactMethod(kind=ContactMethod.Kind.WEBHOOK, address=url, secret=secret)


def test_a_page_arrives_signed_and_complete(receiver: Receiver) -> None:
    assert send(method(receiver.url), MESSAGE).outcome == "accepted"
    assert receiver.received == [
        {
            "type": "page",
            "page_id": 12,
            "person": "Ana",
            "title": "Payment API returning 500 errors",
            "detail": "Since the deploy.",
            "facts": {"Severity": "SEV1", "Service": "payments", "Runbook": "https://example.com/runbook"},
            "since": "2026-03-14T09:26:53+00:00",
            "level": 1,
            "link": "http://localhost/p/token/",
            "urgency": "high",
            "others": [],
        }
    ]


def test_a_code_is_told_as_such_and_has_a_key_of_its_own(receiver: Receiver) -> None:
    send(method(receiver.url), code_message())
    send(method(receiver.url), code_message())
    assert [(body["type"], body["code"]) for body in receiver.received] == [("code", "042517")] * 2
    assert len(set(receiver.keys)) == 2


def test_a_wrong_secret_is_refused_by_the_receiver_and_tried_again(receiver: Receiver) -> None:
    result = send(method(receiver.url, "another"), MESSAGE)
    assert (result.outcome, result.detail) == ("failed", "answered 401")


def test_a_page_that_is_sent_again_keeps_its_key(receiver: Receiver) -> None:
    send(method(receiver.url), MESSAGE)
    send(method(receiver.url), MESSAGE)
    assert receiver.keys == ["page-12", "page-12"]


def test_what_a_receiver_sets_is_sent_to_nobody(receiver: Receiver) -> None:
    send(method(receiver.url), MESSAGE)
    send(method(receiver.url), MESSAGE)
    assert receiver.cookies == [None, None]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, "accepted"), (500, "failed"), (429, "failed"), (302, "failed"), (404, "refused"), (410, "refused")],
)
def test_what_the_receiver_answers_decides(receiver: Receiver, status: int, outcome: str) -> None:
    receiver.status = status
    assert send(method(receiver.url), MESSAGE).outcome == outcome
    assert len(receiver.received) == 1


def test_a_receiver_that_is_gone_is_a_failed_try(settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert send(method("http://127.0.0.1:9/"), MESSAGE).outcome == "failed"


def test_no_answer_in_time_is_a_failed_try(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with silent_server() as port, impatient(monkeypatch):
        result = send(method(f"http://127.0.0.1:{port}/"), MESSAGE)
    assert (result.outcome, "ReadTimeout" in result.detail) == ("failed", True)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://0.0.0.0:9/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fd00::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://user:password@example.com/",
        "ftp://example.com/",
    ],
)
def test_the_private_network_is_never_called(settings: Settings, address: str) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    result = send(method(address), MESSAGE)
    assert result.outcome == "refused", result
