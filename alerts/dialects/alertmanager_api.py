"""What Prometheus and amtool post to an Alertmanager. No dialect of its own: that of Alertmanager uses it.

Follows prometheus/alertmanager `api/v2/openapi.yaml` and `api/v2/api.go`, and prometheus/common `model/labelset.go`.
`POST /api/v2/alerts` takes a list of alerts. One whose `endsAt` has passed is over; one that fires is over at `endsAt`
unless it is sent again before. Go's zero time means "not set": it began when it came, and is over after five minutes.
Alerts that can't be read are told and do not keep the others from firing, as Alertmanager has it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alerts.dialects.format import (
    Accepted,
    DialectError,
    NormalisedEvent,
    Refusal,
    Reply,
    Request,
    plain_acceptance,
    plain_refusal,
    read_json,
    read_time,
)

ALERTS = "alertmanager/<token>/api/v2/alerts"
RESOLVE_TIMEOUT = timedelta(minutes=5)
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
SEPARATOR = b"\xff"
# FNV-1a with 64 bits.
OFFSET, PRIME = 14695981039346656037, 1099511628211
Alert = dict[str, Any]


def fingerprint(labels: Mapping[str, str]) -> str:
    """The hash by which Prometheus and Alertmanager know an alert: that of its labels."""
    total = OFFSET
    for name in sorted(labels, key=str.encode):
        for byte in name.encode() + SEPARATOR + labels[name].encode() + SEPARATOR:
            total = (total ^ byte) * PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def parse(request: Request, event_of: Callable[[Alert], NormalisedEvent]) -> list[NormalisedEvent]:
    """One event for each alert that can be read; raises DialectError if there is none.

    `event_of` makes an event of an alert in the shape of Alertmanager's webhook.
    """
    read = [_read(alert, request.received_at) for alert in _alerts(request)]
    mistakes = [each for each in read if isinstance(each, str)]
    if mistakes and len(mistakes) == len(read):
        raise DialectError("; ".join(mistakes), field_name="alerts")
    return [event_of(each) for each in read if not isinstance(each, str)]


def _alerts(request: Request) -> list[Any]:
    data = read_json(request.body)
    if not isinstance(data, list):
        raise DialectError("The body must be a list of alerts.")
    return data


def _read(alert: Any, received_at: datetime) -> Alert | str:
    """The alert in the webhook's shape, or what is wrong with it."""
    try:
        return _checked(alert, received_at)
    except DialectError as error:
        return error.message


def _checked(alert: Any, received_at: datetime) -> Alert:
    if not isinstance(alert, dict):
        raise DialectError("an alert must be an object")
    # (a label without a value is the same as none)
    labels, annotations = _texts(alert, "labels"), _texts(alert, "annotations")
    if not labels:
        raise DialectError("at least one label pair required")
    for name in labels:
        if not LABEL_NAME.fullmatch(name):
            raise DialectError(f'invalid label set: invalid name "{name}"')
    ends_at = read_time(alert.get("endsAt"), "endsAt") or received_at + RESOLVE_TIMEOUT
    starts_at = read_time(alert.get("startsAt"), "startsAt") or min(received_at, ends_at)
    if ends_at < starts_at:
        raise DialectError("start time must be before end time")
    return {
        "status": "firing" if ends_at > received_at else "resolved",
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at,
        "generatorURL": str(alert.get("generatorURL") or ""),
        "fingerprint": fingerprint(labels),
    }


def _texts(alert: Alert, name: str) -> dict[str, str]:
    texts = alert.get(name) or {}
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        raise DialectError(f"{name} must be an object of strings")
    return {key: value for key, value in texts.items() if value}


def accepted(accepted: Accepted) -> Reply:
    """200 and nothing else; what could not be read is told though the rest was stored."""
    if accepted.request.address != ALERTS:
        return plain_acceptance(accepted)
    alerts = _alerts(accepted.request)
    if len(alerts) == len(accepted.events):
        return Reply(200)
    mistakes = [
        each for each in (_read(alert, accepted.request.received_at) for alert in alerts) if isinstance(each, str)
    ]
    return Reply(400, "; ".join(mistakes))


def refused(request: Request, refusal: Refusal) -> Reply:
    """The API's errors: text in JSON, and for what could not be read at all a code and a message."""
    plain = plain_refusal(request, refusal)
    if request.address != ALERTS:
        return plain
    if refusal.reason == "invalid" and not refusal.field_name:
        return Reply(400, {"code": 400, "message": f'parsing alerts body from "" failed, because {refusal.message}'})
    return Reply(plain.status, refusal.message)
