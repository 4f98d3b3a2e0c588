"""Opsgenie's Heartbeat API: heartbeats of a source, made, changed, switched, removed and pinged.

Follows opsgenie/opsgenie-oas `swagger.json` and docs.opsgenie.com, "Heartbeat API". A ping is answered with PONG even
if nobody waits for that heartbeat.
"""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Team
from alerts.dialects.opsgenie import PRIORITIES
from alerts.heartbeats import LONGEST_SECONDS, ping_heartbeats, remove_heartbeat, save_heartbeat, switch_heartbeat
from alerts.models import AlertSource, Heartbeat
from alerts.opening import actor_of
from alerts.opsgenie.door import Fields, Refused, answers, body_of
from alerts.opsgenie.shapes import instant
from alerts.recipients import find_recipient

UNITS = {"minutes": 60, "hours": 3600, "days": 86_400}
LONGEST = {"name": 200, "description": 10_000, "alertMessage": 130, "alertPriority": 2, "intervalUnit": 7}
MOST_TAGS, LONGEST_TAG = 20, 50
NOT_FOUND = "Heartbeat does not exist"


@answers("GET", "POST", "PUT", "PATCH")
def ping(request: HttpRequest, source: AlertSource, name: str) -> tuple[int, Fields]:
    """It was heard of."""
    ids = list(Heartbeat.objects.filter(source=source, name__iexact=name).values_list("pk", flat=True))
    if ids:
        ping_heartbeats(ids=ids, now=timezone.now(), sender=request.headers.get("User-Agent", ""))
    return 202, {"result": "PONG - Heartbeat received"}


@answers("GET", "POST")
def heartbeat_list(request: HttpRequest, source: AlertSource) -> tuple[int, Fields]:
    """All of the source, or a new one."""
    if request.method == "POST":
        return _create(request, source)
    found = Heartbeat.objects.filter(source=source).select_related("team").order_by("name")
    return 200, {"data": {"heartbeats": [_shape(each) for each in found]}}


def _create(request: HttpRequest, source: AlertSource) -> tuple[int, Fields]:
    data = body_of(request)
    for name in ("name", "interval", "intervalUnit", "enabled"):
        if name not in data:
            raise Refused(422, "is mandatory", name)
    fields = _fields(data)
    team = find_recipient({"type": "team", **_owner(data)}) if data.get("ownerTeam") else None
    heartbeat = save_heartbeat(
        actor=actor_of(source),
        source=source,
        name=_text(data, "name"),
        interval_seconds=_seconds(data, "minutes"),
        message=_text(data, "alertMessage"),
        tags=_tags(data),
        severity=_priority(data),
        team=team if isinstance(team, Team) else None,
        now=timezone.now(),
        **fields,
    )
    return 201, {"data": _shape(heartbeat)}


@answers("GET", "PATCH", "PUT", "DELETE")
def heartbeat_detail(request: HttpRequest, source: AlertSource, name: str) -> tuple[int, Fields]:
    """One heartbeat: read, changed in what is sent, or removed."""
    heartbeat = _heartbeat(source, name)
    if request.method == "DELETE":
        remove_heartbeat(actor=actor_of(source), heartbeat=heartbeat, now=timezone.now())
        return 200, {"result": "Deleted"}
    if request.method in {"GET", "HEAD"}:
        return 200, {"data": _shape(heartbeat)}
    data = body_of(request)
    number, unit = _interval(heartbeat)
    changed = save_heartbeat(
        actor=actor_of(source),
        source=source,
        heartbeat=heartbeat,
        name=heartbeat.name,
        interval_seconds=_seconds({"interval": number, **data}, unit),
        grace_seconds=heartbeat.grace_seconds,
        message=heartbeat.message,
        tags=heartbeat.tags,
        severity=heartbeat.severity,
        service=heartbeat.service,
        team=heartbeat.team,
        now=timezone.now(),
        **{"description": heartbeat.description, "is_enabled": heartbeat.is_enabled, **_fields(data)},
    )
    return 200, {"data": _meta(changed)}


