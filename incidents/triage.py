"""Is this an incident? Accepting, declining, canceling; and closing what all follow-up is done for."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from events.errors import Conflict, Invalid
from incidents.actions import change_severity, change_status, edit_incident
from incidents.models import Incident, IncidentStatus, Severity, StatusCategory
from incidents.moving import first_status
from incidents.writing import locked


@transaction.atomic
def accept_incident(
    *,
    actor: Actor,
    incident: Incident,
    now: datetime,
    severity: Severity | None = None,
    name: str = "",
    status: IncidentStatus | None = None,
) -> Incident:
    """It is an incident: moves it from triage into the first active status, or the one given.

    With a severity or a name it is given these first. Accepting again changes nothing. Raises Conflict for one that has
    ended, Invalid for a status that is not active and a severity that its type does not allow.
    """
    incident = locked(actor, incident)
    if incident.status.category == StatusCategory.ACTIVE:
        return incident
    if incident.status.category != StatusCategory.TRIAGE:
        raise Conflict("This incident is not in triage.", remedy="Reopen it, or unmerge it, if it goes on.")
    if status is not None and status.category != StatusCategory.ACTIVE:
        raise Invalid(f"{status.name} is no active status.", field="status", remedy="Choose an active one.")
    if name.strip():
        edit_incident(actor=actor, incident=incident, now=now, name=name)
    if severity is not None:
        change_severity(actor=actor, incident=incident, severity=severity, now=now)
    into = status or first_status(StatusCategory.ACTIVE)
    return change_status(actor=actor, incident=incident, status=into, now=now)


@transaction.atomic
def decline_incident(*, actor: Actor, incident: Incident, reason: str, now: datetime) -> Incident:
    """It is no incident: ends what is in triage, for a reason. Declining again changes nothing."""
    return _end(actor, incident, StatusCategory.DECLINED, reason, now)


@transaction.atomic
def cancel_incident(
    *, actor: Actor, incident: Incident, reason: str, now: datetime, confirmed: bool = False
) -> Incident:
    """It was declared by mistake: ends it, for a reason. With open streams it has to be confirmed: they end with it."""
    return _end(actor, incident, StatusCategory.CANCELED, reason, now, confirmed=confirmed)


@transaction.atomic
def close_incident(*, actor: Actor, incident: Incident, now: datetime, confirmed: bool = False) -> Incident:
    """All follow-up is done. What is still active is resolved by it. Closing again changes nothing."""
    return _end(actor, incident, StatusCategory.CLOSED, "", now, confirmed=confirmed)


def _end(
    actor: Actor, incident: Incident, category: StatusCategory, reason: str, now: datetime, *, confirmed: bool = False
) -> Incident:
    incident = locked(actor, incident)
    if incident.status.category == category:
        return incident
    return change_status(
        actor=actor, incident=incident, status=first_status(category), now=now, reason=reason, confirmed=confirmed
    )
