"""Sitrep's own JSON, for scripts and anything without a dialect of its own.

One object or a list of them:

    {"title": "Payment API returns 500", "status": "firing", "dedup_key": "payments-500", "severity": "critical",
     "service": "payments", "team": "web", "description": "…", "url": "https://…", "tags": ["checkout"],
     "started_at": "2026-11-21T08:13:11Z", "attributes": {"region": "eu-1"}}

Only `title` is needed to fire; `dedup_key` alone is enough to resolve. Without a key, title and service are the key.
With `started_at`, and `ended_at` where it resolves, what comes too late is known as late.
Where the source has a mapping, what this finds stands for these fields: any JSON will do.
CloudEvents are understood too, as `cloudevents` has it.
"""

import hashlib
from typing import Any

from alerts.dialects import cloudevents
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
from alerts.dialects.mapping import fields_in

TEXT_FIELDS = ("title", "dedup_key", "severity", "service", "description", "url")
CLOUDEVENT = """curl -X POST <address> -H 'Content-Type: application/json' \\
  -H 'ce-specversion: 1.0' -H 'ce-id: 8214' -H 'ce-source: /warehouses/7' \\
  -H 'ce-type: com.example.freezer.warm.firing' -H 'ce-subject: freezer-3' \\
  -d '{"temperature": -9, "severity": "critical", "service": "cold-chain"}'
"""
KNOWN = {*TEXT_FIELDS, "status", "started_at", "ended_at", "tags", "team", "attributes"}


def parse(request: Request) -> list[NormalisedEvent]:
    """The events of the body; raises DialectError."""
    if cloudevents.is_spoken(request):
        return [_event(found, where) for found, where in cloudevents.read(request)]
    data = read_json(request.body)
    if not isinstance(data, list):
        return [_event(_filled(data, request), "")]
    if not data:
        raise DialectError("The list is empty.", remedy="Send at least one event.")
    return [_event(_filled(item, request), f"[{index}].") for index, item in enumerate(data)]


def _filled(data: Any, request: Request) -> Any:
    """One event with what its source's mapping finds in it: then it need not look like ours.

    What does look like ours stays for now: the rules see it, and fill it, when the event is mapped.
    """
    if not request.mapping or not isinstance(data, dict):
        return data
    found = fields_in(request.mapping, data)
    ours = {name for name in found if name != "status" and data.get(name) and not isinstance(data[name], (dict, list))}
    return {**data, **{name: value for name, value in found.items() if name not in ours}}


def _event(data: Any, where: str) -> NormalisedEvent:
    if not isinstance(data, dict):
        raise DialectError(f"{where.rstrip('.') or 'The body'} must be a JSON object.", remedy='Send {"title": "…"}.')
    text = {name: _text(data, name, where) for name in TEXT_FIELDS}
    status = str(data.get("status", "firing")).lower()
    if status not in {"firing", "resolved"}:
        raise DialectError(
            f"{status!r} is not a status.", field_name=f"{where}status", remedy="Use firing or resolved."
        )
    if not text["title"] and not (status == "resolved" and text["dedup_key"]):
        raise DialectError("A title is needed.", field_name=f"{where}title", remedy="Say in a few words what is wrong.")
    attributes = data.get("attributes", {})
    if not isinstance(attributes, dict):
        raise DialectError(
            "attributes must be an object.", field_name=f"{where}attributes", remedy='Send {"key": "value"}.'
        )
    extra = {key: value for key, value in data.items() if key not in KNOWN}
    key = text["dedup_key"] or hashlib.sha256(f"{text['title']}\n{text['service']}".encode()).hexdigest()
    return NormalisedEvent(
        dedup_key=short_key(key),
        status="resolved" if status == "resolved" else "firing",
        title=text["title"][:LONGEST_TITLE],
        description=text["description"],
        severity=text["severity"],
        service=text["service"],
        source_url=text["url"],
        started_at=read_time(data.get("started_at"), f"{where}started_at"),
        ended_at=read_time(data.get("ended_at"), f"{where}ended_at"),
        team=_text(data, "team", where),
        tags=_tags(data.get("tags"), where),
        attributes={**extra, **attributes},
    )


def _tags(value: Any, where: str) -> tuple[str, ...]:
    tags = value if isinstance(value, list) else [value] if isinstance(value, str) and value else []
    if (value and not tags) or not all(isinstance(tag, str) for tag in tags):
        raise DialectError("tags must be a list of texts.", field_name=f"{where}tags", remedy='Send ["one", "two"].')
    return tuple(dict.fromkeys(tag.strip()[:100] for tag in tags if tag.strip()))[:50]


def _text(data: dict[str, Any], name: str, where: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise DialectError(
            f"{name} must be text.", field_name=f"{where}{name}", remedy="Put structure into attributes."
        )
    return str(value).strip()


DIALECT = Dialect(
    name="generic",
    label="Generic JSON",
    about="For scripts, CloudEvents, and anything without a format of its own here.",
    addresses=("in/<token>",),
    methods={"in/<token>": ("POST", "OPTIONS")},
    greeting=cloudevents.greeting,
    parse=parse,
    keeps=cloudevents.KEEPS,
    sample={
        "title": "Payment API returning 500 errors",
        "severity": "critical",
        "service": "payments",
        "dedup_key": "payments-500",
    },
    guides=(("A CloudEvent in binary mode", CLOUDEVENT),),
)
