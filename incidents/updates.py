"""Internal updates: what is known, what is done, when the next one is due."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from incidents.actions import change_severity, change_status
from incidents.models import Incident, IncidentStatus, IncidentUpdate, Severity, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import locked, written

Kind = TimelineEntry.Kind


@transaction.atomic
def post_update(
    *,
    actor: Actor,
    incident: Incident,
    text: str,
    now: datetime,
    severity: Severity | None = None,
    status: IncidentStatus | None = None,
    next_update_in: timedelta | None = None,
) -> IncidentUpdate:
    """Posts an internal update; with a severity or a status it changes these too.

    The next update is due after `next_update_in`, or after the severity's own interval.
    """
    incident = locked(actor, incident)
    text = written(text)
    if severity is not None and severity.pk != incident.severity_id:
        incident = change_severity(actor=actor, incident=incident, severity=severity, now=now)
    if status is not None and status.pk != incident.status_id:
        incident = change_status(actor=actor, incident=incident, status=status, now=now)
    interval = next_update_in or incident.severity.update_interval
    due_at = now + interval if interval and incident.is_open else None
    update = IncidentUpdate.objects.create(
        incident=incident,
        text=text,
        severity=incident.severity,
        status=incident.status,
        author_id=actor.user_id,
        author_name=actor.name,
        created_at=now,
        next_update_due_at=due_at,
    )
    incident.last_update_at, incident.next_update_due_at = now, due_at
    incident.save(update_fields=["last_update_at", "next_update_due_at"])
    add_entry(
        incident=incident, actor=actor, kind=Kind.UPDATE, text=text, now=now, data={"update": update.pk}, is_key=True
    )
    publish("incident.updated", subject=incident, actor=actor, data={"update": update.pk})
    return update
