"""What a stream tells the timeline of its parent."""

from datetime import datetime
from typing import Any

from accounts.actor import Actor
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry


def tell_parent(
    *, actor: Actor, stream: Incident, text: str, now: datetime, data: dict[str, Any] | None = None
) -> TimelineEntry | None:
    """Adds a line to the parent's timeline in the caller's transaction; None for an incident that is no stream.

    A private stream tells a parent that everybody can read nothing.
    """
    parent = stream.parent
    if parent is None or (stream.is_private and not parent.is_private):
        return None
    return add_entry(
        incident=parent,
        actor=actor,
        kind=TimelineEntry.Kind.STREAM,
        text=f"{stream.reference} {stream.name}: {text}",
        now=now,
        data={"stream": stream.number, **(data or {})},
        is_key=True,
        origin=stream,
    )
