"""What every dialect produces: normalised events, or an error that tells the sender what to mend."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

LONGEST_KEY = 255
LONGEST_TITLE = 300


@dataclass(frozen=True)
class NormalisedEvent:
    """One signal, whatever format it came in. `service` is a name or slug that may not exist."""

    dedup_key: str
    status: Literal["firing", "resolved"]
    title: str
    description: str = ""
    severity: str = ""
    service: str = ""
    source_url: str = ""
    started_at: datetime | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class DialectError(Exception):
    """The body does not follow the format: the field, the reason and the remedy."""

    def __init__(self, message: str, *, field_name: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field_name = field_name
        self.remedy = remedy


@dataclass(frozen=True)
class Dialect:
    """A wire format: its name in addresses, what people call it, and its parser (body, headers → events)."""

    name: str
    label: str
    parse: Callable[[bytes, Mapping[str, str]], list[NormalisedEvent]]


def read_json(body: bytes) -> Any:
    """The body as JSON; raises DialectError with the place of the mistake."""
    try:
        return json.loads(body)
    except UnicodeDecodeError as error:
        raise DialectError("The body is not UTF-8 text.", remedy="Send JSON encoded as UTF-8.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DialectError(f"The body is not JSON: {error.msg} at {place}.", remedy="Send a JSON object.") from error
    except RecursionError as error:
        raise DialectError("The body is nested too deeply.", remedy="Send a flatter JSON object.") from error


def read_time(value: Any, field_name: str) -> datetime | None:
    """An RFC 3339 time as UTC; None for nothing and for Go's zero time, which means "not set"."""
    if value in (None, ""):
        return None
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise DialectError(
            f"{value!r} is not a time.", field_name=field_name, remedy="Use RFC 3339, such as 2026-11-21T08:13:11Z."
        ) from error
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None if instant.year <= 1 else instant.astimezone(UTC)


def short_key(key: str) -> str:
    """The key itself if it fits, else its SHA-256: two long keys never become the same by cutting."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
