"""Every write on a running escalation: start, acknowledge, resolve."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid, require
from events.poke import poke
from oncall.ledger import add_ledger_entry
from oncall.models import Escalation, EscalationEntry, EscalationPolicy, Page
from oncall.permissions import can_answer, can_page, can_resolve

TICK = "oncall.tick"
Kind = EscalationEntry.Kind
Status = Escalation.Status


def freeze(policy: EscalationPolicy) -> dict[str, Any]:
    """The policy as it is now, as the path that an escalation will walk whatever is changed later."""
    levels = [
        {
            "timeout_seconds": level.timeout_minutes * 60,
            "targets": [
                {"type": "schedule", "id": target.schedule_id, "name": str(target.schedule)}
                if target.schedule_id
                else {"type": "user", "id": target.user_id, "name": str(target.user)}
                for target in level.targets.all()
            ],
        }
        for level in policy.levels.prefetch_related("targets__schedule", "targets__user").order_by("position")
    ]
    stages = [{"first": 0, "count": len(levels), "repeats": policy.repeats}]
    return {"policy": policy.name, "stages": stages, "levels": levels}


@transaction.atomic
def start_escalation(
    *,
    actor: Actor,
    policy: EscalationPolicy,
    title: str,
    now: datetime,
    detail: str = "",
    facts: dict[str, str] | None = None,
    is_private: bool = False,
    path: dict[str, Any] | None = None,
) -> Escalation:
    """Starts paging along a frozen copy of the policy; the first level is due at once.

    `path` saves the reading when the caller has frozen the same policy already.
    """
    require(can_page(actor), "Viewers may not page people.")
    if not title.strip():
        raise Invalid("A page needs a title.", field="title", remedy="Say in a few words what is wrong.")
    escalation = Escalation.objects.create(
        policy=policy,
        title=title.strip()[:300],
        detail=detail,
        facts=facts or {},
        is_private=is_private,
        path=path or freeze(policy),
        due_at=now,
        started_at=now,
    )
    add_ledger_entry(escalation, Kind.STARTED, f"{actor.name} started {policy.name}", now, actor=actor)
    publish("escalation.started", subject=escalation, actor=actor, data={"policy": policy.name})
    poke(TICK)
    return escalation


@transaction.atomic
def acknowledge_escalation(*, actor: Actor, escalation: Escalation, now: datetime) -> Escalation:
    """A person has it: paging stops. Again changes nothing; one that nobody answered in time still can be."""
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    require(can_answer(actor, escalation), "You were not paged for this, and viewers may not answer for others.")
    if escalation.status == Status.ACKNOWLEDGED:
        return escalation
    if escalation.status == Status.RESOLVED:
        raise Conflict("This is already resolved.", remedy="There is nothing left to acknowledge.")
    escalation.status = Status.ACKNOWLEDGED
    escalation.due_at = escalation.ended_at = None
    escalation.outcome = Escalation.Outcome.OPEN
    escalation.acknowledged_at = now
    escalation.acknowledged_by_id = actor.user_id
    escalation.save(update_fields=["status", "outcome", "due_at", "ended_at", "acknowledged_at", "acknowledged_by"])
    _drop_unsent(escalation)
    seconds = int((now - escalation.started_at).total_seconds())
    text = f"{actor.name} acknowledged after {seconds // 60}:{seconds % 60:02}"
    add_ledger_entry(escalation, Kind.ACKNOWLEDGED, text, now, actor=actor)
    publish("escalation.acknowledged", subject=escalation, actor=actor, data={"seconds": seconds, "text": text})
    return escalation


@transaction.atomic
def resolve_escalation(*, actor: Actor, escalation: Escalation, now: datetime, reason: str = "") -> Escalation:
    """Ends the escalation: what it was about is over. Resolving again changes nothing."""
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    require(can_resolve(actor, escalation), "Viewers may not end what pages other people.")
    if escalation.status == Status.RESOLVED:
        return escalation
    escalation.status, escalation.outcome = Status.RESOLVED, Escalation.Outcome.RESOLVED
    escalation.due_at = None
    escalation.ended_at = now
    escalation.save(update_fields=["status", "outcome", "due_at", "ended_at"])
    _drop_unsent(escalation)
    text = f"{actor.name} ended it" + (f": {reason}" if reason else "")
    add_ledger_entry(escalation, Kind.RESOLVED, text, now, actor=actor)
    publish("escalation.resolved", subject=escalation, actor=actor, data={"reason": reason})
    return escalation


def _drop_unsent(escalation: Escalation) -> None:
    """Pages that no process holds are not needed any more; one that is being sent looks at the state itself."""
    escalation.pages.filter(state=Page.State.PENDING).update(state=Page.State.DROPPED)
