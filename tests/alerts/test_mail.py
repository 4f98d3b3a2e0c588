"""Alerts and pings by mail: what is understood, and what a sender's server is told."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from alerts import mail
from alerts.dialects import DIALECTS, NormalisedEvent
from alerts.dialects.email import split_subject, text_in
from alerts.dialects.format import Request
from alerts.ingest import process_raw_events
from alerts.mail import recipient_of, take_in
from alerts.models import Alert, AlertSource, Heartbeat, RawEvent
from tests.factories import alerts

PAYLOADS = Path(__file__).parent.parent / "payloads" / "email"
SENDER = "monitor@db-1.example.com"


def parsed(message: bytes) -> NormalisedEvent:
    [event] = DIALECTS["email"].parse(Request("mail", message))
    return event


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.eml").read_bytes()


# --- What is understood -----------------------------------------------------------------------------------------------


def test_the_subject_is_the_title_and_the_plain_text_the_description() -> None:
    event = parsed(payload("firing"))
    assert (event.status, event.title) == ("firing", "Backup of db-1 failed – no space")
    assert event.description == "pg_basebackup: no space left on device – /var/backup"
    assert (event.severity, event.service) == ("critical", "postgres")
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, tzinfo=UTC)
    assert event.attributes["message_id"] == "<20261121081311.1@db-1.example.com>"
    assert event.attributes["from"] == "Monitoring <monitor@db-1.example.com>"


def test_resolved_before_the_subject_resolves_under_the_same_key() -> None:
    resolved = parsed(payload("resolved"))
    assert (resolved.status, resolved.dedup_key) == ("resolved", parsed(payload("firing")).dedup_key)


@pytest.mark.parametrize(
    ("subject", "status", "title"),
    [
        ("Disk full", "firing", "Disk full"),
        ("Re: Disk full", "firing", "Disk full"),
        ("AW: WG: Fwd: Disk   full", "firing", "Disk full"),
        ("[RESOLVED] Disk full", "resolved", "Disk full"),
        ("[resolved:2] Disk full", "resolved", "Disk full"),
        ("RE: [FIRING:3] Disk full", "firing", "Disk full"),
        ("OK: Disk full", "resolved", "Disk full"),
        ("RECOVERY: Disk full", "resolved", "Disk full"),
        ("PROBLEM: Disk full", "firing", "Disk full"),
        ("OK then, disk full", "firing", "OK then, disk full"),
        ("Upper disk full", "firing", "Upper disk full"),
        ("[OK]", "resolved", ""),
        ("", "firing", ""),
    ],
)
def test_prefixes_say_what_becomes_of_it(subject: str, status: str, title: str) -> None:
    assert split_subject(subject) == (status, title)


def test_html_alone_becomes_words() -> None:
    assert parsed(payload("html")).description == "Printer & copier\nin room 12 is low\n\nblack 3 %"


def test_no_markup_is_left_of_html() -> None:
    assert "alert(" not in text_in("<p>a<script>alert(1)</script><SCRIPT >x</script\n>b<style>c</style></p>")
    assert text_in("one<br/>two<script>never closed") == "one\ntwo"


def test_headers_say_what_the_subject_does_not() -> None:
    event = parsed(b"Subject: Nagios\r\nX-Sitrep-Status: Resolved\r\nX-Sitrep-Key: host-7\r\nX-Sitrep-Team: db\r\n\r\n")
    assert (event.status, event.dedup_key, event.team) == ("resolved", "host-7", "db")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00\xff\xfe",
        b"no header at all",
        b"Subject: =?utf-8?b?//\r\nDate: yesterday\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\n--\r\n",
        b"From: =?x?q?=?=\r\nTo: <<<>>>\r\nMessage-ID: <\r\nSubject: a\x00b\r\n\r\n",
    ],
)
def test_however_odd_a_mail_is_it_is_an_event_with_a_title(message: bytes) -> None:
    event = parsed(message)
    assert event.title
    assert "\x00" not in event.title + event.description


# --- Who is behind an address -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_message_is_stored_and_becomes_an_alert(now: datetime) -> None:
    source = alerts.source(dialect="email")
    address = f"{source.token}@anything.example"
    assert take_in([address], payload("firing"), SENDER, now)[:3] == "250"
    assert take_in([address.upper()], payload("firing"), SENDER, now)[:3] == "250"
    raw = RawEvent.objects.order_by("pk")[0]
    assert (bytes(raw.body), raw.content_type, raw.headers[mail.ENVELOPE_FROM]) == (
        payload("firing"),
        "message/rfc822",
        SENDER,
    )
    process_raw_events(now)
    assert Alert.objects.get().count == 2
    take_in([address], payload("resolved"), SENDER, now)
    process_raw_events(now)
    assert Alert.objects.get().status == "resolved"


@pytest.mark.django_db
def test_any_mail_to_a_heartbeat_is_a_ping(now: datetime) -> None:
    heartbeat = alerts.heartbeat()
    assert take_in([f"{heartbeat.token}+night@x.example"], b"", SENDER, now)[:3] == "250"
    heartbeat.refresh_from_db()
    assert (heartbeat.last_ping_at, heartbeat.last_ping_from) == (now, f"mail from {SENDER}")
    assert not RawEvent.objects.exists()


@pytest.mark.django_db
def test_only_mail_sources_that_are_on_and_our_own_domain_have_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    source = alerts.source(dialect="email")
    assert recipient_of(f"{source.token}@a.example") is not None
    assert recipient_of("postmaster@a.example") is None
    assert recipient_of(f"{alerts.source().token}@a.example") is None
    assert recipient_of(f"{alerts.source(dialect='email', is_enabled=False).token}@a.example") is None
    monkeypatch.setattr("django.conf.settings.ALERT_MAIL_DOMAIN", "alerts.example.com")
    assert recipient_of(f"{source.token}@a.example") is None
    assert recipient_of(f"{source.token}@Alerts.Example.com") is not None


# --- What a sender's server is told -----------------------------------------------------------------------------------


@pytest.fixture
def server(transactional_db: None) -> Generator[tuple[str, int]]:
    """The listener on a port of its own, in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=[mail.listen("127.0.0.1", port, "sitrep", stop)])
    thread.start()
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            threading.Event().wait(0.02)
        yield "127.0.0.1", port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.fixture
