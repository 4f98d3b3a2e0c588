"""Datadog's webhooks.

Datadog posts a template in which it has filled in its variables (docs.datadoghq.com, "Webhooks"). Read are the
variables by their names in small letters (`$ALERT_CYCLE_KEY` as `alert_cycle_key`), the names in the payload that
Datadog sends if none is configured, and those in the template that people use for incident.io; at the top or in
`metadata`; as JSON, or as a form ("Encode as form"). Everything else becomes an attribute. A variable that was not
filled in counts as absent.

The key is `deduplication_key`, else the cycle or aggregation key. The default payload has none of them, and its `id` is
that of the event, so that nothing would ever resolve: a monitor's notification then goes by its title without the state
in it, and only what is no monitor's goes by its id.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    read_epoch,
    read_json,
    short_key,
)

TEMPLATE = {
    "alert_transition": "$ALERT_TRANSITION",
    "deduplication_key": "$AGGREG_KEY-$ALERT_CYCLE_KEY",
    "title": "$EVENT_TITLE",
    "description": "$EVENT_MSG",
    "source_url": "$LINK",
    "alert_priority": "$ALERT_PRIORITY",
    "alert_type": "$ALERT_TYPE",
    "tags": "$TAGS",
    "date": "$DATE",
    "id": "$ID",
    "alert_id": "$ALERT_ID",
    "alert_metric": "$ALERT_METRIC",
    "alert_query": "$ALERT_QUERY",
    "alert_scope": "$ALERT_SCOPE",
    "alert_status": "$ALERT_STATUS",
    "event_type": "$EVENT_TYPE",
    "hostname": "$HOSTNAME",
    "logs_sample": "$LOGS_SAMPLE",
    "snapshot_url": "$SNAPSHOT",
}
TITLES = ("title", "event_title", "alert_title")
TEXTS = ("description", "body", "event_msg", "text_only_msg")
LINKS = ("source_url", "link", "alert_url", "url")
PRIORITIES = ("alert_priority", "priority", "severity")
TYPES = {"error": "error", "warning": "warning", "info": "info"}
READ = {*TITLES, *TEXTS, *LINKS, *PRIORITIES, "metadata", "deduplication_key", "tags", "service"}
FORM = "application/x-www-form-urlencoded"
REMEDY = "Paste the template from the source's page into the webhook's payload."
VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*(\[[^\]]*\])?")
# "[Triggered on {host:api-1}] Disk is full": the state, and what it is the state of.
STATE = re.compile(r"\[(?P<state>(?:re-)?(?:triggered|warn|no data|recovered|renotify))\b ?(?P<scope>[^\]]*)\]", re.I)
PRIORITY = re.compile(r"P[1-5]", re.I)


def parse(request: Request) -> list[NormalisedEvent]:
    """The one event of the body; raises DialectError."""
    data = _document(request)
    metadata = data.get("metadata")
    fields = _filled({**(metadata if isinstance(metadata, dict) else {}), **data})
    title = _text(fields, *TITLES)
    if not title:
        raise DialectError("A title is needed.", field_name="title", remedy=REMEDY)
    transition = _transition(fields, title)
    tags = _tags(f"{_text(fields, 'tags')},{_text(fields, 'alert_scope')}")
    attributes = {name: value for name, value in fields.items() if name not in READ}
    return [
        NormalisedEvent(
            dedup_key=short_key(_key(fields, title, transition) or request.id),
            status=_status(fields, transition),
            title=title[:LONGEST_TITLE],
            description=_text(fields, *TEXTS).replace("%%%", "").strip(),
            severity=_severity(fields, transition),
            service=_text(fields, "service") or tags.get("service", [""])[0],
            source_url=_text(fields, *LINKS),
            started_at=read_epoch(_text(fields, "date")),
            attributes={**attributes, "tags": {name: ", ".join(values) for name, values in tags.items()}},
        )
    ]


def _document(request: Request) -> dict[str, Any]:
    """The template as it was filled in."""
    is_form = request.headers.get("content-type", "").lower().startswith(FORM)
    if is_form and not request.body.lstrip().startswith(b"{"):
        return _form(request.body)
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("The payload must be a JSON object.", remedy=REMEDY)
    return data


def _form(body: bytes) -> dict[str, Any]:
    """A form's fields; those that hold an object hold it as JSON."""
    try:
        fields: dict[str, Any] = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise DialectError("The body is not a form.", remedy=REMEDY) from error
    for name, value in fields.items():
        if value.startswith("{"):
            try:
                fields[name] = json.loads(value)
            except (ValueError, RecursionError):
                continue  # (a text may begin so)
    return fields


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, and what is in them, that hold something."""
    inner = {name: _held(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return _held(inner)


def _held(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if not _is_absent(value)}


def _is_absent(value: Any) -> bool:
    """Datadog leaves a variable that it does not know as it is, and says null for nothing."""
    if isinstance(value, str):
        return value.strip().lower() in {"", "null"} or VARIABLE.fullmatch(value.strip()) is not None
    return value in (None, {}, [])


def _text(fields: Mapping[str, Any], *names: str) -> str:
    """The first of these that is given."""
    name = next((each for each in names if each in fields), "")
    value = fields.get(name, "")
    if isinstance(value, (dict, list)):
        raise DialectError(f"{name} must be text.", field_name=name, remedy=REMEDY)
    return str(value).strip()


def _transition(fields: Mapping[str, Any], title: str) -> str:
    """What the monitor went through, in small letters, as it is told or as its title says; "" for no monitor's."""
    found = STATE.search(title)
    return (_text(fields, "alert_transition") or (found["state"] if found else "")).lower()


def _status(fields: Mapping[str, Any], transition: str) -> Literal["firing", "resolved"]:
    """A transition that Datadog has not told of fires: better one page too many."""
    is_over = transition.endswith("recovered") if transition else _text(fields, "alert_type") == "success"
    return "resolved" if is_over else "firing"


def _key(fields: Mapping[str, Any], title: str, transition: str) -> str:
    given = VARIABLE.sub("", _text(fields, "deduplication_key")).strip("- ")
    given = given or _text(fields, "alert_cycle_key") or _text(fields, "aggreg_key")
    return given or (STATE.sub(r"[\g<scope>]", title, count=1) if transition else _text(fields, "id"))


def _severity(fields: Mapping[str, Any], transition: str) -> str:
    named = _text(fields, *PRIORITIES)
    if named:
        return named.upper() if PRIORITY.fullmatch(named) else named
    return TYPES.get(_text(fields, "alert_type").lower(), "warning" if transition.endswith("warn") else "")


def _tags(text: str) -> dict[str, list[str]]:
    """The values of each tag of "env:prod,service:api,monitor"."""
    tags: dict[str, list[str]] = {}
    for tag in text.split(","):
        name, _, value = tag.strip().partition(":")
        if name and value not in tags.setdefault(name, []):
            tags[name].append(value)
    return tags


DIALECT = Dialect(
    name="datadog",
    label="Datadog",
    about="Monitors tell Sitrep by a webhook; recovery resolves.",
    addresses=("datadog/<token>",),
    parse=parse,
    sample={
        "alert_transition": "Triggered",
        "deduplication_key": "9bd4ac313a4d1e8fae2482df7b77628-8214",
        "title": "[Triggered on {host:api-1}] Payment API returning 500 errors",
        "description": "More than 5 % of requests failed during the last 5m.",
        "alert_priority": "P1",
        "tags": "env:production,host:api-1,monitor,service:payments",
    },
    guides=(("payload.json", json.dumps(TEMPLATE, indent=2)),),
)
