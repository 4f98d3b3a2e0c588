"""PagerDuty's Events API, versions 2 and 1.

`POST /v2/change/enqueue` tells of a change, with `routing_key`, `payload` (`summary`, `source`, `timestamp`,
`custom_details`) and `links`.

`POST /v2/enqueue` with `routing_key`, `event_action` (trigger, acknowledge, resolve), `dedup_key` and `payload`, and
`POST /generic/2010-04-15/create_event.json` with `service_key`, `event_type`, `incident_key` and `description`, as the
vendor's reference for developers has them. A source's token is such a key: 32 letters and digits. What is only told by
clients' reports (the words of errors) follows these. A trigger without a key is an alert of its own.
"""

import re
from typing import Any, Literal

from alerts.dialects.format import (
    LONGEST_TITLE,
    Accepted,
    Dialect,
    DialectError,
    NormalisedEvent,
    Refusal,
    Reply,
    Request,
    read_json,
    read_time,
    short_key,
)

V1 = "pagerduty/generic/2010-04-15/create_event.json"
V2 = "pagerduty/v2/enqueue"
CHANGES = "pagerduty/v2/change/enqueue"
Status = Literal["firing", "acknowledged", "resolved"]
ACTIONS: dict[str, Status] = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}
SEVERITIES = ("critical", "error", "warning", "info")
LONGEST_DEDUP_KEY = 255
LONGEST_SUMMARY = 1024
ALERTMANAGER_YML = """receivers:
  - name: sitrep
    pagerduty_configs:
      - routing_key: <token>
        url: <address>
"""
KEY = re.compile(r"[0-9A-Za-z]{32}")


def _document(request: Request) -> dict[str, Any]:
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("The event must be a JSON object.")
    return data


def token_in(request: Request) -> str:
    """The routing key (version 2) or service key (version 1); raises DialectError for what can't be one."""
    name = "service_key" if request.address == V1 else "routing_key"
    key = _document(request).get(name)
    if not isinstance(key, str) or not key:
        raise DialectError(f"'{name}' is missing or blank", field_name=name)
    if len(key) != 32:
        raise DialectError(f"Length of '{name}' is incorrect (should be 32 characters)", field_name=name)
    if not KEY.fullmatch(key):
        raise DialectError(f"'{name}' cannot contain non-alphanumeric characters.", field_name=name)
    return key


def parse(request: Request) -> list[NormalisedEvent]:
    """The one event of the body; raises DialectError."""
    data = _document(request)
    if request.address == CHANGES:
        return [_change(data, request)]
    return [_version_1(data, request) if request.address == V1 else _version_2(data, request)]


