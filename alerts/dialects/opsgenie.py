"""Opsgenie's Alert API, version 2, as its clients write to it (what they read is in alerts/opsgenie/).

Follows opsgenie/opsgenie-oas `swagger.json` and docs.opsgenie.com, "Alert API", "Response" and "Alerts and alert
fields". Each write is answered with 202 and the id of the request, under which a client asks what became of it. The
key is `Authorization: GenieKey …`, `basic …` (the key, encoded; as user or as password) or `?apiKey=`. An alias is the
dedup key; without one the alert goes by the id of the request. Identifiers are our number of the alert (`id`, `tiny`)
or the alias. The priority is the severity too, and `service` in the details names the service. A `source` may be of
any length: Alertmanager sends the address of a page there.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from alerts.dialects.format import (
    Accepted,
    Change,
    Dialect,
    DialectError,
    NormalisedEvent,
    Refusal,
    Reply,
    Request,
    Verb,
    read_json,
    read_time,
    short_key,
)

ALERTS = "opsgenie/v2/alerts"
ALERT = f"{ALERTS}/<path:identifier>"
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")
IDENTIFIER_TYPES = ("id", "alias", "tiny")
RESPONDER_TYPES = ("team", "user", "escalation", "schedule")
# Characters in each text, and how many of what is a list.
LONGEST = {
    "message": 130,
    "alias": 512,
    "description": 15_000,
    "entity": 512,
    "user": 100,
    "note": 25_000,
    "tags": 50,
    "actions": 50,
}
MOST = {"tags": 20, "actions": 10, "responders": 50, "visibleTo": 50}
LONGEST_DETAILS = 8000
# No sender means an alert by a number that PostgreSQL has none for.
HIGHEST_ID = 2**63 - 1
NOT_PROCESSABLE = "Request body is not processable. Please check the errors."
ALERTMANAGER_YML = """receivers:
  - name: sitrep
    opsgenie_configs:
      - api_key: <token>
        api_url: <base>/opsgenie/
