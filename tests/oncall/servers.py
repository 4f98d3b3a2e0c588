"""Small real servers that stand where vendors are: they check what they are sent and answer as the vendor does."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

import http_ece
import pytest
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from py_vapid import Vapid02
from twilio.request_validator import RequestValidator

from config.providers import PhoneProvider
from events import outbound

MESSAGES = {
    21211: "Invalid 'To' Phone Number",
    21610: "Attempt to send to unsubscribed recipient",
    20003: "Authenticate",
}


class Quiet(BaseHTTPRequestHandler):
    """A request handler that says nothing of its own."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, status: int, body: bytes = b"", kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serves until the block ends."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- Twilio -----------------------------------------------------------------------------------------------------------


@dataclass
class Twilio:
    """One account at Twilio: Messages.json and Calls.json of its API, and its signed requests to us.

    `answer` is what the next requests get: 201, the code of an error (21211, …), 429, 503, or 0 for no answer in time.
    """

    account: str = "AC00000000000000000000000000000001"
    token: str = "token-of-the-first-account"
    number: str = "+4930000001"
    answer: int = 201
    sent: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    def provider(self, name: str = "twilio") -> PhoneProvider:
        """This account as the settings know it."""
        return PhoneProvider(name, self.account, self.token, self.number, f"http://127.0.0.1:{self.port}")

    @contextmanager
    def running(self) -> Iterator["Twilio"]:
        twilio = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                form = {name: values if len(values) > 1 else values[0] for name, values in self.form().items()}
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.reply(*twilio._answer(self.path, self.headers["Authorization"] or "", form))

            def form(self) -> dict[str, list[str]]:
                return parse_qs(self.body().decode(), strict_parsing=True)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        with served(server):
            yield self

    def _answer(self, path: str, authorization: str, form: dict[str, Any]) -> tuple[int, bytes]:
        expected = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        if authorization != f"Basic {expected}":
            return self._error(401, 20003)
        kind = path.removeprefix(f"/2010-04-01/Accounts/{self.account}/")
        needed = {"Messages.json": {"To", "Body"}, "Calls.json": {"To", "From", "Twiml"}}.get(kind)
        if needed is None:
            return 404, b"{}"
        if not needed <= form.keys() or not form.keys() & {"From", "MessagingServiceSid"}:
            return self._error(400, 21603)
        if self.answer == 0:
            time.sleep(1.5)
        if self.answer in {429, 503}:
            return self._error(self.answer, 20429 if self.answer == 429 else 20503)
        if self.answer not in {0, 201}:
            return self._error(400, self.answer)
        self.sent.append({"kind": kind, **form})
        prefix = "SM" if kind == "Messages.json" else "CA"
        made = {"sid": f"{prefix}{len(self.sent):032}", "status": "queued", "account_sid": self.account}
        return 201, json.dumps(made).encode()

    def _error(self, status: int, code: int) -> tuple[int, bytes]:
        said = {"code": code, "message": MESSAGES.get(code, "An error"), "status": status}
        return status, json.dumps(said).encode()

    def calls_back(self, client: Client, url: str, *, token: str = "", **form: str) -> Any:
        """Posts to one of our webhooks as Twilio does, signed with the account's token unless another is given."""
        fields = {"AccountSid": self.account, "ApiVersion": "2010-04-01", **form}
        signature = RequestValidator(token or self.token).compute_signature(url, fields)
        path = "/" + url.split("/", 3)[3]
        return client.post(
            path,
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )


# --- A browser's push service -----------------------------------------------------------------------------------------


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushService:
    """A push service with one subscribed browser: it checks who sends and can read what is sent.

    `status` is what it answers; `public_key` is the key for which the browser subscribed (any if empty).
    """

    def __init__(self) -> None:
        self.status = 201
        self.public_key = ""
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.origin = ""

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` gives."""
        point = self.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": unpadded(point), "auth": unpadded(self.auth)}
        return {"endpoint": f"{self.origin}/send/one-browser", "expirationTime": None, "keys": keys}

    @contextmanager
    def running(self) -> Iterator["PushService"]:
        service = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                self.reply(service._take(self.path, dict(self.headers), self.body()))

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{server.server_port}"
        with served(server):
            yield self

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if path != "/send/one-browser" or headers.get("Content-Encoding") != "aes128gcm" or "TTL" not in headers:
            return 400
        authorization = headers.get("Authorization", "")
        if not authorization.startswith("vapid ") or not Vapid02.verify(authorization):
            return 401
        parts = dict(part.split("=", 1) for part in authorization.removeprefix("vapid ").split(","))
        claims = json.loads(padded(parts["t"].split(".")[1]))
        if claims["aud"] != self.origin or not time.time() < claims["exp"] <= time.time() + 86400:
            return 401
        if self.public_key and parts["k"].rstrip("=") != self.public_key:
            return 403
        if len(body) > 4096:
            return 413
        text = http_ece.decrypt(body, private_key=self.private_key, auth_secret=self.auth, version="aes128gcm")
        self.received.append(json.loads(text))
        self.headers.append(headers)
        return self.status


@contextmanager
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Outbound requests wait a third of a second for an answer, and not ten."""
    monkeypatch.setattr(outbound, "TIMEOUT_SECONDS", 0.3)
    outbound._client_of.cache_clear()
    yield
    outbound._client_of.cache_clear()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- A mail server ----------------------------------------------------------------------------------------------------


class MailServer:
    """An SMTP server that answers each recipient as it is told to."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.mails: list[bytes] = []
        self.port = 0

    async def handle_RCPT(  # noqa: N802  (the server calls it by this name)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (as above)
        self.mails.append(envelope.content)
        return "250 OK"

    @contextmanager
    def running(self) -> Iterator["MailServer"]:
        self.port = free_port()
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()
