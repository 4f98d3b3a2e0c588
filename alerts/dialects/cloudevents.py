"""CloudEvents 1.0 over HTTP, as the generic JSON that they stand for. No dialect of its own: the generic one uses it.

Follows cloudevents/spec 1.0.2, `bindings/http-protocol-binding.md` and `formats/json-format.md`: structured
(`application/cloudevents+json`), batched (`application/cloudevents-batch+json`, which may be empty) and binary (the
attributes as `ce-…` headers, the data as body). Before all of it may come the handshake of cloudevents/spec 1.0.2,
`http-webhook.md`: OPTIONS with `WebHook-Request-Origin`.

- `data` that is an object with a `title` or a `dedup_key` is generic JSON itself.
- Other events get "type: subject" as title ("type from source" without a subject), and source, type and subject as key:
  an event's `id` is new each time, so nothing would ever be counted or resolved by it. `description`, `severity`,
  `service` and `url` are taken from `data` where they are text.
- It resolves if the last part of its type, or `status` in its data, is `resolved`; a last part `firing` or `resolved`
  is no part of title and key: `com.example.disk.resolved` ends what `com.example.disk.firing` began.
- `time` is when it began, `severitytext` the severity, unless `data` says otherwise.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from alerts.dialects.format import DialectError, Reply, Request, read_json, read_time

STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"
REQUIRED = ("id", "source", "specversion", "type")
OPTIONAL = ("subject", "time", "dataschema", "severitytext")
PREFIX = "ce-"
KEEPS = frozenset({f"{PREFIX}*"})
ATTRIBUTE = re.compile(r"ce-([a-z0-9]{1,50})")
TEXTS = ("description", "severity", "service", "url")
STATES = ("firing", "resolved")
JSON = re.compile(r"[^/]+/(.+\+)?json")
ESCAPED = re.compile(r"\\(.)")
PRINTABLE = re.compile(r"[!-~]{1,300}")


def is_spoken(request: Request) -> bool:
    """Whether this is a CloudEvent, or a batch of them."""
    return _media_type(request.headers).startswith("application/cloudevents") or "ce-specversion" in request.headers


def read(request: Request) -> list[tuple[dict[str, Any], str]]:
    """Each event as generic JSON, and where in the request that stands; raises DialectError."""
    kind = _media_type(request.headers)
    if kind == BATCHED:
        batch = read_json(request.body)
        if not isinstance(batch, list):
            raise DialectError("A batch must be a list.", remedy="Send a list of CloudEvents.")
        return [_structured(event, f"[{index}].") for index, event in enumerate(batch)]
    if kind == STRUCTURED:
        return [_structured(read_json(request.body), "")]
    if kind.startswith("application/cloudevents"):
        remedy = f"Send {STRUCTURED}, {BATCHED}, or the binary mode."
        raise DialectError(f"{kind} is not understood.", field_name="Content-Type", remedy=remedy)
    named = [found[1] for found in map(ATTRIBUTE.fullmatch, request.headers) if found]
    event = {name: _header(request.headers, name) for name in named}
    _check(event, "ce-")
    return [(_generic(event, _content(request.body, kind), "ce-"), "")]


def greeting(request: Request) -> Reply | None:
    """What a sender is told that asks whether it may send: yes, as often as it likes."""
    if request.method != "OPTIONS":
        return None
    origin = request.headers.get("webhook-request-origin", "")
    allowed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if PRINTABLE.fullmatch(origin) else {}
    return Reply(200, headers={"Allow": "POST, OPTIONS", **allowed})


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _header(headers: Mapping[str, str], name: str) -> str:
    """A header's value, without quotes and decoded once; raises DialectError for what is not UTF-8."""
    value = headers[f"ce-{name}"].strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        remedy = "Encode it as UTF-8, then by percent signs."
        raise DialectError("The header is not UTF-8.", field_name=f"ce-{name}", remedy=remedy) from error


def _structured(event: Any, where: str) -> tuple[dict[str, Any], str]:
    """An event in the JSON format."""
    if not isinstance(event, dict):
        raise DialectError("A CloudEvent must be a JSON object.", field_name=where.rstrip("."))
    event = {name: value for name, value in event.items() if value is not None}
    _check(event, where)
    encoded = event.pop("data_base64", None)
    if encoded is None:
        return _generic(event, event.pop("data", None), where), f"{where}data."
    if "data" in event:
        raise DialectError("An event has data or data_base64, not both.", field_name=f"{where}data_base64")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise DialectError("This is not base64.", field_name=f"{where}data_base64") from error
    kind = event.get("datacontenttype", "application/octet-stream").partition(";")[0].strip().lower()
    return _generic(event, _content(content, kind), where), f"{where}data."


def _check(event: Mapping[str, Any], where: str) -> None:
    """Raises DialectError unless the attributes are those of CloudEvents 1.0."""
    for name in (*REQUIRED, *OPTIONAL, "datacontenttype"):
        value = event.get(name)
        if (name in REQUIRED and not value) or not isinstance(value, (str, type(None))):
            raise DialectError(f"{name} must be text.", field_name=f"{where}{name}", remedy="Send CloudEvents 1.0.")
    if event["specversion"] != "1.0":
        raise DialectError("This version is not spoken here.", field_name=f"{where}specversion", remedy="Send 1.0.")


def _content(body: bytes, kind: str) -> Any:
    """The data: JSON, text, or None for nothing and for what a person can't read."""
    if not body:
        return None
    if not kind or JSON.fullmatch(kind):
        return read_json(body)
    return body.decode("utf-8", "replace") if kind.startswith("text/") or kind.endswith("xml") else None


def _generic(event: dict[str, Any], data: Any, where: str) -> dict[str, Any]:
    """The generic JSON that an event stands for; its `time` is checked here, where its name is known."""
    stem, _, last = event["type"].rpartition(".")
    kind = stem if stem and last in STATES else event["type"]
    subject = event.get("subject") or ""
    began = read_time(event.get("time"), f"{where}time")
    made = {
        "title": f"{kind}: {subject}" if subject else f"{kind} from {event['source']}",
        "severity": event.get("severitytext"),
        "started_at": began and began.isoformat(),
        "ended_at": began and began.isoformat(),
        "cloudevent": {name: value for name, value in event.items() if name not in {"specversion", "datacontenttype"}},
    }
    fields = data if isinstance(data, dict) else {}
    if fields.get("title") or fields.get("dedup_key"):
        return {**made, **fields}
    status = last if last in STATES else fields.get("status")
    texts = {name: fields[name] for name in TEXTS if isinstance(fields.get(name), str)}
    return {
        **made,
        **({"description": data} if isinstance(data, str) else texts),
        "dedup_key": " ".join((event["source"], kind, subject)).strip(),
        "status": "resolved" if status == "resolved" else "firing",
        "attributes": {"data": data} if data is not None and not isinstance(data, str) else {},
    }