def source(transactional_db: None) -> AlertSource:
    return alerts.source(dialect="email")


def codes(server: tuple[str, int], recipients: list[str], message: bytes) -> list[int]:
    """What is answered to each recipient, and to the message if any is taken."""
    with smtplib.SMTP(*server, local_hostname="db-1.example.com", timeout=10) as smtp:
        smtp.ehlo()
        smtp.mail(SENDER)
        told = [smtp.rcpt(recipient)[0] for recipient in recipients]
        return [*told, smtp.data(message)[0] if 250 in told else smtp.docmd("DATA")[0]]


def test_a_server_is_told_250_once_it_is_stored_and_550_for_whom_nobody_is(
    server: tuple[str, int], source: AlertSource, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeat = alerts.heartbeat()
    ours = [f"{source.token}@sitrep", f"{heartbeat.token}@sitrep"]
    assert codes(server, [ours[0], "somebody@elsewhere.example", ours[1]], payload("firing")) == [250, 550, 250, 250]
    assert RawEvent.objects.count() == 1
    assert Heartbeat.objects.get().state == "on_time"
    assert source.token not in caplog.text, "addresses are secrets"


def test_it_is_no_relay(server: tuple[str, int]) -> None:
    assert codes(server, ["somebody@elsewhere.example"], b"Subject: hello\r\n\r\n") == [550, 503]


def test_too_much_is_552(server: tuple[str, int], source: AlertSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_EVENT_BYTES", 2000)
    assert codes(server, [f"{source.token}@sitrep"], b"Subject: x\r\n\r\n" + b"x\r\n" * 1000) == [250, 552]
    assert not RawEvent.objects.exists()


def test_too_many_recipients_are_told_to_come_again(
    server: tuple[str, int], source: AlertSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "MOST_RECIPIENTS", 1)
    address = f"{source.token}@sitrep"
    assert codes(server, [address, address], payload("firing")) == [250, 452, 250]


def test_what_cannot_be_stored_is_451_so_that_it_comes_again(server: tuple[str, int], source: AlertSource) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alerts_rawevent ADD CONSTRAINT broken CHECK (address <> 'mail') NOT VALID")
    try:
        assert codes(server, [f"{source.token}@sitrep"], payload("firing")) == [250, 451]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE alerts_rawevent DROP CONSTRAINT broken")
    assert codes(server, [f"{source.token}@sitrep"], payload("firing")) == [250, 250]


def test_one_connection_too_many_is_told_to_come_later(
    server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtplib.SMTP(*server, timeout=10) as first:
        # (the fixture's own is still being closed)
        while mail.Conversation.open_ones > 1:
            threading.Event().wait(0.01)
        monkeypatch.setattr(mail, "MOST_CONNECTIONS", mail.Conversation.open_ones)
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP(*server, timeout=10)
        assert refused.value.smtp_code == 421
        assert first.noop()[0] == 250