@answers("POST")
def switch(request: HttpRequest, source: AlertSource, name: str, *, is_enabled: bool) -> tuple[int, Fields]:
    """Begins or ceases to wait for it."""
    heartbeat = _heartbeat(source, name)
    changed = switch_heartbeat(actor=actor_of(source), heartbeat=heartbeat, is_enabled=is_enabled, now=timezone.now())
    return 200, {"data": _meta(changed)}


def _heartbeat(source: AlertSource, name: str) -> Heartbeat:
    found = Heartbeat.objects.filter(source=source, name__iexact=name).select_related("source", "service", "team")
    heartbeat = found.first()
    if heartbeat is None:
        raise Refused(404, NOT_FOUND)
    return heartbeat


def _fields(data: Fields) -> dict[str, Any]:
    """The fields that a PATCH may change too, those that were sent."""
    fields: dict[str, Any] = {}
    if "description" in data:
        fields["description"] = _text(data, "description")
    if "enabled" in data:
        if not isinstance(data["enabled"], bool):
            raise Refused(422, "should be true or false", "enabled")
        fields["is_enabled"] = data["enabled"]
    return fields


def _text(data: Fields, name: str) -> str:
    text = data.get(name, "")
    if not isinstance(text, str):
        raise Refused(422, "should be a string", name)
    if len(text) > LONGEST[name]:
        raise Refused(422, f"should be at most {LONGEST[name]} characters", name)
    return text.strip()


def _seconds(data: Fields, unit: str) -> int:
    number, unit = data["interval"], _text(data, "intervalUnit") or unit
    if unit not in UNITS:
        raise Refused(422, f"should be one of [ {', '.join(UNITS)} ]", "intervalUnit")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Refused(422, "should be at least 1", "interval")
    if number * UNITS[unit] > LONGEST_SECONDS:
        raise Refused(422, f"should be at most {LONGEST_SECONDS // UNITS['days']} days", "interval")
    return number * UNITS[unit]


def _priority(data: Fields) -> str:
    priority = _text(data, "alertPriority") or "P3"
    if priority not in PRIORITIES:
        raise Refused(422, f"should be one of [ {', '.join(PRIORITIES)} ]", "alertPriority")
    return priority


def _tags(data: Fields) -> list[str]:
    tags = data.get("alertTags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and len(tag) <= LONGEST_TAG for tag in tags):
        raise Refused(422, f"should be strings of at most {LONGEST_TAG} characters", "alertTags")
    if len(tags) > MOST_TAGS:
        raise Refused(422, f"should have at most {MOST_TAGS} items", "alertTags")
    return tags


def _owner(data: Fields) -> dict[str, str]:
    owner = data["ownerTeam"]
    if not isinstance(owner, dict):
        raise Refused(422, "should be an object", "ownerTeam")
    return {name: str(owner[name]) for name in ("id", "name") if owner.get(name)}


def _interval(heartbeat: Heartbeat) -> tuple[int, str]:
    """The interval in the largest unit that has no remainder; one that is shorter than a minute counts as one."""
    for unit in ("days", "hours"):
        if heartbeat.interval_seconds % UNITS[unit] == 0:
            return heartbeat.interval_seconds // UNITS[unit], unit
    return max(round(heartbeat.interval_seconds / 60), 1), "minutes"


def _meta(heartbeat: Heartbeat) -> Fields:
    return {
        "name": heartbeat.name,
        "enabled": heartbeat.is_enabled,
        "expired": heartbeat.is_enabled and heartbeat.late_since is not None,
    }


def _shape(heartbeat: Heartbeat) -> Fields:
    interval, unit = _interval(heartbeat)
    shape: Fields = {
        **_meta(heartbeat),
        "description": heartbeat.description,
        "interval": interval,
        "intervalUnit": unit,
        "alertMessage": heartbeat.message,
        "alertTags": heartbeat.tags,
        "alertPriority": heartbeat.severity,
    }
    if heartbeat.team is not None:
        shape["ownerTeam"] = {"id": str(heartbeat.team.pk), "name": heartbeat.team.name}
    if heartbeat.last_ping_at is not None:
        shape["lastPingTime"] = instant(heartbeat.last_ping_at)
    return shape
