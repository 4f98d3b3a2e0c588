"""Uptime Kuma's webhook notification.

Follows louislam/uptime-kuma `server/notification-providers/webhook.js` and `server/model/{heartbeat,monitor}.js`:
`heartbeat`, `monitor` and `msg` as JSON, as a multipart form whose one field `data` holds that JSON, or by GET in the
query, where each of the first two is JSON.

| heartbeat's status | |
| --- | --- |
| 0, down | fires; the monitor is the dedup key |
| 1, up | resolves |
| 2, pending | no alert: the monitor tries again and then tells whether it is down |
| 3, under maintenance | resolves: planned work is no reason to page, and who is still down afterwards is told again |

Without a monitor there is only `msg`: an expiring certificate, or the test button. Both fire, each text as an alert of
its own that a person resolves; the test as `info`, so that it shows the whole way in without being loud.
"""

import email.policy
from email.parser import BytesParser
from typing import Any, Literal

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    read_json,
    read_time,
    short_key,
)

UP, PENDING, MAINTENANCE = 1, 2, 3
STATUSES = {0: "down", UP: "up", PENDING: "pending", MAINTENANCE: "under maintenance"}
REMEDY = "Use a notification of type Webhook, by POST with a preset body or by GET."
NOTIFICATION = """Notification Type: Webhook
Post URL: <address>
Request Method: POST
Request Body: Preset - application/json
"""
TEST = " Testing"
ABOUT = ("id", "type", "hostname", "port", "description", "pathName", "interval")


def parse(request: Request) -> list[NormalisedEvent]:
    """The event of the body, if it says anything new; raises DialectError."""
    data = _queried(request) if request.method == "GET" else read_json(_document(request))
    if not isinstance(data, dict):
        raise DialectError("The body must be a JSON object.", remedy=REMEDY)
    if data.get("heartbeat") is None and data.get("monitor") is None:
        return [_message(data)]
    heartbeat, monitor = _object(data, "heartbeat"), _object(data, "monitor")
    status = heartbeat.get("status")
    if not isinstance(status, int) or isinstance(status, bool) or status not in STATUSES:
        known = ", ".join(f"{number} ({name})" for number, name in STATUSES.items())
        raise DialectError("This is no status.", field_name="heartbeat.status", remedy=f"Send one of {known}.")
    number = heartbeat.get("monitorID") or monitor.get("id")
    if not isinstance(number, (int, str)):
        raise DialectError("A heartbeat needs its monitor.", field_name="heartbeat.monitorID", remedy=REMEDY)
    if status == PENDING:
        return []
    key = short_key(f"monitor-{number}")
    return [_event(key, "resolved" if status in {UP, MAINTENANCE} else "firing", heartbeat, monitor)]


def _queried(request: Request) -> dict[str, Any]:
    """The same from the query of a GET."""
    objects = {
        name: read_json(text.encode()) for name, text in request.query.items() if name in {"heartbeat", "monitor"}
    }
    return {"msg": request.query.get("msg"), **objects}


def _document(request: Request) -> bytes:
    """The JSON: the body, or the field `data` of a form."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return request.body
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        if part.get_param("name", header="content-disposition") == "data" and isinstance(content, bytes):
            return content
    raise DialectError("The form needs the field data.", field_name="data", remedy=REMEDY)


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    if not isinstance(found, dict):
        raise DialectError(f"{name} must be an object.", field_name=name, remedy=REMEDY)
    return found


def _event(
    key: str, status: Literal["firing", "resolved"], heartbeat: dict[str, Any], monitor: dict[str, Any]
) -> NormalisedEvent:
    """What a monitor says of what it watches."""
    name = str(monitor.get("name") or monitor.get("url") or monitor.get("hostname") or key)
    reason = str(heartbeat.get("msg") or "")
    tags = _tags(monitor)
    url = str(monitor.get("url") or "")
    about = {field: monitor.get(field) for field in ABOUT}
    measured = {field: heartbeat.get(field) for field in ("ping", "retries")}
    return NormalisedEvent(
        dedup_key=key,
        status=status,
        title=(f"{name} is down: {reason}" if reason else f"{name} is down")[:LONGEST_TITLE],
        description=str(monitor.get("description") or ""),
        severity="critical",
        service=tags.get("service", ""),
        # (a monitor that asks for no page has only the beginning of an address)
        source_url=url if url.partition("://")[2] else "",
        started_at=read_time(heartbeat.get("time"), "heartbeat.time"),
        attributes={
            "monitor": {field: value for field, value in about.items() if value not in (None, "")},
            "tags": tags,
            **{field: value for field, value in measured.items() if value is not None},
        },
    )


def _tags(monitor: dict[str, Any]) -> dict[str, str]:
    tags = monitor.get("tags")
    named = [tag for tag in tags if isinstance(tag, dict) and tag.get("name")] if isinstance(tags, list) else []
    return {str(tag["name"]): str(tag.get("value") or "") for tag in named}


def _message(data: dict[str, Any]) -> NormalisedEvent:
    """What is told of no monitor."""
    message = data.get("msg")
    if not isinstance(message, str) or not message.strip():
        raise DialectError("A message is needed where no monitor is told.", field_name="msg", remedy=REMEDY)
    return NormalisedEvent(
        dedup_key=short_key(f"message-{message}"),
        status="firing",
        title=message.strip()[:LONGEST_TITLE],
        severity="info" if message.endswith(TEST) else "warning",
    )


DIALECT = Dialect(
    name="uptimekuma",
    label="Uptime Kuma",
    about="Monitors that go down and come up again.",
    addresses=("uptime-kuma/<token>",),
    methods={"uptime-kuma/<token>": ("POST", "GET")},
    parse=parse,
    sample={
        "heartbeat": {"monitorID": 1, "status": 0, "msg": "connect ECONNREFUSED"},
        "monitor": {"id": 1, "name": "Payment API", "tags": [{"name": "service", "value": "payments"}]},
        "msg": "[Payment API] [\U0001f534 Down] connect ECONNREFUSED",
    },
    guides=(("Settings, Notifications, Setup Notification", NOTIFICATION),),
)
