"""What senders do to alerts beside firing, acknowledging and resolving them. Each leaves an entry in the history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Team, User
from alerts.dialects import NormalisedEvent
from alerts.dialects.format import LONGEST_TITLE, Verb
from alerts.models import Alert, AlertEntry, Outcome
from alerts.recipients import Recipient, called, find_recipient, people_of, policy_of
from alerts.resolving import close_alert
from events.actions import publish
from events.errors import Conflict, DomainError, Invalid
from events.locking import locked_row
from incidents.paging import attach_escalation
from oncall.actions import (
    add_responder,
    page_again,
    reassign_escalation,
    snooze_escalation,
    start_escalation,
)
from oncall.models import Escalation, EscalationPolicy

MOST_TAGS = 50
NOT_FOUND = "Alert does not exist"
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


@dataclass(frozen=True)
class Doing:
    """One verb that is being done to an alert, whose row is locked."""

    actor: Actor
    alert: Alert
    verb: Verb
    values: Mapping[str, Any]
    by: str
    now: datetime

    @property
    def escalation(self) -> Escalation | None:
        """What pages for the alert, while it does."""
        found = self.alert.escalation
        return found if found is not None and found.is_open else None

    def paging(self) -> Escalation:
        """What pages for the alert; raises Conflict if nobody is paged for it."""
        if self.escalation is None:
            raise Conflict("Nobody is being paged for this alert.", remedy="Escalate it first.")
        return self.escalation


def apply_change(actor: Actor, event: NormalisedEvent, alert: Alert | None, *, now: datetime) -> dict[str, Any]:
    """Does what a `changed` event asks for and says what became of it, with the reason if it could not be done."""
    if alert is None or event.change is None:
        return {"outcome": Outcome.NOTHING_OPEN, "alert": None, "reason": NOT_FOUND}
    rows = Alert.objects.select_related("escalation", "incident", "source")
    try:
        with transaction.atomic():
            change, by = event.change, event.by or actor.name
            _do(Doing(actor, locked_row(rows, alert.pk), change.verb, change.values, by, now), event)
    except DomainError as error:
        return {"outcome": Outcome.NOTHING_OPEN, "alert": alert.pk, "reason": str(error)}
    return {"outcome": Outcome.CHANGED, "alert": alert.pk}


def _do(doing: Doing, event: NormalisedEvent) -> None:
    """Does it, keeps it in the alert's history, and tells it."""
    alert, verb = doing.alert, doing.verb
    text = VERBS[verb](doing)
    if verb == "note":
        add_notes([(alert.pk, text, doing.by)], doing.now)
    else:
        AlertEntry.objects.create(
            alert=alert, at=doing.now, kind=verb, text=text, author=doing.by[:200], data=_storable(doing.values)
        )
        add_notes([(alert.pk, event.note, doing.by)], doing.now)
    publish("alert.changed", subject=alert, actor=doing.actor, data={"verb": verb, "text": text, "by": doing.by})


def with_keys(events: Sequence[NormalisedEvent], source_id: int) -> list[NormalisedEvent]:
    """The events of a source with the key of the alert that fires in place of the alert's number, where it is known."""
    ids = {event.alert_id for event in events if event.alert_id is not None}
    if not ids:
        return list(events)
    firing = Alert.objects.filter(pk__in=ids, source_id=source_id, status=Alert.Status.FIRING)
    keys = dict(firing.values_list("pk", "dedup_key"))
    return [
        replace(event, dedup_key=keys[event.alert_id], alert_id=None) if event.alert_id in keys else event
        for event in events
    ]


def ask_responders(actor: Actor, alert_id: int, responders: Sequence[Mapping[str, str]], *, now: datetime) -> None:
    """Pages whom the sender of a new alert names, beside whom its route pages; the alert tells who is not known."""
    alert = Alert.objects.select_related("escalation", "incident", "source").get(pk=alert_id)
    for responder in responders:
        found = find_recipient(responder)
        try:
            if found is None:
                raise Invalid("Nobody knows them.")
            if alert.escalation is not None and alert.escalation.is_open:
                with transaction.atomic():
                    ask(Doing(actor, alert, "add_responder", responder, actor.name, now), found)
        except DomainError:
            called_so = responder.get("name") or responder.get("username") or responder.get("id", "")
            alert.unresolved = [*alert.unresolved, {"field": responder["type"], "text": called_so[:100]}]
            alert.save(update_fields=["unresolved"])


def add_notes(notes: Sequence[tuple[int, str, str]], now: datetime) -> None:
    """Keeps what was said about alerts: the id of each, the words, and who said them. Nothing said is nothing kept."""
    said = [(pk, text, author[:200]) for pk, text, author in notes if text]
    entries = [AlertEntry(alert_id=pk, at=now, kind="note", text=text, author=author) for pk, text, author in said]
    AlertEntry.objects.bulk_create(entries)


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


# --- Paging -----------------------------------------------------------------------------------------------------------


def _unacknowledge(doing: Doing) -> str:
    page_again(actor=doing.actor, escalation=doing.paging(), now=doing.now)
    return f"{doing.by} took the acknowledgement back"


def _snooze(doing: Doing) -> str:
    until: datetime = doing.values["until"]
    snooze_escalation(actor=doing.actor, escalation=doing.paging(), until=until, now=doing.now)
    return f"{doing.by} snoozed it until {until:%Y-%m-%d %H:%M} UTC"


def _known(doing: Doing) -> Recipient:
    found = find_recipient(doing.values)
    if found is None:
        name = next((doing.values[each] for each in ("name", "username", "id") if doing.values.get(each)), "")
        raise Invalid(f"Nobody knows the {doing.values.get('type', '')} {name}.", remedy="Send a name that is known.")
    return found


