"""A page by mail through a real SMTP server, and what the server's answers mean; or kept, where there is no server."""

import socket
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings

from oncall.channels import Message
from oncall.channels.mail import send
from oncall.mailbox import kept_mail, kept_mails
from oncall.models import ContactMethod

ANA = ContactMethod(kind=ContactMethod.Kind.EMAIL, address="ana@example.com")
MESSAGE = Message(
    page_id=12,
    attempt=1,
    person="Ana",
    title="Zahlungen fallen aus – ชำระเงินไม่ได้",
    detail="",
    facts={"Service": "payments"},
    since=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
    level=2,
    link="http://localhost/p/token/",
)


class Server:
    """An SMTP server that answers each recipient as it is told to."""

    answer = "250 OK"

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_RCPT(  # noqa: N802  (the server calls it by this name)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (as above)
        self.mails.append(envelope.content)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(settings: Settings) -> Generator[Server]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield handler
    controller.stop()


def test_the_server_gets_the_page(server: Server) -> None:
    assert send(ANA, MESSAGE).outcome == "accepted"
    [raw] = server.mails
    assert b"X-Sitrep-Page: 12" in raw
    assert b"To: ana@example.com" in raw


@pytest.mark.parametrize(("answer", "outcome"), [("550 no such mailbox", "refused"), ("451 try later", "failed")])
def test_a_recipient_refused_for_good_is_told_from_one_refused_now(server: Server, answer: str, outcome: str) -> None:
    server.answer = answer
    assert send(ANA, MESSAGE).outcome == outcome


def test_a_server_that_is_gone_is_a_failed_try(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    result = send(ANA, MESSAGE)
    assert result.outcome == "failed"
    assert "could not be reached" in result.detail


def test_without_a_server_the_mail_is_kept_and_can_be_read(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.EMAIL_BACKEND = "oncall.mailbox.KeptMailBackend"
    assert send(ANA, MESSAGE).outcome == "accepted"
    [mail] = kept_mails()
    assert (mail.to, mail.subject) == ("ana@example.com", f"[Page] {MESSAGE.title}")
    assert "http://localhost/p/token/" in mail.text
    assert kept_mail(mail.name) == mail


@pytest.mark.parametrize("name", ["../secret-key", "..", "", "absent.eml", "/etc/passwd"])
def test_no_other_file_can_be_read_through_the_kept_mail(settings: Settings, tmp_path: Path, name: str) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "secret-key").write_text("secret")
    assert kept_mail(name) is None
