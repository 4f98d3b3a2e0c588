"""incident.io's HTTP alert sources.

`POST /v2/alert_events/http/<id>` with the source's token as `Authorization: Bearer`, as the password of basic
authorization, or as `?token=`; the body has `title`, `status` (firing, resolved), `deduplication_key`, `description`,
`source_url` and `metadata`. `…/alertmanager/<id>` takes what Alertmanager's `incidentio_configs` sends.
"""

import base64
import binascii
from typing import Any

from alerts.dialects import alertmanager
from alerts.dialects.format import (
    LONGEST_TITLE,
    Accepted,
    Dialect,
    DialectError,
    NormalisedEvent,
    Reason,
    Refusal,
    Reply,
    Request,
    read_json,
    short_key,
)

ALERTMANAGER = "incidentio/v2/alert_events/alertmanager/<id>"
KINDS: dict[Reason, tuple[int, str, str]] = {
    "unknown_token": (401, "authentication_error", "unauthenticated"),
    "wrong_dialect": (401, "authentication_error", "unauthenticated"),
    "bad_signature": (401, "authentication_error", "unauthenticated"),
    "too_large": (413, "validation_error", "too_large"),
    "invalid": (422, "validation_error", "invalid_value"),
    "not_stored": (503, "internal_error", "unavailable"),
}


def token_in(request: Request) -> str:
    """The token, wherever a client of this format may put it; "" if it is nowhere."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password or user
    return request.query.get("token", "")


def parse(request: Request) -> list[NormalisedEvent]:
    """The events of the body; raises DialectError."""
    if request.address == ALERTMANAGER:
        return alertmanager.parse(request)
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("The body must be a JSON object.")
    text = {name: _text(data, name) for name in ("title", "status", "deduplication_key", "description", "source_url")}
    if not text["title"]:
        raise DialectError("A title is required", field_name="title")
    status = text["status"]
    if status not in {"firing", "resolved"}:
        raise DialectError("A status is required: firing or resolved", field_name="status")
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise DialectError("Metadata must be an object", field_name="metadata")
    named, severity = metadata.get("service"), metadata.get("severity")
    return [
        NormalisedEvent(
            dedup_key=short_key(text["deduplication_key"] or request.id),
            status="resolved" if status == "resolved" else "firing",
            title=text["title"][:LONGEST_TITLE],
            description=text["description"],
            severity=severity if isinstance(severity, str) else "",
            service=named if isinstance(named, str) else "",
            source_url=text["source_url"],
            attributes=metadata,
        )
    ]


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise DialectError(f"{name} must be a string", field_name=name)
    return value or ""


def accepted(accepted: Accepted) -> Reply:
    """What the vendor's clients check: 202 and the key."""
    keys = [event.dedup_key for event in accepted.events]
    content = {"message": "Event accepted for processing", "status": "success"}
    return Reply(202, {"deduplication_key": keys[0] if keys else "", **content})


def refused(request: Request, refusal: Refusal) -> Reply:
    """The vendor's error."""
    status, kind, code = KINDS[refusal.reason]
    error: dict[str, Any] = {"code": code, "message": refusal.message}
    if refusal.field_name:
        error["source"] = {"field": refusal.field_name}
    return Reply(status, {"type": kind, "status": status, "request_id": request.id, "errors": [error]})


ALERTMANAGER_YML = """receivers:
  - name: sitrep
    incidentio_configs:
      - url: <base>/incidentio/v2/alert_events/alertmanager/sitrep
        alert_source_token: <token>
"""
DIALECT = Dialect(
    name="incidentio",
    label="incident.io alert source",
    about="For senders that are set up for incident.io: change the host name.",
    addresses=("incidentio/v2/alert_events/http/<id>", ALERTMANAGER),
    parse=parse,
    token_in=token_in,
    accepted=accepted,
    refused=refused,
    sample={
        "title": "Payment API returning 500 errors",
        "status": "firing",
        "deduplication_key": "payments-500",
        "metadata": {"service": "payments", "severity": "critical"},
    },
    sample_headers={"Authorization": "Bearer <token>"},
    guides=(
        ("Where a client has https://api.incident.io", "<base>/incidentio"),
        ("alertmanager.yml", ALERTMANAGER_YML),
    ),
)