def _version_2(data: dict[str, Any], request: Request) -> NormalisedEvent:
    status = _status(data, "event_action")
    key = _key(data, "dedup_key", status, request)
    payload = data.get("payload") or {}
    if not isinstance(payload, dict):
        raise DialectError("'payload' must be an object", field_name="payload")
    if status != "firing":
        return NormalisedEvent(dedup_key=key, status=status, title="")
    severity = _text(payload, "severity", "payload.", needed=True).lower()
    if severity not in SEVERITIES:
        allowed = ", ".join(f"'{each}'" for each in SEVERITIES)
        raise DialectError(f"'payload.severity' is invalid (must be one of: {allowed})", field_name="payload.severity")
    details = payload.get("custom_details")
    component = _text(payload, "component", "payload.")
    named = details.get("service") if isinstance(details, dict) else ""
    attributes = {
        "source": _text(payload, "source", "payload.", needed=True),
        "component": component,
        "group": _text(payload, "group", "payload."),
        "class": _text(payload, "class", "payload."),
        "custom_details": details,
        "client": _text(data, "client"),
        "links": data.get("links"),
        "images": data.get("images"),
    }
    return NormalisedEvent(
        dedup_key=key,
        status=status,
        title=_text(payload, "summary", "payload.", needed=True)[:LONGEST_TITLE],
        severity=severity,
        service=named if isinstance(named, str) and named else component,
        source_url=_text(data, "client_url"),
        started_at=read_time(payload.get("timestamp"), "payload.timestamp"),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _version_1(data: dict[str, Any], request: Request) -> NormalisedEvent:
    status = _status(data, "event_type")
    key = _key(data, "incident_key", status, request)
    if status != "firing":
        return NormalisedEvent(dedup_key=key, status=status, title="")
    attributes = {
        "custom_details": data.get("details"),
        "client": _text(data, "client"),
        "contexts": data.get("contexts"),
    }
    return NormalisedEvent(
        dedup_key=key,
        status=status,
        title=_text(data, "description", needed=True)[:LONGEST_TITLE],
        source_url=_text(data, "client_url"),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _change(data: dict[str, Any], request: Request) -> NormalisedEvent:
    payload = data.get("payload")
    if not isinstance(payload, dict):
        raise DialectError("'payload' is missing or blank", field_name="payload")
    summary = _text(payload, "summary", "payload.", needed=True)
    if len(summary) > LONGEST_SUMMARY:
        message = f"'payload.summary' is too long (maximum is {LONGEST_SUMMARY} characters)"
        raise DialectError(message, field_name="payload.summary")
    details, links = payload.get("custom_details"), data.get("links")
    named = details.get("service") if isinstance(details, dict) else ""
    return NormalisedEvent(
        dedup_key=short_key(request.id),
        status="noted",
        title=summary,
        service=named if isinstance(named, str) else "",
        started_at=read_time(payload.get("timestamp"), "payload.timestamp"),
        attributes={
            "kind": "change",
            "author": _text(payload, "source", "payload."),
            "links": links if isinstance(links, list) else [],
            "details": details if isinstance(details, dict) else {},
        },
    )


def _status(data: dict[str, Any], name: str) -> Status:
    status = ACTIONS.get(str(data.get(name)))
    if status is None:
        raise DialectError(f"{name} is invalid (must be one of: {' '.join(ACTIONS)})", field_name=name)
    return status


def _key(data: dict[str, Any], name: str, status: Status, request: Request) -> str:
    """The key that the alert goes by."""
    key = _text(data, name)
    if not key and status != "firing":
        raise DialectError(f"'{name}' is missing or blank", field_name=name)
    if len(key) > LONGEST_DEDUP_KEY:
        raise DialectError(f"'{name}' is too long (maximum is {LONGEST_DEDUP_KEY} characters)", field_name=name)
    return short_key(key or request.id)


def _text(data: dict[str, Any], name: str, where: str = "", *, needed: bool = False) -> str:
    value = data.get(name)
    if value is None or value == "":
        if needed:
            raise DialectError(f"'{where}{name}' is missing or blank", field_name=f"{where}{name}")
        return ""
    if isinstance(value, (dict, list, bool)):
        raise DialectError(f"'{where}{name}' must be a string", field_name=f"{where}{name}")
    return str(value)


def accepted(accepted: Accepted) -> Reply:
    """What clients check: 202 (version 1: 200), `status` and the key."""
    if accepted.request.address == CHANGES:
        return Reply(202, {"status": "success", "message": "Change event processed"})
    is_first = accepted.request.address == V1
    key = {"incident_key" if is_first else "dedup_key": accepted.events[0].dedup_key}
    return Reply(200 if is_first else 202, {"status": "success", "message": "Event processed", **key})


def refused(request: Request, refusal: Refusal) -> Reply:
    """The vendor's error: `errors` is what its clients show."""
    if refusal.reason == "not_stored":
        content = {"status": "internal error", "message": "Internal server error", "errors": [refusal.message]}
        return Reply(503, content)
    if refusal.reason in {"unknown_token", "wrong_dialect"}:
        return Reply(400, {"status": "invalid event", "message": "Invalid routing key", "errors": [refusal.message]})
    if refusal.reason == "too_large":
        content = {"status": "invalid event", "message": "Event object is invalid", "errors": [refusal.message]}
        return Reply(413, content)
    if not refusal.field_name:
        content = {
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        }
        return Reply(400, content)
    content = {"status": "invalid event", "message": "Event object is invalid", "errors": [refusal.message]}
    return Reply(400, content)


DIALECT = Dialect(
    name="pagerduty",
    label="PagerDuty Events API",
    about="For every client of PagerDuty's Events API: change the host name and the key.",
    addresses=(V2, CHANGES, V1),
    parse=parse,
    token_in=token_in,
    accepted=accepted,
    refused=refused,
    sample={
        "routing_key": "<token>",
        "event_action": "trigger",
        "dedup_key": "payments-500",
        "payload": {
            "summary": "Payment API returning 500 errors",
            "source": "api-1.example.com",
            "severity": "critical",
            "component": "payments",
        },
    },
    guides=(
        ("Where a client has https://events.pagerduty.com", "<base>/pagerduty"),
        ("alertmanager.yml", ALERTMANAGER_YML),
    ),
)
