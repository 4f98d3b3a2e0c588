"""What every dialect produces: normalised events, or an error that tells the sender what to mend."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

LONGEST_KEY = 255
# NUL, and halves of a pair that stand alone; in JSON they can only be written as escapes.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ESCAPED = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
LONGEST_TITLE = 300
NEVER = datetime.fromtimestamp(0, UTC)
EPOCH = re.compile(r"[0-9]{10}([0-9]{3})?")


Verb = Literal[
    "unacknowledge",
    "snooze",
    "escalate",
    "assign",
    "add_responder",
    "add_team",
    "add_tags",
    "remove_tags",
    "add_details",
    "remove_details",
    "note",
    "message",
    "description",
    "priority",
    "delete",
    "action",
]


@dataclass(frozen=True)
class Change:
    """What a sender wants done to an alert that fires: a verb, and what the verb needs (see alerts/verbs.py)."""

    verb: Verb
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NormalisedEvent:
    """One signal, whatever format it came in. `service`, `team` and `policy` are names or slugs that may not exist;
    `unresolved` is what else it names and nobody knows: `field` and `text` of each.

    Only one that fires needs a title: all others are about the alert that fires under the same key, or has `alert_id`.
    A `changed` one says by `change` what is to be done to it. A `noted` one is about no alert at all: it tells of a
    change that somebody made (`title`, `started_at`, `service`, and in `attributes` its kind, author, links, details).
    `ended_at` is when it was over, `expires_at` when it is over unless it is sent again; `priority` goes from 1, the
    highest, to 5; `by` is who did it and `note` what they said of it, as the sender tells. `responders` are whom to
    page: the `type` of each (team, user, escalation, schedule) and the `id`, `name` or `username` that it goes by.
    """

    dedup_key: str
    status: Literal["firing", "acknowledged", "resolved", "changed", "noted"]
    title: str
    description: str = ""
    severity: str = ""
    service: str = ""
    source_url: str = ""
    started_at: datetime | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int | None = None
    tags: tuple[str, ...] = ()
    team: str = ""
    policy: str = ""
    unresolved: tuple[Mapping[str, str], ...] = ()
    responders: tuple[Mapping[str, str], ...] = ()
    alert_id: int | None = None
    change: Change | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Request:
    """What a sender sends. Header names are in small letters; `id` is ours, and unlike that of any other request.

    `address` is the dialect's, with its placeholders; `parts` holds what stood there, but never the token. `mapping` is
    how the source's owner wants it read (alerts/dialects/mapping.py), `received_at` is when it was stored.
    """

    address: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    method: str = "POST"
    parts: Mapping[str, str] = field(default_factory=dict)
    mapping: Sequence[Mapping[str, Any]] = ()
    received_at: datetime = NEVER


@dataclass(frozen=True)
class Reply:
    """What the sender is told: an HTTP status and JSON, or an empty body for None; and headers of its own."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """What was stored: the id of the raw event, and the events in it."""

    request: Request
    id: int
    events: Sequence[NormalisedEvent]


Reason = Literal["unknown_token", "wrong_dialect", "bad_signature", "too_large", "invalid", "not_stored"]


@dataclass(frozen=True)
class Refusal:
    """Why nothing was stored: the reason, and for a person the words, the field and the remedy."""

    reason: Reason
    message: str
    field_name: str = ""
    remedy: str = ""


class DialectError(Exception):
    """The body does not follow the format: the field, the reason and the remedy."""

    def __init__(self, message: str, *, field_name: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field_name = field_name
        self.remedy = remedy


STATUSES: Mapping[Reason, int] = {
    "unknown_token": 401,
    "wrong_dialect": 400,
    "bad_signature": 401,
    "too_large": 413,
    "invalid": 400,
    "not_stored": 503,
}


def plain_acceptance(accepted: Accepted) -> Reply:
    """Sitrep's own words, for senders that only look at the status."""
    return Reply(202, {"status": "accepted", "id": accepted.id, "events": len(accepted.events)})


def plain_refusal(request: Request, refusal: Refusal) -> Reply:
    """Sitrep's own words, for senders that only look at the status."""
    error = {
        "code": refusal.reason,
        "message": refusal.message,
        "field": refusal.field_name,
        "remedy": refusal.remedy,
    }
    return Reply(STATUSES[refusal.reason], {"error": {key: value for key, value in error.items() if value}})


