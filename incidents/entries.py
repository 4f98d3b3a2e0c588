"""What people write into the timeline."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import locked, written

Kind = TimelineEntry.Kind


@transaction.atomic
def add_note(*, actor: Actor, incident: Incident, text: str, now: datetime) -> TimelineEntry:
    """Writes Markdown into the timeline."""
    incident = locked(actor, incident)
    text = written(text)
    return add_entry(incident=incident, actor=actor, kind=Kind.NOTE, text=text, now=now)