def _escalate(doing: Doing) -> str:
    """Hands it to a policy; starts that if nobody is paged any more."""
    policy = _known(doing)
    if isinstance(policy, EscalationPolicy):
        _page_by(doing, policy)
    return f"{doing.by} escalated it to {called(policy)}"


def _page_by(doing: Doing, policy: EscalationPolicy) -> None:
    if doing.alert.status != Alert.Status.FIRING:
        raise Conflict("This alert is resolved.", remedy="There is nothing left to page for.")
    if doing.escalation is not None:
        reassign_escalation(actor=doing.actor, escalation=doing.escalation, policy=policy, now=doing.now)
        return
    alert = doing.alert
    alert.escalation = start_escalation(
        actor=doing.actor,
        policy=policy,
        title=alert.title,
        detail=alert.description,
        facts={name: text for name, text in {"severity": alert.severity, "source": alert.source.name}.items() if text},
        is_private=alert.incident is not None and alert.incident.is_private,
        now=doing.now,
    )
    alert.save(update_fields=["escalation"])
    if alert.incident is not None:
        attach_escalation(actor=doing.actor, incident=alert.incident, escalation=alert.escalation, now=doing.now)


def _assign(doing: Doing) -> str:
    """It is somebody's now: they are paged if anybody is, and the others are left alone."""
    user = _known(doing)
    if isinstance(user, User):
        doing.alert.assigned_to = user
        doing.alert.save(update_fields=["assigned_to"])
        if doing.escalation is not None:
            reassign_escalation(actor=doing.actor, escalation=doing.escalation, user=user, now=doing.now)
    return f"{doing.by} assigned it to {called(user)}"


def _add_responder(doing: Doing) -> str:
    found = _known(doing)
    ask(doing, found)
    return f"{doing.by} asked {called(found)} to help"


def ask(doing: Doing, recipient: Recipient) -> None:
    """Pages one more at once, beside whoever has it; where nobody is paged, by the policy of whom is asked."""
    policy = policy_of(recipient)
    if doing.escalation is None and policy is not None:
        _page_by(doing, policy)
        return
    people = people_of(recipient, doing.now)
    if not people:
        raise Invalid(f"There is nobody to ask at {called(recipient)}.", remedy="Name somebody who can be reached.")
    for user in people:
        add_responder(actor=doing.actor, escalation=doing.paging(), user=user, now=doing.now)


def _add_team(doing: Doing) -> str:
    """Asks the team, whose alert it is from now on if it was nobody's."""
    team = _known(doing)
    if isinstance(team, Team) and doing.alert.team is None:
        doing.alert.team = team
        doing.alert.save(update_fields=["team"])
    ask(doing, team)
    return f"{doing.by} added the team {called(team)}"


# --- Words ------------------------------------------------------------------------------------------------------------


def _add_tags(doing: Doing) -> str:
    tags = list(dict.fromkeys([*doing.alert.tags, *doing.values["tags"]]))
    if len(tags) > MOST_TAGS:
        raise Invalid(f"An alert has at most {MOST_TAGS} tags.", field="tags", remedy="Remove some of them.")
    _save(doing, tags=tags)
    return f"{doing.by} added the tags {', '.join(doing.values['tags'])}"


def _remove_tags(doing: Doing) -> str:
    _save(doing, tags=[tag for tag in doing.alert.tags if tag not in doing.values["tags"]])
    return f"{doing.by} removed the tags {', '.join(doing.values['tags'])}"


def _details(doing: Doing) -> dict[str, Any]:
    details = doing.alert.attributes.get("details")
    return details if isinstance(details, dict) else {}


def _add_details(doing: Doing) -> str:
    details = {**_details(doing), **doing.values["details"]}
    _save(doing, attributes={**doing.alert.attributes, "details": details})
    return f"{doing.by} added the details {', '.join(doing.values['details'])}"


def _remove_details(doing: Doing) -> str:
    details = {name: value for name, value in _details(doing).items() if name not in doing.values["keys"]}
    _save(doing, attributes={**doing.alert.attributes, "details": details})
    return f"{doing.by} removed the details {', '.join(doing.values['keys'])}"


def _message(doing: Doing) -> str:
    _save(doing, title=doing.values["message"][:LONGEST_TITLE])
    return f"{doing.by} changed what it is called"


def _description(doing: Doing) -> str:
    _save(doing, description=doing.values["description"])
    return f"{doing.by} changed its description"


def _priority(doing: Doing) -> str:
    """Where the source calls its severity by the priority, that follows."""
    number: int = doing.values["priority"]
    named = {"severity": f"P{number}"} if doing.alert.severity in PRIORITIES else {}
    _save(doing, priority=number, **named)
    return f"{doing.by} changed its priority to P{number}"


def _save(doing: Doing, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(doing.alert, name, value)
    doing.alert.save(update_fields=list(fields))


def _note(doing: Doing) -> str:
    return str(doing.values["note"])


def _action(doing: Doing) -> str:
    return f"{doing.by} asked for the action {doing.values['action']}"


def _delete(doing: Doing) -> str:
    """Nothing is forgotten here: it is over, and its history says why."""
    close_alert(actor=doing.actor, alert=doing.alert, now=doing.now)
    return f"{doing.by} deleted it"


VERBS: dict[Verb, Callable[[Doing], str]] = {
    "unacknowledge": _unacknowledge,
    "snooze": _snooze,
    "escalate": _escalate,
    "assign": _assign,
    "add_responder": _add_responder,
    "add_team": _add_team,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "add_details": _add_details,
    "remove_details": _remove_details,
    "note": _note,
    "message": _message,
    "description": _description,
    "priority": _priority,
    "delete": _delete,
    "action": _action,
}
