"""What it takes for an incident to stand in another status: its times, its timers, its pause and its escalations."""

from datetime import datetime, timedelta
from typing import Any

from accounts.actor import Actor
from events.errors import Conflict
from incidents.models import Incident, IncidentStatus, StatusCategory
from incidents.modes import next_update_due
from incidents.transitions import times_after
from oncall.actions import resolve_escalation
from oncall.models import Escalation

PAUSE_FIELDS = ["paused_at", "paused_seconds", "pauses", "next_update_due_at"]


def first_status(category: StatusCategory) -> IncidentStatus:
    """The status that incidents enter when they come into a category; raises Conflict if none is in use."""
    status = IncidentStatus.objects.filter(category=category, is_active=True).order_by("position").first()
    if status is None:
        raise Conflict(
            f"No status has the category {category.label}.",
            remedy="Add one under Settings, or run `manage.py load_presets` once.",
        )
    return status


def told_times(times: dict[str, datetime | None]) -> dict[str, str | None]:
    """Times as entries tell them: ISO 8601."""
    return {column: at.isoformat() if at else None for column, at in times.items()}


def enter(*, incident: Incident, status: IncidentStatus, now: datetime) -> dict[str, Any]:
    """Stores the status of the locked incident and what follows from it; returns what the entry about it tells.

    The caller has checked that the step is allowed, adds the entry and publishes the event.
    """
    before = incident.status
    changed = times_after(before.category, status.category, incident.times(), now)
    incident.status = status
    for column, at in changed.items():
        setattr(incident, column, at)
    data: dict[str, Any] = {"from": before.slug, "to": status.slug, "category": status.category}
    if changed:
        data["times"] = told_times(changed)
    fields = ["status", *changed]
    if before.is_open and not status.is_open:
        if incident.paused_at is not None:
            data |= end_pause(incident, now)
        incident.next_update_due_at = incident.update_interval = None
        fields += [*PAUSE_FIELDS, "update_interval"]
    elif status.is_open and not before.is_open:
        incident.next_update_due_at = next_update_due(incident.mode, incident.severity, now)
        fields.append("next_update_due_at")
    incident.save(update_fields=fields)
    return data


def end_pause(incident: Incident, now: datetime) -> dict[str, Any]:
    """Lets its timers run again, without saving: the next update is due later by as long as they stood still.

    Returns what the entry about it tells. A timer that was set during the pause counts from the beginning of it.
    """
    begun = incident.paused_at
    if begun is None:
        return {}
    stood = max(now - begun, timedelta())
    incident.pauses = [*incident.pauses, [begun.isoformat(), (begun + stood).isoformat()]]
    incident.paused_seconds += int(stood.total_seconds())
    if incident.next_update_due_at is not None:
        incident.next_update_due_at += stood
    incident.paused_at = None
    return {"paused_at": None, "pause": incident.pauses[-1]}


def update_due(incident: Incident) -> datetime | None:
    """When the next update is due by its severity, counted from the last one, without what stood still since."""
    since = incident.last_update_at or incident.declared_at
    for begun, over in incident.time_stood:
        since += max(over - max(begun, since), timedelta())
    if incident.paused_at is not None:
        since = min(since, incident.paused_at)
    return next_update_due(incident.mode, incident.severity, since)


def end_escalations(*, actor: Actor, incident: Incident, now: datetime, reason: str) -> None:
    """Nobody is paged any more for what is over."""
    running = [Escalation.Status.TRIGGERED, Escalation.Status.ACKNOWLEDGED]
    for escalation in incident.escalations.filter(status__in=running):
        resolve_escalation(actor=actor, escalation=escalation, now=now, reason=reason)
