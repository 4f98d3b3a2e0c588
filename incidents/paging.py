"""Paging for an incident: starting escalations, and tying those to it that run already."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.actor import Actor
from catalog.urgency import urgency_of
from events.errors import Conflict
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry, lock_incident, redraw
from incidents.writing import locked
from oncall.actions import start_escalation
from oncall.models import Escalation, EscalationPolicy

Kind = TimelineEntry.Kind
# From this rank on an incident is severe: what wakes people by night.
SEVERE_RANK = 3


@transaction.atomic
def page_for_incident(
    *,
    actor: Actor,
    incident: Incident,
    policy: EscalationPolicy,
    now: datetime,
    message: str = "",
    urgency: str = "",
) -> Escalation:
    """Pages along a policy for this incident; resolving the incident ends it. A test says that it is one.

    Without an `urgency` the first affected service says how loudly.
    """
    incident = locked(actor, incident)
    if not incident.is_open:
        raise Conflict("This incident is no longer open.", remedy="Reopen it before you page somebody.")
    mark = "[Test] " if incident.mode == Incident.Mode.TEST else ""
    services = ", ".join(incident.affected_services.values_list("service__name", flat=True))
    facts = {
        "severity": incident.severity.name,
        "service": services,
        "incident": incident.reference,
        "link": f"{settings.PUBLIC_URL}{incident.get_absolute_url()}",
    }
    affected = incident.affected_services.select_related("service__escalation_policy").first()
    severe = incident.severity.rank >= SEVERE_RANK
    escalation = start_escalation(
        actor=actor,
        policy=policy,
        urgency=urgency or urgency_of(affected.service if affected else None, is_severe=severe, now=now),
        title=f"{mark}{incident.reference} {incident.name}",
        detail=message.strip() or incident.summary,
        facts={name: value for name, value in facts.items() if value},
        is_private=incident.is_private,
        now=now,
    )
    attach_escalation(actor=actor, incident=incident, escalation=escalation, now=now)
    return escalation


@transaction.atomic
def attach_escalation(*, actor: Actor, incident: Incident, escalation: Escalation, now: datetime) -> Incident:
    """Ties a running escalation to the incident: resolving the incident ends it."""
    incident = lock_incident(incident.pk)
    if not incident.escalations.filter(pk=escalation.pk).exists():
        incident.escalations.add(escalation)
        policy = escalation.path["policy"]
        add_entry(
            incident=incident,
            actor=actor,
            kind=Kind.PAGE,
            text=f"started paging {policy}",
            now=now,
            data={"escalation": escalation.pk},
        )
        redraw(incident)
    return incident
