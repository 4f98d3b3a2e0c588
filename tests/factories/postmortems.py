"""Postmortems to test with."""

from datetime import datetime, timedelta
from typing import Any

from accounts.actor import Actor
from incidents.actions import resolve_incident
from incidents.models import Incident
from postmortems.actions import start_postmortem
from postmortems.models import Postmortem
from postmortems.presets import load_presets
from tests.factories import incidents


def resolved_incident(actor: Actor | None = None, *, now: datetime, **fields: Any) -> Incident:
    """Declared an hour before `now`, resolved at `now`."""
    acting = actor or Actor.system()
    incident = incidents.incident(acting, now=now - timedelta(hours=1), **fields)
    resolve_incident(actor=acting, incident=incident, now=now)
    incident.refresh_from_db()
    return incident


def postmortem(actor: Actor | None = None, *, now: datetime, **fields: Any) -> Postmortem:
    """The draft of an incident that has just been resolved, with the preset sections."""
    incident = resolved_incident(actor, now=now, **fields)
    load_presets()
    return start_postmortem(actor=actor or Actor.system(), incident=incident, now=now)
