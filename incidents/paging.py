"""Paging for an incident: starting escalations, and tying those to it that run already."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from catalog.urgency import urgency_of
from events.errors import Conflict
from incidents.membership import let_paged_in, paged_for
from incidents.models import Incident, TimelineEntry
from incidents.modes import refuse_to_page, title_mark
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
    now: datetime,
    policy: EscalationPolicy | None = None,
    user: User | None = None,
    message: str = "",
    urgency: str = "",
    service: Service | None = None,
) -> Escalation:
    """Pages along a policy, or one person, for this incident; resolving the incident ends it.

    Without an `urgency` the service says how loudly: the one that is given, else the first that is affected. A test or
    a game day says that it is one. Raises Conflict for an incident that is over and for what its mode forbids: a test
    pages only people who are in it, one that is told of in retrospect nobody. Raises Invalid for neither or both of
    `policy` and `user`.
    """
    incident = locked(actor, incident)
    if not incident.is_open:
        raise Conflict("This incident is no longer open.", remedy="Reopen it before you page somebody.")
    refuse_to_page(incident, user)
    names = [service.name] if service else incident.affected_services.values_list("service__name", flat=True)
    facts = {
        "severity": incident.severity.name,
        "service": ", ".join(names),
        "incident": incident.reference,
        "link": f"{settings.PUBLIC_URL}{incident.get_absolute_url()}",
    }
    first = None if service else incident.affected_services.select_related("service__escalation_policy").first()
    asked = service or (first.service if first else None)
    severe = incident.severity.rank >= SEVERE_RANK
    escalation = start_escalation(
        actor=actor,
        policy=policy,
        user=user,
        urgency=urgency or urgency_of(asked, is_severe=severe, now=now),
        title=f"{title_mark(incident.mode)}{incident.reference} {incident.name}",
        detail=message.strip() or incident.summary,
        facts={name: value for name, value in facts.items() if value},
        is_private=incident.is_private,
        now=now,
    )
    attach_escalation(actor=actor, incident=incident, escalation=escalation, now=now)
    return escalation


class Paged(NamedTuple):
    """What pages for a service now, and whether it was started just now or paged for the incident already."""

    escalation: Escalation
    is_new: bool


@transaction.atomic
def page_service(
    *, actor: Actor, incident: Incident, service: Service, now: datetime, message: str = "", urgency: str = ""
) -> Paged:
    """Pages whoever is on call for a service, along its own policy.

    What pages along the same policy for this incident, and is not over, is not started a second time. Raises Conflict
    for a service without a policy.
    """
    incident = locked(actor, incident)
    policy = service.escalation_policy
    if policy is None:
        raise Conflict(
            f"{service.name} has no escalation policy.", remedy="Give it one in the catalog, or page by another policy."
        )
    running = incident.escalations.filter(policy=policy, ended_at=None).order_by("pk").first()
    if running is not None:
        return Paged(running, is_new=False)
    started = page_for_incident(
        actor=actor, incident=incident, policy=policy, service=service, message=message, urgency=urgency, now=now
    )
    return Paged(started, is_new=True)


@transaction.atomic
def attach_escalation(*, actor: Actor, incident: Incident, escalation: Escalation, now: datetime) -> Incident:
    """Ties a running escalation to the incident: resolving the incident ends it.

    Whom it has paged already is let into a private one; whom it pages later `incidents.handlers` lets in.
    """
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
        if incident.is_private:
            let_paged_in(actor=actor, incident=incident, people=paged_for(incident, escalation), now=now)
    return incident