"""
Fields = dict[str, Any]


def token_in(request: Request) -> str:
    """The API key, wherever a client may put it; "" if it is nowhere."""
    scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "geniekey":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password or user
    return request.query.get("apiKey", "")


def parse(request: Request) -> list[NormalisedEvent]:
    """The one event of the request; raises DialectError."""
    return [WRITES[request.address, request.method](_document(request), request)]


def _document(request: Request) -> Fields:
    """The body; nothing stands for an empty object, as where no field is needed none is sent."""
    if not request.body.strip():
        return {}
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("Request body must be a JSON object.")
    return {name: value for name, value in data.items() if value is not None}


# --- Alerts that fire -------------------------------------------------------------------------------------------------


def _create(data: Fields, request: Request) -> NormalisedEvent:
    details = _details(data)
    priority = _priority(data) or "P3"
    responders = _recipients(data, "responders", RESPONDER_TYPES)
    alias = _text(data, "alias")
    attributes = {
        "details": details,
        "responders": responders,
        "visible_to": _recipients(data, "visibleTo", ("team", "user")),
        "actions": _texts(data, "actions"),
        "entity": _text(data, "entity"),
        "source": _long_text(data, "source"),
        # (a key that is too long for us is known by its hash)
        "alias": alias if short_key(alias) != alias else "",
    }
    return NormalisedEvent(
        dedup_key=short_key(alias or request.id),
        status="firing",
        title=_text(data, "message", needed=True),
        description=_text(data, "description"),
        severity=priority,
        priority=int(priority[1]),
        service=details.get("service", ""),
        source_url=_long_text(data, "source"),
        tags=tuple(_texts(data, "tags")),
        team=_first(responders, "team"),
        policy=_first(responders, "escalation"),
        responders=tuple(responders),
        attributes={name: value for name, value in attributes.items() if value},
        by=_text(data, "user"),
        note=_text(data, "note"),
    )


def _first(responders: list[dict[str, str]], kind: str) -> str:
    """What the first of these responders goes by."""
    return next((each.get("name") or each.get("id", "") for each in responders if each["type"] == kind), "")


# --- What is done to them ---------------------------------------------------------------------------------------------


def _about(request: Request, data: Fields) -> dict[str, Any]:
    """Which alert it is about, who did it, and what they said; a DELETE has these in its query."""
    kind = request.query.get("identifierType") or "id"
    identifier = request.parts["identifier"]
    if kind not in IDENTIFIER_TYPES:
        raise _one_of("identifierType", IDENTIFIER_TYPES)
    said = {**{name: request.query[name] for name in ("user", "note", "source") if name in request.query}, **data}
    about = {"by": _text(said, "user") or _long_text(said, "source")[: LONGEST["user"]], "note": _text(said, "note")}
    if len(identifier) > LONGEST["alias"]:
        raise DialectError(f"should be at most {LONGEST['alias']} characters", field_name="identifier")
    if kind == "alias":
        return {**about, "dedup_key": short_key(identifier)}
    is_number = identifier.isascii() and identifier.isdecimal() and int(identifier) <= HIGHEST_ID
    return {**about, "dedup_key": "", "alert_id": int(identifier) if is_number else 0}


def _close(data: Fields, request: Request) -> NormalisedEvent:
    return NormalisedEvent(status="resolved", title="", **_about(request, data))


def _acknowledge(data: Fields, request: Request) -> NormalisedEvent:
    return NormalisedEvent(status="acknowledged", title="", **_about(request, data))


def _changes(
    verb: Verb, values: Callable[[Fields, Request], Mapping[str, Any]]
) -> Callable[[Fields, Request], NormalisedEvent]:
    """A write that does one of the other verbs to an alert."""

    def read(data: Fields, request: Request) -> NormalisedEvent:
        change = Change(verb, values(data, request))
        return NormalisedEvent(status="changed", title="", change=change, **_about(request, data))

    return read


def _nothing(_data: Fields, _request: Request) -> Fields:
    return {}


def _note(data: Fields, _request: Request) -> Fields:
    return {"note": _text(data, "note", needed=True)}


def _until(data: Fields, _request: Request) -> Fields:
    until = read_time(_text(data, "endTime", needed=True), "endTime")
    if until is None:
        raise _missing("endTime")
    return {"until": until}


def _escalation(data: Fields, _request: Request) -> Fields:
    return _recipient(data, "escalation", "escalation", ("escalation",))


def _owner(data: Fields, _request: Request) -> Fields:
    return _recipient(data, "owner", "owner", ("user",))


def _responder(data: Fields, _request: Request) -> Fields:
    return _recipient(data, "responder", "responder", RESPONDER_TYPES)


def _team(data: Fields, _request: Request) -> Fields:
    return _recipient(data, "team", "team", ("team",))


def _tags(data: Fields, _request: Request) -> Fields:
    if "tags" not in data:
        raise _missing("tags")
    return {"tags": _texts(data, "tags")}


def _tags_to_remove(_data: Fields, request: Request) -> Fields:
    return {"tags": _listed(request, "tags")}


def _details_to_add(data: Fields, _request: Request) -> Fields:
    if "details" not in data:
        raise _missing("details")
    return {"details": _details(data)}


def _details_to_remove(_data: Fields, request: Request) -> Fields:
    return {"keys": _listed(request, "keys")}


def _message(data: Fields, _request: Request) -> Fields:
    return {"message": _text(data, "message", needed=True)}


def _description(data: Fields, _request: Request) -> Fields:
    return {"description": _text(data, "description", needed=True)}


def _new_priority(data: Fields, _request: Request) -> Fields:
    priority = _priority(data)
    if not priority:
        raise _missing("priority")
    return {"priority": int(priority[1])}


def _action(_data: Fields, request: Request) -> Fields:
    return {"action": request.parts["action"]}


# An address that others begin with comes after them.
WRITES: dict[tuple[str, str], Callable[[Fields, Request], NormalisedEvent]] = {
    (ALERTS, "POST"): _create,
    (f"{ALERT}/close", "POST"): _close,
    (f"{ALERT}/acknowledge", "POST"): _acknowledge,
    (f"{ALERT}/unacknowledge", "POST"): _changes("unacknowledge", _nothing),
    (f"{ALERT}/snooze", "POST"): _changes("snooze", _until),
    (f"{ALERT}/escalate", "POST"): _changes("escalate", _escalation),
    (f"{ALERT}/assign", "POST"): _changes("assign", _owner),
    (f"{ALERT}/responders", "POST"): _changes("add_responder", _responder),
    (f"{ALERT}/teams", "POST"): _changes("add_team", _team),
    (f"{ALERT}/actions/<path:action>", "POST"): _changes("action", _action),
    (f"{ALERT}/notes", "POST"): _changes("note", _note),
    (f"{ALERT}/tags", "POST"): _changes("add_tags", _tags),
    (f"{ALERT}/tags", "DELETE"): _changes("remove_tags", _tags_to_remove),
    (f"{ALERT}/details", "POST"): _changes("add_details", _details_to_add),
    (f"{ALERT}/details", "DELETE"): _changes("remove_details", _details_to_remove),
    (f"{ALERT}/message", "PUT"): _changes("message", _message),
    (f"{ALERT}/description", "PUT"): _changes("description", _description),
    (f"{ALERT}/priority", "PUT"): _changes("priority", _new_priority),
    (ALERT, "DELETE"): _changes("delete", _nothing),
}


# --- Fields -----------------------------------------------------------------------------------------------------------


def _missing(name: str) -> DialectError:
    return DialectError("is mandatory", field_name=name)


def _one_of(name: str, allowed: tuple[str, ...]) -> DialectError:
    return DialectError(f"should be one of [ {', '.join(allowed)} ]", field_name=name)


def _long_text(data: Fields, name: str) -> str:
    """A text of any length."""
    value = data.get(name, "")
    if not isinstance(value, str):
        raise DialectError("should be a string", field_name=name)
    return value.strip()


def _text(data: Fields, name: str, *, needed: bool = False) -> str:
    text = _long_text(data, name)
    if needed and not text:
        raise _missing(name)
    if len(text) > LONGEST.get(name, len(text)):
        raise DialectError(f"should be at most {LONGEST[name]} characters", field_name=name)
    return text


def _list(data: Fields, name: str) -> list[Any]:
    items = data.get(name, [])
    if not isinstance(items, list):
        raise DialectError("should be a list", field_name=name)
    if len(items) > MOST[name]:
        raise DialectError(f"should have at most {MOST[name]} items", field_name=name)
    return items


def _texts(data: Fields, name: str) -> list[str]:
    """Texts without repetition, in their order."""
    texts = _list(data, name)
    if not all(isinstance(text, str) and len(text) <= LONGEST[name] for text in texts):
        raise DialectError(f"should be strings of at most {LONGEST[name]} characters", field_name=name)
    return list(dict.fromkeys(text for text in texts if text))


def _listed(request: Request, name: str) -> list[str]:
    """What a query names with commas between."""
    names = [each.strip() for each in request.query.get(name, "").split(",")]
    if not any(names):
        raise _missing(name)
    return [each for each in names if each]


def _details(data: Fields) -> dict[str, str]:
    details = data.get("details", {})
    if not isinstance(details, dict) or any(isinstance(value, (dict, list)) for value in details.values()):
        raise DialectError("should be an object of strings", field_name="details")
    texts = {name: value if isinstance(value, str) else _shown(value) for name, value in details.items()}
    if sum(len(name) + len(text) for name, text in texts.items()) > LONGEST_DETAILS:
        raise DialectError(f"should have at most {LONGEST_DETAILS} characters in total", field_name="details")
    return texts


def _shown(value: Any) -> str:
    """A value that a client should have sent as text, in JSON's words."""
    return "" if value is None else json.dumps(value)


