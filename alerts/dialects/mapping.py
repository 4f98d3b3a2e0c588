"""How a source's owner fills fields and attributes of its alerts from what it sends. Pure.

A mapping is a list of rules, each of them JSON:

    {"field": "service", "expression": "payload.tags.component"}
    {"field": "runbook", "kind": "link", "template": "https://wiki/{{ payload.alert | downcase }}"}
    {"field": "hosts", "kind": "list", "expression": "payload.host", "merge": "append"}

`field` is one of FIELDS or the name of an attribute. `expression` is JMESPath, `template` Liquid; both see the event as
its dialect reads it (`title`, `severity`, `attributes`, …) and the body as `payload` (of a list, the event's own item).
What finds nothing leaves the field as it was. `merge` says what becomes of it when the alert is told of again.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from alerts.dialects.format import LONGEST_TITLE, NormalisedEvent, short_key
from events.templates import BadTemplate, check_template, fill

FIELDS = ("title", "description", "severity", "service", "team", "dedup_key", "url", "tags", "status")
# What an end is called; every other status begins.
ENDS = {"resolved", "ok", "up", "closed", "close", "normal", "recovered", "inactive", "cleared", "success"}
KINDS = ("text", "number", "boolean", "link", "list")
MERGES = ("first", "last", "append", "max", "min")
MOST_RULES = 50
LONGEST_LIST = 100
# Fields that an alert keeps once it fires: who it is, and whom it belongs to.
KEPT = {"dedup_key", "service", "team", "status"}
Rule = Mapping[str, Any]


class BadMapping(ValueError):
    """A rule can't be followed; the message says which and why."""


@lru_cache(maxsize=500)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


def check_mapping(mapping: Any) -> None:
    """Raises BadMapping unless it is a list of rules that can be followed."""
    if not isinstance(mapping, list) or len(mapping) > MOST_RULES:
        raise BadMapping(f"A mapping is a list of at most {MOST_RULES} rules.")
    seen = set()
    for number, rule in enumerate(mapping, 1):
        if not isinstance(rule, dict):
            raise BadMapping(f"Rule {number} must be an object.")
        field = rule.get("field")
        if not isinstance(field, str) or not field.strip() or len(field) > 100:
            raise BadMapping(f"Rule {number} must name a field or an attribute.")
        if field in seen:
            raise BadMapping(f"Rule {number}: {field} is filled already by an earlier rule.")
        seen.add(field)
        _check_rule(number, rule)


def _check_rule(number: int, rule: Rule) -> None:
    unknown = set(rule) - {"field", "expression", "template", "kind", "merge"}
    if unknown:
        raise BadMapping(f"Rule {number} has unknown keys: {', '.join(sorted(unknown))}.")
    if bool(rule.get("expression")) == bool(rule.get("template")):
        raise BadMapping(f"Rule {number} needs an expression or a template, one of the two.")
    if rule.get("kind", "text") not in KINDS:
        raise BadMapping(f"Rule {number}: kind must be one of {', '.join(KINDS)}.")
    if rule.get("merge", "first") not in MERGES:
        raise BadMapping(f"Rule {number}: merge must be one of {', '.join(MERGES)}.")
    if rule["field"] in KEPT and rule.get("merge", "first") != "first":
        raise BadMapping(f"Rule {number}: {rule['field']} stays as it was when the alert fired; use merge first.")
    try:
        if rule.get("expression"):
            _compiled(str(rule["expression"]))
        else:
            check_template(str(rule["template"]))
    except (JMESPathError, BadTemplate) as error:
        raise BadMapping(f"Rule {number}: {str(error).splitlines()[0]}") from error


# --- Filling ----------------------------------------------------------------------------------------------------------


def map_events(mapping: Sequence[Rule], events: Sequence[NormalisedEvent], body: bytes) -> list[NormalisedEvent]:
    """The events with their fields and attributes filled as the mapping says. A rule that fails changes nothing."""
    each = _payloads(body, len(events))
    return [_mapped(mapping, event, own) for event, own in zip(events, each, strict=True)]


def findings(mapping: Sequence[Rule], events: Sequence[NormalisedEvent], body: bytes) -> list[Any]:
    """What each rule finds in the first of the events, or in the body alone if there is none; None for nothing."""
    payload = _payloads(body, len(events) or 1)[0]
    said = _said(events[0], payload) if events else {"payload": payload}
    return [_value(rule, said) for rule in mapping]