def no_token(request: Request) -> str:
    """For dialects whose address holds the token."""
    return ""


@dataclass(frozen=True)
class Dialect:
    """A wire format: what people call it, where it is spoken, how it is read, and what its senders are told.

    `addresses` are paths with placeholders; `<name>` stands for one segment and `<path:name>` for several, and where
    two fit the first counts. Each hears POST, unless `methods` has others for it. Where no placeholder is `<token>`,
    `token_in` finds the source's token elsewhere in the request (and may raise DialectError). `check`, where senders
    sign, compares the request as it came with the secret that the source shares with its sender, and raises
    DialectError. `greeting` answers what holds no event, such as a handshake: nothing is stored of it. `parse` gives
    the events or raises DialectError, the same however often it is asked; `keeps` names the headers that it reads, in
    small letters: `ce-*` are all that begin so. What is `verified_later` is signed so that the certificate has to be
    fetched: it is stored, and read only once alerts/signatures.py believes it.

    `about` says in a sentence for whom it is. `sample` and `sample_headers` are what to try it with, `guides` what to
    copy into the sender's own configuration, by the name of the file; in these `<address>` and `<token>` stand for the
    source's own, `<base>` for ours; `<scheme>`, `<host>` and `<path>` are the parts of the address.
    """

    name: str
    label: str
    addresses: tuple[str, ...]
    parse: Callable[[Request], list[NormalisedEvent]]
    sample: Any
    about: str = ""
    sample_headers: Mapping[str, str] = field(default_factory=dict)
    guides: tuple[tuple[str, str], ...] = ()
    token_in: Callable[[Request], str] = no_token
    check: Callable[[Request, str], None] | None = None
    methods: Mapping[str, Collection[str]] = field(default_factory=dict)
    greeting: Callable[[Request], Reply | None] | None = None
    keeps: frozenset[str] = frozenset()
    verified_later: bool = False
    accepted: Callable[[Accepted], Reply] = plain_acceptance
    refused: Callable[[Request, Refusal], Reply] = plain_refusal


def check_hmac(signed: bytes, secret: str, given: str, header: str) -> None:
    """Compares a signature in hex, HMAC-SHA256 over `signed`; raises DialectError that names the header."""
    if not given:
        raise DialectError(
            "It is not signed.", field_name=header, remedy="Give the sender the source's signing secret."
        )
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.strip().lower().encode()):
        remedy = "Compare the sender's secret with the source's signing secret."
        raise DialectError("The signature is not that of this body.", field_name=header, remedy=remedy)


def read_json(body: bytes) -> Any:
    """The body as JSON; raises DialectError with the place of the mistake."""
    try:
        data = json.loads(body, parse_constant=str)  # (PostgreSQL stores no NaN)
        return _storable(data) if ESCAPED.search(body) else data
    except UnicodeDecodeError as error:
        raise DialectError("The body is not UTF-8 text.", remedy="Send JSON encoded as UTF-8.") from error
    except json.JSONDecodeError as error:
        what = f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
        raise DialectError(f"The body is not JSON: {what}.", remedy="Send a JSON object.") from error
    except ValueError as error:
        raise DialectError("The body holds a number that is too long.", remedy="Send it as text.") from error
    except RecursionError as error:
        raise DialectError("The body is nested too deeply.", remedy="Send a flatter JSON object.") from error


def _storable(data: Any) -> Any:
    """The same with a mark in place of each character that PostgreSQL stores in no text."""
    if isinstance(data, str):
        return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", data)
    if isinstance(data, list):
        return [_storable(item) for item in data]
    if isinstance(data, dict):
        return {_storable(key): _storable(value) for key, value in data.items()}
    return data


def read_time(value: Any, field_name: str) -> datetime | None:
    """An RFC 3339 time as UTC; None for nothing and for Go's zero time, which means "not set"."""
    if value in (None, ""):
        return None
    try:
        instant = datetime.fromisoformat(str(value))
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return None if instant.year <= 1 else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DialectError(
            f"{value!r} is not a time.", field_name=field_name, remedy="Use RFC 3339, such as 2026-11-21T08:13:11Z."
        ) from error


def read_epoch(text: str) -> datetime | None:
    """Seconds or milliseconds since 1970, in digits, as UTC; None for anything else: its senders promise no format."""
    if not EPOCH.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), UTC)


def short_key(key: str) -> str:
    """The key itself if it fits, else its SHA-256: two long keys never become the same by cutting."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
