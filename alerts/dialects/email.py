"""Mail: each source of this dialect has an address of its own, and a message to it is an event.

The body of a request is the whole message (RFC 5322 and MIME), as Sitrep's own SMTP listener (alerts/mail.py) took it
in; replies carry SMTP's codes (RFC 5321): 250 once it is stored, 550 for an address that nobody has, 552 for too much,
451 when it could not be stored, 554 for what is no message.

The subject is the title; the text is the description, that of an HTML part if there is no other. What stands before the
subject says what becomes of it, and is no part of the key:

| word before it | |
| --- | --- |
| Re, AW, WG, Fwd, FW and a colon | says nothing |
| RESOLVED, OK, RECOVERED, RECOVERY, CLOSED, UP | it resolves |
| FIRING, PROBLEM, ALERT, ALARM, DOWN, TRIGGERED | it fires, as without any |

These words stand in brackets or before a colon, in any case; `[FIRING:2]`, as Alertmanager counts, is like `[FIRING]`.
What is left, in small letters, is the key. Headers say more: `X-Sitrep-Status` (firing, resolved), `X-Sitrep-Key`,
`X-Sitrep-Severity`, `X-Sitrep-Service`, `X-Sitrep-Team`, `X-Sitrep-URL`.
"""

import email.policy
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Literal

from alerts.dialects.format import (
    LONGEST_TITLE,
    UNSTORABLE,
    Accepted,
    Dialect,
    NormalisedEvent,
    Reason,
    Refusal,
    Reply,
    Request,
    short_key,
)

NAME = "email"
LONGEST_TEXT = 20_000
RESOLVES = "resolved|ok|recovered|recovery|closed|up"
FIRES = "firing|problem|alert|alarm|down|triggered"
PREFIX = re.compile(
    rf"\s*(?:(?:re|aw|wg|fwd|fw):|\[(?P<word>{RESOLVES}|{FIRES})(?::\d+)?\]:?|(?P<bare>{RESOLVES}|{FIRES}):)\s*",
    re.IGNORECASE,
)
BLANKS = re.compile(r"[ \t\xa0]+")
EMPTY_LINES = re.compile(r"\n{3,}")
CODES: dict[Reason, int] = {
    "unknown_token": 550,
    "wrong_dialect": 550,
    "bad_signature": 550,
    "too_large": 552,
    "invalid": 554,
    "not_stored": 451,
}
SAMPLE = """From: backup@example.com
Subject: [FIRING] Backup of db-1 failed
X-Sitrep-Severity: critical
X-Sitrep-Service: postgres

No space left on device.
"""
HEADERS = """X-Sitrep-Severity: critical
X-Sitrep-Service: payments
X-Sitrep-Key: what two mails about the same matter have in common
X-Sitrep-Status: resolved
"""


def parse(request: Request) -> list[NormalisedEvent]:
    """The one event of the message: however odd it is, a mail always is one."""
    message = BytesParser(policy=email.policy.SMTP).parsebytes(request.body)
    return [_event(message, request)]


def _event(message: EmailMessage, request: Request) -> NormalisedEvent:
    subject = _header(message, "Subject")
    status, title = split_subject(subject)
    given = _header(message, "X-Sitrep-Status").lower()
    if given in {"firing", "resolved"}:
        status = "resolved" if given == "resolved" else "firing"
    text = _text_of(message)
    title = title or text.partition("\n")[0] or _header(message, "From") or "Mail without a subject"
    known = {
        "from": _header(message, "From"),
        "to": _header(message, "To"),
        "subject": subject,
        "message_id": _header(message, "Message-ID"),
        "list_id": _header(message, "List-Id"),
        "envelope_from": request.headers.get("x-envelope-from", ""),
    }
    return NormalisedEvent(
        dedup_key=short_key(_header(message, "X-Sitrep-Key") or title.casefold()),
        status=status,
        title=title[:LONGEST_TITLE],
        description=text[:LONGEST_TEXT],
        severity=_header(message, "X-Sitrep-Severity"),
        service=_header(message, "X-Sitrep-Service"),
        team=_header(message, "X-Sitrep-Team"),
        source_url=_header(message, "X-Sitrep-URL"),
        started_at=_date(message),
        attributes={name: value for name, value in known.items() if value},
    )


def split_subject(subject: str) -> tuple[Literal["firing", "resolved"], str]:
    """What the prefixes of a subject say, and what is left without them."""
    status: Literal["firing", "resolved"] = "firing"
    rest = subject.strip()
    while found := PREFIX.match(rest):
        word = (found["word"] or found["bare"] or "").lower()
        if word:
            status = "resolved" if word in RESOLVES.split("|") else "firing"
        rest = rest[found.end() :]
    return status, BLANKS.sub(" ", rest).strip()


def _header(message: EmailMessage, name: str) -> str:
    """A header in one line, decoded; "" if it is not there.

    From the raw header: the standard library's own reading of what it names gives up on some in many ways.
    """
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    raw = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with suppress(HeaderParseError, LookupError, ValueError):  # (it is then shown as it was sent)
        raw = str(make_header(decode_header(raw)))
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(raw.split()))


def _date(message: EmailMessage) -> datetime | None:
    """When it was written, if it says so in a way that can be read."""
    try:
        instant = parsedate_to_datetime(_header(message, "Date"))
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text_of(message: EmailMessage) -> str:
    """The text of a message: its plain part, else what can be read of its HTML, else nothing."""
    try:
        part = message.get_body(preferencelist=("plain", "html"))
        content = _decoded(part) if part else ""
        text = text_in(content) if part and part.get_content_subtype() == "html" else content
    except (MessageError, LookupError, ValueError, AttributeError, TypeError):
        text = ""  # (headers of a part that the standard library can't read)
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))
    whole = EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", whole)


def _decoded(part: MIMEPart) -> str:
    raw = part.get_payload(decode=True)
    content = raw if isinstance(raw, bytes) else b""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # (a character set that nobody knows)
        return content.decode("utf-8", "replace")


class _Words(HTMLParser):
    """What a reader would see of HTML, without any of its markup."""

    SILENT = frozenset({"script", "style", "head", "title", "template"})
    BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote", "pre"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.SILENT:
            self._silent.append(tag)
        elif tag in self.BREAKS:
            self.found.append("\n")
        elif tag in {"td", "th"}:
            self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            # An element that was never closed within it ends with it.
            del self._silent[self._silent.index(tag) :]
        elif tag in self.BREAKS and tag != "br":
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()).join((data[:1].isspace() * " ", data[-1:].isspace() * " ")))


def text_in(html: str) -> str:
    """The words of HTML as plain text: no tag, no script, no style is left."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (BLANKS.sub(" ", line).strip() for line in "".join(reader.found).split("\n"))
    return "\n".join(lines)


def accepted(accepted: Accepted) -> Reply:
    """What the sender's server is told: it is stored."""
    return Reply(250, f"2.0.0 OK, stored as {accepted.id}")


def refused(request: Request, refusal: Refusal) -> Reply:
    """What the sender's server is told: 4xx to try again, 5xx not to."""
    code = CODES[refusal.reason]
    return Reply(code, f"{code // 100}.0.0 {refusal.message}")


DIALECT = Dialect(
    name=NAME,
    label="E-mail",
    about="For whatever can only send mail: each message to its address is an event.",
    addresses=(),
    parse=parse,
    accepted=accepted,
    refused=refused,
    keeps=frozenset({"x-envelope-from"}),
    sample=SAMPLE,
    guides=(("Headers that say more, all of them optional", HEADERS),),
)
