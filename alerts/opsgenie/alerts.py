"""The reads of Opsgenie's Alert API: requests, alerts, how many, their notes, logs and recipients.

Follows opsgenie/opsgenie-oas `swagger.json`. A key reads what its own source has sent, and nothing else.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from alerts.dialects import DIALECTS, DialectError, NormalisedEvent
from alerts.dialects.format import short_key
from alerts.dialects.opsgenie import HIGHEST_ID, IDENTIFIER_TYPES
from alerts.models import Alert, AlertEntry, AlertSource, Outcome, RawEvent
from alerts.opsgenie.door import Fields, Refused, answers
from alerts.opsgenie.query import BadQuery
from alerts.opsgenie.search import found_by
from alerts.opsgenie.shapes import alias_of, instant, listed, logs_of, notes_of, recipients_of, whole
from alerts.verbs import NOT_FOUND

MOST_AT_ONCE = 100
USUALLY = 20
FURTHEST = 20_000
MOST_ENTRIES = 1000
# What may be sorted by, where that is a column of ours.
SORTS = {
    "createdAt": "first_event_at",
    "updatedAt": "last_event_at",
    "lastOccurredAt": "last_event_at",
    "tinyId": "id",
    "alias": "dedup_key",
    "message": "title",
    "status": "status",
    "count": "count",
    "acknowledged": "escalation__acknowledged_at",
    "isSeen": "escalation__acknowledged_at",
    "snoozed": "escalation__snoozed_until",
    "snoozedUntil": "escalation__snoozed_until",
    "owner": "assigned_to__email",
    "source": "source__name",
    "integration.name": "source__name",
    "report.closeTime": "resolved_at",
}
# What a request did, in the vendor's words: the action, and its status once it is done.
DONE = {
    "firing": ("Create", "Created alert"),
    "acknowledged": ("Acknowledge", "Acknowledged alert"),
    "resolved": ("Close", "Closed alert"),
    "unacknowledge": ("UnAcknowledge", "Unacknowledged alert"),
    "snooze": ("Snooze", "Snoozed alert"),
    "escalate": ("EscalateToNext", "Escalated alert"),
    "assign": ("Assign", "Assigned alert"),
    "add_responder": ("AddResponder", "Added responder to alert"),
    "add_team": ("AddTeam", "Added team to alert"),
    "add_tags": ("AddTags", "Added tags to alert"),
    "remove_tags": ("RemoveTags", "Removed tags from alert"),
    "add_details": ("AddDetails", "Added details to alert"),
    "remove_details": ("RemoveDetails", "Removed details from alert"),
    "note": ("AddNote", "Added note to alert"),
    "message": ("UpdateMessage", "Updated message of alert"),
    "description": ("UpdateDescription", "Updated description of alert"),
    "priority": ("UpdatePriority", "Updated priority of alert"),
    "delete": ("Delete", "Deleted alert"),
    "action": ("CustomAction", "Executed action on alert"),
}


# --- Requests ---------------------------------------------------------------------------------------------------------


@answers("GET")
def request_status(request: HttpRequest, source: AlertSource, request_id: str) -> tuple[int, Fields]:
    """What became of a write; 404 while that is not known yet."""
    try:
        raw = RawEvent.objects.filter(request_id=UUID(request_id), source=source).first()
    except ValueError:
        raw = None
    if raw is None or raw.state == RawEvent.State.PENDING:
        raise Refused(404, "Request not found. It might not be processed, yet.")
    raw.source = source
    event = _event_of(raw)
    verb: str = event.change.verb if event.change is not None else event.status
    action, done = DONE[verb]
    outcome = raw.outcomes[0] if raw.outcomes else {}
    alert = Alert.objects.filter(pk=outcome.get("alert") or 0, source=source).first()
    problem = _problem(raw, outcome)
    shape = {
        "success": not problem,
        "action": action,
        "processedAt": instant(raw.processed_at),
        "integrationId": str(source.pk),
        "isSuccess": not problem,
        "status": problem or done,
        "alertId": str(alert.pk) if alert is not None and not problem else "",
        "alias": alias_of(alert) if alert is not None and not problem else "",
    }
    return 200, {"data": shape}


def _event_of(raw: RawEvent) -> NormalisedEvent:
    try:
        [event] = DIALECTS[raw.source.dialect].parse(raw.request())
    except DialectError as error:
        raise Refused(404, "Request not found.") from error
    return event


def _problem(raw: RawEvent, outcome: dict[str, Any]) -> str:
    """Why it was not done; nothing if it was."""
    if raw.state == RawEvent.State.FAILED or not outcome:
        return raw.error or "The request could not be processed"
    if outcome["outcome"] == Outcome.NOTHING_OPEN:
        nobody = "Nobody is being paged for this alert." if outcome.get("alert") else NOT_FOUND
        return str(outcome.get("reason") or nobody)
    return ""


# --- Alerts -----------------------------------------------------------------------------------------------------------


@answers("GET")
def alert_list(request: HttpRequest, source: AlertSource) -> tuple[int, Fields]:
    """Alerts that a query finds, by pages."""
    now = timezone.now()
    offset, limit = _number(request, "offset", 0, FURTHEST), _number(request, "limit", USUALLY, MOST_AT_ONCE)
    sort, order = request.GET.get("sort") or "createdAt", (request.GET.get("order") or "desc").lower()
    if sort not in SORTS:
        raise Refused(422, f"should be one of [ {', '.join(SORTS)} ]", "sort")
    if order not in {"asc", "desc"}:
        raise Refused(422, "should be one of [ asc, desc ]", "order")
    sign = "-" if order == "desc" else ""
    found = _shown(_found(request, source, now)).order_by(f"{sign}{SORTS[sort]}", f"{sign}pk")
    rows = list(found[offset : offset + limit + 1])
    paging = {"first": _page(request, 0, limit)}
    if len(rows) > limit:
        paging["next"] = _page(request, offset + limit, limit)
    if offset:
        paging["prev"] = _page(request, max(offset - limit, 0), limit)
    return 200, {"data": [listed(alert, now) for alert in rows[:limit]], "paging": paging}


@answers("GET")
def alert_count(request: HttpRequest, source: AlertSource) -> tuple[int, Fields]:
    """How many alerts a query finds."""
    return 200, {"data": {"count": _found(request, source, timezone.now()).count()}}


@answers("GET")
def alert_detail(request: HttpRequest, source: AlertSource, identifier: str) -> tuple[int, Fields]:
    """One alert."""
    return 200, {"data": whole(_alert(request, source, identifier), timezone.now())}


@answers("GET")
def note_list(request: HttpRequest, source: AlertSource, identifier: str) -> tuple[int, Fields]:
    """What was said about an alert."""
    entries = AlertEntry.objects.filter(alert=_alert(request, source, identifier), kind="note")
    return 200, _stretch(request, notes_of(entries.order_by("id")[:MOST_ENTRIES]))


@answers("GET")
def log_list(request: HttpRequest, source: AlertSource, identifier: str) -> tuple[int, Fields]:
    """What happened to an alert."""
    alert = _alert(request, source, identifier)
    entries = alert.entries.order_by("id")[:MOST_ENTRIES]
    ledger = alert.escalation.entries.order_by("number")[:MOST_ENTRIES] if alert.escalation is not None else []
    return 200, _stretch(request, logs_of(alert, entries, ledger))


@answers("GET")
def recipient_list(request: HttpRequest, source: AlertSource, identifier: str) -> tuple[int, Fields]:
    """Who was paged for an alert."""
    alert = _alert(request, source, identifier)
    if alert.escalation is None:
        return 200, {"data": []}
    pages = alert.escalation.pages.select_related("user").order_by("id")[:MOST_ENTRIES]
    return 200, {"data": recipients_of(pages)}


def _shown(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    return alerts.select_related("source", "assigned_to", "resolved_by", "escalation__acknowledged_by")


def _found(request: HttpRequest, source: AlertSource, now: datetime) -> QuerySet[Alert]:
    """Those of the source that `?query=` finds."""
    if request.GET.get("searchIdentifier"):
        raise Refused(422, "saved searches are not kept here; send the query itself", "searchIdentifier")
    try:
        return Alert.objects.filter(found_by(request.GET.get("query", ""), now), source=source)
    except BadQuery as error:
        raise Refused(422, str(error), "query") from error


def _number(request: HttpRequest, name: str, usual: int, most: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return usual
    least = 0 if name == "offset" else 1
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not least <= int(text) <= most:
        raise Refused(422, f"should be a number from {least} to {most}", name)
    return int(text)


def _page(request: HttpRequest, offset: int, limit: int) -> str:
    """The address of a page of the same list, without the key."""
    kept = {name: value for name, value in request.GET.items() if name in {"query", "sort", "order"}}
    return f"{settings.PUBLIC_URL}{request.path}?{urlencode({**kept, 'offset': offset, 'limit': limit})}"


def _alert(request: HttpRequest, source: AlertSource, identifier: str) -> Alert:
    """The alert of an identifier; by its alias the one that fires, else the newest that did. Raises Refused."""
    kind = request.GET.get("identifierType") or "id"
    if kind not in IDENTIFIER_TYPES:
        raise Refused(422, f"should be one of [ {', '.join(IDENTIFIER_TYPES)} ]", "identifierType")
    own = _shown(Alert.objects.filter(source=source))
    if kind == "alias":
        found = own.filter(dedup_key=short_key(identifier)).order_by("-pk").first()
    else:
        is_number = identifier.isascii() and identifier.isdecimal() and int(identifier) <= HIGHEST_ID
        found = own.filter(pk=int(identifier)).first() if is_number else None
    if found is None:
        raise Refused(404, NOT_FOUND)
    return found


def _stretch(request: HttpRequest, rows: Sequence[Fields]) -> Fields:
    """As many of them as were asked for, from the offset on; the newest first unless asked otherwise."""
    limit = _number(request, "limit", MOST_AT_ONCE, MOST_AT_ONCE)
    ordered = list(rows) if request.GET.get("order") == "asc" else list(reversed(rows))
    backwards = request.GET.get("direction") == "prev"
    places = {row["offset"]: place for place, row in enumerate(ordered)}
    start = request.GET.get("offset", "")
    if start and start not in places:
        raise Refused(422, "is not an offset of this list", "offset")
    if backwards:
        end = places[start] if start else len(ordered)
        chosen = ordered[max(end - limit, 0) : end]
    else:
        begin = places[start] + 1 if start else 0
        chosen = ordered[begin : begin + limit]
    paging = {}
    if chosen and chosen[-1] is not ordered[-1]:
        query = {"offset": chosen[-1]["offset"], "limit": limit, "order": request.GET.get("order") or "desc"}
        kept = {"identifierType": request.GET["identifierType"]} if request.GET.get("identifierType") else {}
        paging["next"] = f"{settings.PUBLIC_URL}{request.path}?{urlencode({**kept, **query})}"
    return {"data": chosen, "paging": paging}
