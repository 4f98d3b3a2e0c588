"""Streams: parts of a large incident, each with a lead, a timeline and updates of its own."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict
from incidents.actions import declare_incident
from incidents.crossposting import tell_parent
from incidents.models import Incident, Severity, StatusCategory
from incidents.writing import locked


@transaction.atomic
def declare_stream(
    *,
    actor: Actor,
    incident: Incident,
    name: str,
    now: datetime,
    lead: User | None = None,
    summary: str = "",
    severity: Severity | None = None,
    services: Mapping[Service, str] | Iterable[Service] = (),
) -> Incident:
    """Opens a stream of `incident` and returns it.

    Type, mode, visibility and members are those of the parent, the severity too unless another is given. What it posts
    as an update, and that it opens and ends, stands in the parent's timeline. Raises Conflict for a parent that is not
    active or is a stream itself.
    """
    parent = locked(actor, incident)
    if parent.parent_id is not None:
        raise Conflict("A stream has no streams of its own.", remedy="Open it in the parent.")
    if parent.status.category != StatusCategory.ACTIVE:
        raise Conflict("Only an active incident has streams.", remedy="Accept or reopen it first.")
    past = parent.mode == Incident.Mode.RETROSPECTIVE
    stream = declare_incident(
        actor=actor,
        name=name,
        severity=severity or parent.severity,
        summary=summary,
        incident_type=parent.incident_type,
        mode=parent.mode,
        visibility=parent.visibility,
        services=services,
        lead=lead,
        parent=parent,
        now=now,
        # A stream of what is told of in retrospect happened then too.
        started_at=parent.started_at if past else None,
        declared_at=parent.declared_at if past else None,
    )
    led = f", led by {lead.display_name}" if lead else ""
    tell_parent(actor=actor, stream=stream, text=f"opened as a stream{led}", now=now)
    publish("incident.stream_opened", subject=parent, actor=actor, data={"stream": stream.pk})
    return stream
