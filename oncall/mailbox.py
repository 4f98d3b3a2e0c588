"""Kept mail: without a mail server every mail is a file under var/mail/, which a page shows."""

import email
import email.policy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMail
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.actor import Actor

SHOWN = 100


def mail_directory() -> Path:
    directory = Path(settings.VAR_DIR) / "mail"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


class KeptMailBackend(BaseEmailBackend):
    """Writes each mail to a file of its own, complete or not at all."""

    def send_messages(self, email_messages: Any) -> int:
        for message in email_messages:
            self._keep(message)
        return len(email_messages)

    def _keep(self, message: EmailMessage) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{id(message) % 0xFFFF:04x}.eml"
        unfinished = mail_directory() / f".{name}"
        unfinished.write_bytes(message.message().as_bytes())
        unfinished.rename(mail_directory() / name)


@dataclass(frozen=True)
class KeptMail:
    """One kept mail; `page_id` if it is a page."""

    name: str
    sent_at: datetime
    to: str
    subject: str
    text: str
    page_id: int | None


Closing = Callable[[Actor, Sequence[KeptMail]], set[str]]
_closing: list[Closing] = []


def closes_mails(function: Closing) -> Closing:
    """Registers what tells which of some mails are about things that the actor may not see, by their file names."""
    _closing.append(function)
    return function


def closed_to(actor: Actor, mails: Sequence[KeptMail]) -> set[str]:
    """The file names of the mails that are about what the actor may not see."""
    return set().union(*(function(actor, mails) for function in _closing))


def kept_mails(limit: int = SHOWN) -> list[KeptMail]:
    """The newest kept mails first."""
    files = sorted(mail_directory().glob("*.eml"), reverse=True)[:limit]
    return [_read(path) for path in files]


def kept_mail(name: str) -> KeptMail | None:
    """One kept mail by its file name."""
    path = mail_directory() / Path(name).name
    return _read(path) if path.suffix == ".eml" and path.is_file() else None


def _read(path: Path) -> KeptMail:
    parsed = email.message_from_bytes(path.read_bytes(), _class=ParsedMail, policy=email.policy.default)
    body = parsed.get_body(("plain",))
    sent_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    # A subject that was folded right after its name comes back with a space in front.
    subject = str(parsed["Subject"]).strip()
    text = body.get_content() if body else ""
    page = str(parsed["X-Sitrep-Page"] or "")
    return KeptMail(path.name, sent_at, str(parsed["To"]), subject, text, int(page) if page.isdecimal() else None)
