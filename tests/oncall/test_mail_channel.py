"""Mail through real SMTP servers: what it says, what the servers' answers mean, who stands in; or kept on disk."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pytest_django import Settings

from oncall.channels.mail import SMTP, send
from oncall.mailbox import kept_mail, kept_mails
from oncall.models import ContactMethod
from tests.oncall.messages import LINKS, a_test_message, code_message, message
from tests.oncall.servers import MailServer, free_port, silent_server

ANA = ContactMethod(kind=ContactMethod.Kind.EMAIL, address="ana@example.com")
TITLE = "Zahlungen fallen aus – ชำระเงินไม่ได้"


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with MailServer().running() as running:
        settings.MAIL_IS_KEPT = False
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.MAIL_FALLBACKS = []
        yield running


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.default)


def text_of(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_a_page_has_one_link_for_each_answer_in_both_texts(server: MailServer) -> None:
    result = send(ANA, message(title=TITLE, others=("Disk full",)))
    assert (result.outcome, result.provider) == ("accepted", "127.0.0.1")
    mail = parsed(server.mails[0])
    assert (mail["To"], mail["X-Sitrep-Page"], mail["Auto-Submitted"]) == ("ana@example.com", "12", "auto-generated")
    assert mail["Subject"].strip() == f"[Page] 2 alerts: {TITLE}"
    assert mail["Message-ID"] == result.provider_id
    for verb in ("acknowledge", "escalate", "decline"):
        assert LINKS[verb] in text_of(mail, "plain")
        assert f'href="{LINKS[verb]}"' in text_of(mail, "html")
    assert "- Disk full" in text_of(mail, "plain")
    assert "Disk full" in text_of(mail, "html")


def test_a_code_stands_in_the_subject_and_a_test_has_its_own_link(server: MailServer) -> None:
    send(ANA, code_message())
    send(ANA, a_test_message())
    code, test = map(parsed, server.mails)
    assert code["Subject"] == "042517 is your Sitrep code"
    assert "042517" in text_of(code, "html")
    assert code["X-Sitrep-Page"] is None
    assert test["Subject"] == "[Test] This is a test page"
    assert text_of(test, "html").count("<a ") == 1
    assert "http://localhost/prove/token/" in text_of(test, "plain")


def test_the_next_server_stands_in_when_the_first_one_is_gone(server: MailServer, settings: Settings) -> None:
    settings.EMAIL_PORT = free_port()
    settings.MAIL_FALLBACKS = [{"host": "localhost", "port": server.port}]
    result = send(ANA, message())
    assert (result.outcome, result.provider) == ("accepted", "localhost")
    assert "could not be reached" in result.detail
    server.answer = "550 no such mailbox"
    assert send(ANA, message()).outcome == "refused"


@pytest.mark.parametrize(("answer", "outcome"), [("550 no such mailbox", "refused"), ("451 try later", "failed")])
def test_a_recipient_refused_for_good_is_told_from_one_refused(server: MailServer, answer: str, outcome: str) -> None:
    server.answer = answer
    assert send(ANA, message(title=TITLE)).outcome == outcome


def test_a_server_that_is_gone_is_a_failed_try(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    result = send(ANA, message(title=TITLE))
    assert result.outcome == "failed"
    assert "could not be reached" in result.detail


def test_no_answer_in_time_is_a_failed_try_and_the_next_server_stands_in(
    server: MailServer, settings: Settings
) -> None:
    with silent_server() as port:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = port, 0.3
        result = send(ANA, message(title=TITLE))
        assert result.outcome == "failed"
        assert "could not be reached" in result.detail
        assert "timed out" in result.detail
        settings.MAIL_FALLBACKS = [{"host": "127.0.0.1", "port": server.port}]
        assert send(ANA, message(title=TITLE)).outcome == "accepted"
    assert len(server.mails) == 1


def test_without_a_server_the_mail_is_kept_and_can_be_read(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.EMAIL_BACKEND = "oncall.mailbox.KeptMailBackend"
    assert send(ANA, message(title=TITLE)).outcome == "accepted"
    [mail] = kept_mails()
    assert (mail.to, mail.subject) == ("ana@example.com", f"[Page] {TITLE}")
    assert LINKS["acknowledge"] in mail.text
    assert kept_mail(mail.name) == mail


@pytest.mark.parametrize("name", ["../secret-key", "..", "", "absent.eml", "/etc/passwd"])
def test_no_other_file_can_be_read_through_the_kept_mail(settings: Settings, tmp_path: Path, name: str) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "secret-key").write_text("secret")
    assert kept_mail(name) is None