def _priority(data: Fields) -> str:
    priority = _long_text(data, "priority")
    if priority and priority not in PRIORITIES:
        raise _one_of("priority", PRIORITIES)
    return priority


def _recipients(data: Fields, name: str, kinds: tuple[str, ...]) -> list[dict[str, str]]:
    return [_recipient({"each": item}, "each", name, kinds) for item in _list(data, name)]


def _recipient(data: Fields, key: str, name: str, kinds: tuple[str, ...]) -> dict[str, str]:
    """Somebody: `type`, and the `id`, `name` or `username` that they go by."""
    given = data.get(key)
    if given is None:
        raise _missing(name)
    if not isinstance(given, dict):
        raise DialectError("should be an object", field_name=name)
    kind = given.get("type") or kinds[0]
    if kind not in kinds:
        raise _one_of(f"{name}.type", kinds)
    called = {each: given[each] for each in ("id", "name", "username") if given.get(each)}
    if not called or not all(isinstance(each, str) for each in called.values()):
        raise DialectError("should have an id or a name", field_name=name)
    return {"type": kind, **called}


# --- Replies ----------------------------------------------------------------------------------------------------------


def answer(request: Request, status: int, content: Fields, *, took: float = 0.001) -> Reply:
    """A reply with what each of them has: how long it took (in seconds), and the id of the request."""
    headers = {"X-Request-ID": request.id, "X-RateLimit-State": "OK"}
    return Reply(status, {**content, "took": took, "requestId": request.id}, headers)


def accepted(accepted: Accepted) -> Reply:
    """Not yet processed, only stored: what becomes of it is told under the id of the request."""
    return answer(accepted.request, 202, {"result": "Request will be processed"})


def refused(request: Request, refusal: Refusal) -> Reply:
    """The vendor's error: what is wrong with which field, as a client shows it."""
    if refusal.reason in {"unknown_token", "wrong_dialect", "bad_signature"}:
        return answer(request, 401, {"message": "Could not authenticate"})
    if refusal.reason == "too_large":
        return answer(request, 413, {"message": refusal.message})
    if refusal.reason == "not_stored":
        return answer(request, 503, {"message": refusal.message})
    if refusal.field_name:
        return answer(request, 422, {"message": NOT_PROCESSABLE, "errors": {refusal.field_name: refusal.message}})
    return answer(request, 400, {"message": refusal.message})


DIALECT = Dialect(
    name="opsgenie",
    label="Opsgenie",
    about="For every client of Opsgenie's alert API: change the host name and the key.",
    addresses=tuple(dict.fromkeys(address for address, _method in WRITES)),
    methods={address: tuple(method for each, method in WRITES if each == address) for address, _method in WRITES},
    parse=parse,
    token_in=token_in,
    accepted=accepted,
    refused=refused,
    sample={
        "message": "Payment API returning 500 errors",
        "alias": "payments-500",
        "priority": "P1",
        "responders": [{"type": "team", "name": "Payments"}],
        "details": {"service": "payments"},
    },
    sample_headers={"Authorization": "GenieKey <token>"},
    guides=(("Where a client has https://api.opsgenie.com", "<base>/opsgenie"), ("alertmanager.yml", ALERTMANAGER_YML)),
)
