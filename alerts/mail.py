"""The listener for mail: each source and each heartbeat has an address, its token before the @.

It is no relay: a message is stored as an event, or a ping is, and nothing is ever sent on. A sender's server gets its
250 once what it sent is durable. Codes follow RFC 5321 and RFC 3463.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.actions import hash_secret
from alerts.dialects import DIALECTS
from alerts.dialects.email import NAME as DIALECT
from alerts.dialects.format import Request
from alerts.heartbeats import ping_heartbeats
from alerts.models import AlertSource, Heartbeat
from alerts.receive import Post, accept

log = structlog.get_logger(__name__)
T = TypeVar("T")

MOST_RECIPIENTS = 50
MOST_CONNECTIONS = 100
SILENCE_SECONDS = 60.0
ENVELOPE_FROM = "x-envelope-from"
UNKNOWN = "550 5.1.1 No alert source and no heartbeat has this address"
STORED, NOT_STORED = "250 2.0.0 OK", "451 4.3.0 This could not be stored: send it again"


@dataclass(frozen=True)
class Recipient:
    """Whom an address means: a source, by its token, or a heartbeat."""

    token: str = ""
    heartbeat_id: int | None = None


def recipient_of(address: str) -> Recipient | None:
    """Who is behind an address; None if nobody is, or it is in a domain that is not ours. `token+more@` is `token@`."""
    local, _, domain = address.rpartition("@")
    if settings.ALERT_MAIL_DOMAIN and domain.lower() != settings.ALERT_MAIL_DOMAIN:
        return None
    token = local.partition("+")[0].lower()
    token_hash = hash_secret(token)
    if AlertSource.objects.filter(token_hash=token_hash, dialect=DIALECT, is_enabled=True).exists():
        return Recipient(token=token)
    heartbeat = Heartbeat.objects.filter(token_hash=token_hash).only("id").first()
    return Recipient(heartbeat_id=heartbeat.pk) if heartbeat else None


def take_in(addresses: Sequence[str], message: bytes, sender: str, now: datetime) -> str:
    """Stores a message for each of its recipients; returns the reply for all of them.

    If one could not be stored the sender's server comes again with all: what was stored is counted once more then.
    """
    recipients = [found for found in map(recipient_of, addresses) if found]
    if not recipients:
        return UNKNOWN
    pinged = [recipient.heartbeat_id for recipient in recipients if recipient.heartbeat_id is not None]
    if pinged:
        ping_heartbeats(ids=pinged, now=now, sender=f"mail from {sender}" if sender else "mail")
    headers = {"content-type": "message/rfc822", ENVELOPE_FROM: sender[:320]}
    posts = [
        Post(DIALECTS[DIALECT], recipient.token, Request("mail", message, headers, id=str(uuid4())), "mail")
        for recipient in recipients
        if recipient.token
    ]
    replies = [f"{reply.status} {reply.content}" for reply in accept(posts, now)] if posts else [STORED]
    # Worth another try before anything else, for the sender's server gets one answer for all.
    return next((reply for reply in replies if reply[0] == "4"), max(replies))


class Inbox:
    """What aiosmtpd asks about each message; the names are its own."""

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether there is such an address: 250, or 550."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients: send it again for the others"
        try:
            recipient = await _in_thread(lambda: recipient_of(address))
        except Exception:
            log.exception("mail_recipient_not_looked_up")
            return "451 4.3.0 Addresses can't be looked up now: send it again"
        if recipient is None:
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The message itself: 250 once it is stored for all of its recipients."""
        content, sender, asked = envelope.original_content or b"", envelope.mail_from or "", list(envelope.rcpt_tos)
        try:
            reply = await _in_thread(lambda: take_in(asked, content, sender, timezone.now()))
        except Exception:
            log.exception("mail_not_stored", recipients=len(asked))
            return NOT_STORED
        log.info("mail_received", recipients=len(asked), bytes=len(content), reply=reply[:3])
        return reply


async def _in_thread(work: Callable[[], T]) -> T:
    """Runs what asks the database in a thread with a connection that is alive."""

    def run() -> T:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return await asyncio.to_thread(run)


class Conversation(SMTP):
    """One connection; those above MOST_CONNECTIONS are told to come later."""

    open_ones = 0

    def connection_made(self, transport: Any) -> None:
        if transport.get_extra_info("sslcontext") is None and Conversation.open_ones >= MOST_CONNECTIONS:
            transport.write(b"421 4.3.2 Too many connections: come again later\r\n")
            transport.close()
            return
        if not self._counted:
            self._counted = True
            Conversation.open_ones += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted:
            self._counted = False
            Conversation.open_ones -= 1
            super().connection_lost(error)

    _counted = False


def conversation(tls: ssl.SSLContext | None, hostname: str) -> SMTP:
    """What speaks SMTP with one sender. No sign-in, no relaying; STARTTLS where there is a certificate."""
    return Conversation(
        Inbox(),
        data_size_limit=settings.MAX_EVENT_BYTES,
        enable_SMTPUTF8=True,
        hostname=hostname,
        ident="Sitrep",
        tls_context=tls,
        timeout=SILENCE_SECONDS,
    )


def certificate() -> ssl.SSLContext | None:
    """What STARTTLS is offered with, if the operator gave it."""
    if not settings.ALERT_MAIL_CERTIFICATE:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.ALERT_MAIL_CERTIFICATE, settings.ALERT_MAIL_KEY)
    return context


async def listen(host: str, port: int, hostname: str, stop: asyncio.Event) -> None:
    """Hears mail until `stop` is set."""
    tls, loop = certificate(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: conversation(tls, hostname), host=host, port=port)
    log.info("mail_listening", host=host, port=port, starttls=tls is not None)
    async with server:
        await stop.wait()