def _payloads(body: bytes, count: int) -> list[Any]:
    """The body for each of so many events: of a list of as many, each its own."""
    payload = _payload(body)
    return payload if isinstance(payload, list) and len(payload) == count else [payload] * count


def _payload(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _said(event: NormalisedEvent, payload: Any) -> dict[str, Any]:
    """What expressions and templates see."""
    return {
        "title": event.title,
        "description": event.description,
        "severity": event.severity,
        "service": event.service,
        "team": event.team,
        "status": event.status,
        "dedup_key": event.dedup_key,
        "url": event.source_url,
        "tags": list(event.tags),
        "attributes": event.attributes,
        "payload": payload,
    }


def _mapped(mapping: Sequence[Rule], event: NormalisedEvent, payload: Any) -> NormalisedEvent:
    said = _said(event, payload)
    filled: dict[str, Any] = {}
    attributes = dict(event.attributes)
    for rule in mapping:
        value = _value(rule, said)
        if value is None:
            continue
        if rule["field"] in FIELDS:
            filled[rule["field"]] = value
        else:
            attributes[rule["field"]] = value
    return _replaced(event, filled, attributes)


def _replaced(event: NormalisedEvent, filled: Mapping[str, Any], attributes: dict[str, Any]) -> NormalisedEvent:
    texts = {name: _text(value) for name, value in filled.items() if name != "tags"}
    changed: dict[str, Any] = {
        name: texts[name] for name in ("description", "severity", "service", "team") if name in texts
    }
    if texts.get("title"):
        changed["title"] = texts["title"][:LONGEST_TITLE]
    if texts.get("dedup_key"):
        changed["dedup_key"] = short_key(texts["dedup_key"])
    if "url" in texts:
        changed["source_url"] = texts["url"]
    if "tags" in filled:
        changed["tags"] = tuple(dict.fromkeys([*event.tags, *map(_text, _list(filled["tags"]))]))
    return dataclasses.replace(event, attributes=attributes, **changed)


def status_of(text: str) -> Literal["firing", "resolved"]:
    """What a sender's word for its status means."""
    return "resolved" if text.casefold().strip() in ENDS else "firing"


def fields_in(mapping: Sequence[Rule], payload: Any) -> dict[str, str]:
    """What the rules for an alert's own fields find in a payload that no dialect has read yet."""
    found = {rule["field"]: _value(rule, {"payload": payload}) for rule in mapping if rule["field"] in FIELDS}
    texts = {name: _text(value) for name, value in found.items() if value is not None and name != "tags"}
    return texts | ({"status": status_of(texts["status"])} if "status" in texts else {})


def _value(rule: Rule, said: Mapping[str, Any]) -> Any:
    """What a rule finds, as its kind wants it; None for nothing."""
    try:
        found = _compiled(rule["expression"]).search(said) if rule.get("expression") else fill(rule["template"], said)
    except (JMESPathError, BadTemplate, TypeError, ValueError):
        return None
    if found in (None, "", [], {}):
        return None
    return _as_kind(found, rule.get("kind", "text"))


def _as_kind(value: Any, kind: str) -> Any:
    if kind == "number":
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        return int(number) if number.is_integer() else number
    if kind == "boolean":
        return str(value).casefold() in {"true", "yes", "on", "1"}
    if kind == "link":
        return _text(value) if _text(value).startswith(("http://", "https://")) else None
    return _list(value)[:LONGEST_LIST] if kind == "list" else value if isinstance(value, list) else _text(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- Merging ----------------------------------------------------------------------------------------------------------


def merged(old: Any, new: Any, strategy: str) -> Any:
    """What becomes of a value when another is told."""
    if new in (None, "", [], {}) or old in (None, "", [], {}):
        return old if new in (None, "", [], {}) else new
    if strategy == "append":
        return list(dict.fromkeys(map(_hashable, [*_list(old), *_list(new)])))[:LONGEST_LIST]
    if strategy in {"max", "min"}:
        try:
            return max(old, new) if strategy == "max" else min(old, new)
        except TypeError:
            return old
    return new if strategy == "last" else old


def _hashable(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value
