"""Alerts, notes, logs and recipients in Opsgenie's shapes (opsgenie/opsgenie-oas `swagger.json`)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from alerts.models import Alert, AlertEntry
from oncall.models import Escalation, EscalationEntry, Page

Fields = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """A time as Opsgenie writes it: UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def alias_of(alert: Alert) -> str:
    """What the sender calls it; too long for us, it stands in the attributes."""
    return str(alert.attributes.get("alias") or alert.dedup_key)


def listed(alert: Alert, now: datetime) -> Fields:
    """An alert in a list (BaseAlert)."""
    escalation = alert.escalation
    acknowledged = escalation is not None and escalation.status == Escalation.Status.ACKNOWLEDGED
    snoozed_until = escalation.snoozed_until if escalation is not None else None
    changed = [each for each in (alert.last_event_at, alert.resolved_at) if each is not None]
    shape = {
        "id": str(alert.pk),
        "tinyId": str(alert.pk),
        "alias": alias_of(alert),
        "message": alert.title,
        "status": "open" if alert.status == Alert.Status.FIRING else "closed",
        "acknowledged": acknowledged,
        "isSeen": acknowledged,
        "tags": alert.tags,
        "snoozed": snoozed_until is not None and snoozed_until > now,
        "snoozedUntil": instant(snoozed_until),
        "count": alert.count,
        "lastOccurredAt": instant(alert.last_event_at),
        "createdAt": instant(alert.first_event_at),
        "updatedAt": instant(max(changed)),
        "source": str(alert.attributes.get("source") or alert.source.name),
        "owner": _owner(alert, escalation),
        "priority": f"P{alert.priority}",
        "teams": [{"id": str(alert.team_id)}] if alert.team_id else [],
        "responders": _responders(alert),
        "integration": {"id": str(alert.source_id), "name": alert.source.name, "type": "API"},
        "report": _report(alert, escalation),
        "ownerTeamId": str(alert.team_id or ""),
    }
    return {name: value for name, value in shape.items() if value is not None}


def whole(alert: Alert, now: datetime) -> Fields:
    """An alert by itself (Alert)."""
    details = alert.attributes.get("details")
    return {
        **listed(alert, now),
        "actions": alert.attributes.get("actions") or [],
        "entity": str(alert.attributes.get("entity") or ""),
        "description": alert.description,
        "details": details if isinstance(details, dict) else {},
    }


def _owner(alert: Alert, escalation: Escalation | None) -> str:
    """Whose it is: whom it was given to, or who has it."""
    owner = alert.assigned_to or (escalation.acknowledged_by if escalation is not None else None)
    return owner.email if owner is not None else ""


def _responders(alert: Alert) -> list[Fields]:
    named = alert.attributes.get("responders")
    found = [{"type": "team", "id": str(alert.team_id)}] if alert.team_id else []
    others = [each for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    return found + [
        {"type": each.get("type", ""), "id": str(each.get("id") or each.get("username") or each.get("name") or "")}
        for each in others
        if not (found and each.get("type") == "team")
    ]


def _report(alert: Alert, escalation: Escalation | None) -> Fields | None:
    """After how many milliseconds somebody had it and it was over, and who that was."""
    report: Fields = {}
    if escalation is not None and escalation.acknowledged_at is not None:
        report["ackTime"] = _milliseconds(alert, escalation.acknowledged_at)
        report["acknowledgedBy"] = escalation.acknowledged_by.email if escalation.acknowledged_by else alert.source.name
    if alert.resolved_at is not None:
        report["closeTime"] = _milliseconds(alert, alert.resolved_at)
        report["closedBy"] = alert.resolved_by.email if alert.resolved_by else alert.source.name
    return report or None


def _milliseconds(alert: Alert, at: datetime) -> int:
    return max(int((at - alert.first_event_at).total_seconds() * 1000), 0)


def notes_of(entries: Iterable[AlertEntry]) -> list[Fields]:
    """Notes, oldest first, each with the offset to go on from."""
    return [
        {
            "note": entry.text,
            "owner": entry.author,
            "createdAt": instant(entry.at),
            "offset": _offset(entry.at, entry.pk),
        }
        for entry in entries
    ]


def logs_of(alert: Alert, entries: Iterable[AlertEntry], ledger: Iterable[EscalationEntry]) -> list[Fields]:
    """All that happened to an alert, oldest first: its own history, and that of whom was paged for it."""
    first = (alert.first_event_at, 0, "Alert created", "system", alert.source.name)
    happened = [first]
    happened += [(entry.at, entry.pk, entry.text, "alertRecipient", entry.author) for entry in entries]
    happened += [(entry.at, entry.pk, entry.text, "system", entry.actor_name) for entry in ledger]
    if alert.resolved_at is not None:
        by = alert.resolved_by.email if alert.resolved_by else alert.source.name
        happened.append((alert.resolved_at, 0, "Alert closed", "system", by))
    return [
        {"log": text, "type": kind, "owner": owner, "createdAt": instant(at), "offset": _offset(at, number)}
        for at, number, text, kind, owner in sorted(happened)
    ]


def _offset(at: datetime, number: int) -> str:
    """Where in the history something stands: by its time, then by its number; as text it sorts the same."""
    return f"{int(at.timestamp() * 1_000_000):020}_{number:019}"


def recipients_of(pages: Iterable[Page]) -> list[Fields]:
    """Who was paged, each once: by what, and what came of the newest page."""
    newest: dict[int, Fields] = {}
    for page in pages:
        created = newest.get(page.user_id, {}).get("createdAt") or instant(page.created_at)
        newest[page.user_id] = {
            "user": {"id": str(page.user_id), "username": page.user.email},
            "state": page.state,
            "method": page.channel,
            "createdAt": created,
            "updatedAt": instant(page.sent_at or page.created_at),
        }
    return list(newest.values())
