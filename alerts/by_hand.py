"""Paging people by hand: a person, whoever is on call for a service, or a policy."""

from datetime import datetime

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from events.errors import Invalid
from oncall.actions import start_escalation
from oncall.models import Escalation, EscalationPolicy, Urgency


def page_by_hand(
    *,
    actor: Actor,
    title: str,
    now: datetime,
    user: User | None = None,
    service: Service | None = None,
    policy: EscalationPolicy | None = None,
    urgency: str = Urgency.HIGH,
    detail: str = "",
) -> Escalation:
    """Pages exactly one of a person, a service's escalation policy, a policy. Raises Invalid with the field."""
    if sum(each is not None for each in (user, service, policy)) != 1:
        raise Invalid("Say whom to page.", remedy="Choose a person, a service or a policy, and only one of them.")
    facts = {}
    if service is not None:
        policy, facts = service.escalation_policy, {"service": service.name}
        if policy is None:
            remedy = "Choose a person or a policy, or give the service a policy."
            raise Invalid(f"{service} has no escalation policy.", field="service", remedy=remedy)
    return start_escalation(
        actor=actor, title=title, now=now, policy=policy, user=user, detail=detail, facts=facts, urgency=urgency
    )
