"""Telling without asking: chats and webhooks that a level names, people who shadow, administrators of what is stuck.

A webhook hears of the type `escalation.told` (oncall/places.py). A failed try is made again by the outbox that brought
the event here.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from events.models import Event
from events.registry import handles
from oncall.channels import Message, Result
from oncall.channels.apprise import send as send_by_apprise
from oncall.engine import ENGINE
from oncall.ledger import add_ledger_entry
from oncall.models import ContactMethod, Escalation, EscalationEntry, EscalationTarget
from oncall.places import post_to
from oncall.reaching import tell

PRIVATE_TITLE = "A private escalation"


class NotTold(Exception):
    """A place could not be told this time; the outbox tries again."""


@handles("escalation.told", name="oncall.tell_places")
def tell_place(event: Event) -> None:
    """Tells the chat or the webhook of a level, by the address that it has at this moment."""
    escalation = Escalation.objects.select_related("policy").filter(pk=event.subject_id).first()
    if escalation is None:
        return
    frozen = event.data["target"]
    target = _target(escalation, frozen)
    if target is None:
        result = Result("refused", "the policy does not name it any more")
    elif target.kind == EscalationTarget.Kind.WEBHOOK:
        result = _post(target, escalation, event)
    else:
        method = ContactMethod(kind=ContactMethod.Kind.APPRISE, address=target.name, secret=target.address)
        result = send_by_apprise(method, _message(target, escalation, event))
    if result.outcome == "failed":
        raise NotTold(f"{frozen['name']}: {result.detail}")
    _write_down(escalation, frozen["name"], result, timezone.now())


def _target(escalation: Escalation, frozen: dict[str, Any]) -> EscalationTarget | None:
    """The target as it is now; one whose policy was saved again since has the same name and another id."""
    found = EscalationTarget.objects.filter(pk=frozen["id"], kind=frozen["type"]).first()
    if found is not None or escalation.policy_id is None:
        return found
    return EscalationTarget.objects.filter(
        level__policy_id=escalation.policy_id, kind=frozen["type"], name=frozen["name"]
    ).first()


def _link(escalation: Escalation) -> str:
    return settings.PUBLIC_URL + reverse("oncall:escalation", args=[escalation.pk])


def _said(escalation: Escalation) -> dict[str, Any]:
    """What places may know: of a private one only that it is there."""
    if escalation.is_private:
        return {"title": PRIVATE_TITLE, "detail": "", "facts": {}}
    return {"title": escalation.title, "detail": escalation.detail, "facts": escalation.facts}


def _message(target: EscalationTarget, escalation: Escalation, event: Event) -> Message:
    return Message(
        page_id=0,
        attempt=1,
        person=target.name,
        since=escalation.started_at,
        level=event.data["level"] + 1,
        link=_link(escalation),
        purpose="notice",
        urgency=escalation.urgency,
        reference=f"told-{event.pk}",
        **_said(escalation),
    )


def _post(target: EscalationTarget, escalation: Escalation, event: Event) -> Result:
    said = {
        "type": "escalation.told",
        "escalation_id": escalation.pk,
        "policy": escalation.path["policy"],
        "level": event.data["level"] + 1,
        "urgency": escalation.urgency,
        "status": escalation.status,
        "since": escalation.started_at.isoformat(),
        "link": _link(escalation),
        **_said(escalation),
    }
    return post_to(target.address, said, key=f"told-{event.pk}", secret=target.secret)


@transaction.atomic
def _write_down(escalation: Escalation, name: str, result: Result, now: datetime) -> None:
    """The ledger's line. The row is locked only now: an engine does not wait for a place that is slow."""
    locked = Escalation.objects.select_for_update().get(pk=escalation.pk)
    if result.outcome == "accepted":
        add_ledger_entry(locked, EscalationEntry.Kind.SENT, f"Told {name}: {result.detail}", now, actor=ENGINE)
    else:
        text = f"{name} could not be told: {result.detail}"
        add_ledger_entry(locked, EscalationEntry.Kind.FAILED, text, now, actor=ENGINE)


@handles("escalation.shadows_told", name="oncall.tell_shadows")
def tell_shadows(event: Event) -> None:
    """Tells those who learn that the people whom they follow are paged; never of what is private."""
    escalation = Escalation.objects.filter(pk=event.subject_id, is_private=False).first()
    if escalation is None:
        return
    for user in User.objects.filter(pk__in=event.data["shadows"], is_active=True):
        tell(
            user,
            title=f"You are shadowing: {escalation.title}",
            detail=f"{event.data['names']} is being paged. You have to do nothing: look along if you like.\n"
            f"{_link(escalation)}",
            now=event.occurred_at,
        )


@handles("escalation.stuck", name="oncall.tell_stuck")
def tell_stuck(event: Event) -> None:
    """Tells the administrators that an escalation can't be walked, each time that it was tried."""
    escalation = Escalation.objects.filter(pk=event.subject_id).first()
    if escalation is None:
        return
    for user in User.objects.filter(role__in=[Role.ADMINISTRATOR, Role.OWNER], is_active=True):
        tell(
            user,
            title=f"Escalation {escalation.pk} pages nobody: its path can't be walked",
            detail=f"It is tried again each minute. Hand it to a person or another policy, and report this.\n"
            f"{_link(escalation)}",
            now=event.occurred_at,
        )
