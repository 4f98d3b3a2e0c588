"""Pausing an incident: nobody works on it for a while, so its timers stand still. Paging is not touched."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict
from incidents.models import Incident, TimelineEntry
from incidents.moving import PAUSE_FIELDS, end_pause
from incidents.timeline import add_entry
from incidents.writing import locked


@transaction.atomic
def pause_incident(*, actor: Actor, incident: Incident, now: datetime, reason: str = "") -> Incident:
    """Stops its timers until it is resumed: no update is due, and the pause counts in no duration.

    Pausing again changes nothing. Raises Conflict for one that is over.
    """
    incident = locked(actor, incident)
    if incident.paused_at is not None:
        return incident
    if not incident.is_open:
        raise Conflict("This incident is no longer open.", remedy="Reopen it first.")
    incident.paused_at = now
    incident.save(update_fields=["paused_at"])
    reason = reason.strip()
    data = {"paused_at": now.isoformat()} | ({"reason": reason} if reason else {})
    text = "paused the incident" + (f": {reason}" if reason else "")
    add_entry(incident=incident, actor=actor, kind=TimelineEntry.Kind.TIME, text=text, now=now, data=data, is_key=True)
    publish("incident.paused", subject=incident, actor=actor, data={"reason": reason})
    return incident


@transaction.atomic
def resume_incident(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """Lets its timers run on: the next update is due later by as long as they stood still. Again changes nothing."""
    incident = locked(actor, incident)
    if incident.paused_at is None:
        return incident
    minutes = int((now - incident.paused_at).total_seconds() // 60)
    data = end_pause(incident, now)
    incident.save(update_fields=PAUSE_FIELDS)
    text = f"resumed the incident after {minutes} min"
    add_entry(incident=incident, actor=actor, kind=TimelineEntry.Kind.TIME, text=text, now=now, data=data, is_key=True)
    publish("incident.resumed", subject=incident, actor=actor, data={"pause": data["pause"]})
    return incident
