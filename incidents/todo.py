"""Things to do now, while the incident lasts, and the checklist of its first minutes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import (
    ChecklistItem,
    ChecklistTick,
    Incident,
    IncidentAction,
    IncidentService,
    RoleAssignment,
    TimelineEntry,
)
from incidents.permissions import can_view
from incidents.timeline import add_entry
from incidents.writing import locked

Kind = TimelineEntry.Kind
DoneBy = ChecklistItem.DoneBy
LONGEST_TITLE = 250


# --- Actions ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_action(
    *, actor: Actor, incident: Incident, title: str, now: datetime, assignee: User | None = None
) -> IncidentAction:
    """Adds something to do now, for somebody or for whoever takes it. Raises Invalid without words."""
    incident = locked(actor, incident)
    title = _title(title)
    _check_assignee(incident, assignee)
    action = IncidentAction.objects.create(
        incident=incident, title=title, assignee=assignee, created_at=now, created_by_name=actor.name[:200]
    )
    text = f"to do: {title}" + (f" ({assignee.display_name})" if assignee else "")
    _tell(actor=actor, incident=incident, event="incident.action_added", text=text, now=now, data=_about(action))
    return action


@transaction.atomic
def assign_action(*, actor: Actor, action: IncidentAction, assignee: User | None, now: datetime) -> IncidentAction:
    """Gives it to a person; with None it is anybody's."""
    incident, action = _locked(actor, action)
    _check_assignee(incident, assignee)
    if action.assignee_id == (assignee.pk if assignee else None):
        return action
    action.assignee = assignee
    action.save(update_fields=["assignee"])
    whose = f"gave “{action.title}” to {assignee.display_name}" if assignee else f"left “{action.title}” to anybody"
    _tell(actor=actor, incident=incident, event="incident.action_assigned", text=whose, now=now, data=_about(action))
    return action


@transaction.atomic
def complete_action(*, actor: Actor, action: IncidentAction, now: datetime) -> IncidentAction:
    """It is done. Said twice, the first time counts."""
    incident, action = _locked(actor, action)
    if action.done_at is not None:
        return action
    action.done_at, action.done_by_name = now, actor.name[:200]
    action.save(update_fields=["done_at", "done_by_name"])
    _tell(
        actor=actor,
        incident=incident,
        event="incident.action_done",
        text=f"done: {action.title}",
        now=now,
        data=_about(action),
    )
    return action


@transaction.atomic
def reopen_action(*, actor: Actor, action: IncidentAction, now: datetime) -> IncidentAction:
    """It is not done after all."""
    incident, action = _locked(actor, action)
    if action.done_at is None:
        return action
    action.done_at, action.done_by_name = None, ""
    action.save(update_fields=["done_at", "done_by_name"])
    _tell(
        actor=actor,
        incident=incident,
        event="incident.action_reopened",
        text=f"not done after all: {action.title}",
        now=now,
        data=_about(action),
    )
    return action


@transaction.atomic
def remove_action(*, actor: Actor, action: IncidentAction, now: datetime) -> Incident:
    """Takes it off the list; the timeline keeps that it was there."""
    incident = locked(actor, action.incident)
    found = IncidentAction.objects.filter(pk=action.pk).first()
    if found is not None:
        _tell(
            actor=actor,
            incident=incident,
            event="incident.action_removed",
            text=f"took “{found.title}” off the list",
            now=now,
            data=_about(found),
        )
        found.delete()
    return incident


def open_actions_of(actor: Actor) -> QuerySet[IncidentAction]:
    """What is left to do for a person in open incidents that they may see, the oldest first."""
    visible = Incident.objects.visible_to(actor).open()
    mine = IncidentAction.objects.filter(assignee_id=actor.person_id, done_at=None, incident__in=visible)
    return mine.select_related("incident__severity", "incident__status").order_by("id")


def _locked(actor: Actor, action: IncidentAction) -> tuple[Incident, IncidentAction]:
    incident = locked(actor, action.incident)
    return incident, IncidentAction.objects.select_related("assignee").get(pk=action.pk)


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not title:
        raise Invalid("There is nothing to do.", field="title", remedy="Say in a few words what is to be done.")
    if len(title) > LONGEST_TITLE:
        raise Invalid(f"It is longer than {LONGEST_TITLE} characters.", field="title", remedy="Shorten it.")
    return title


def _check_assignee(incident: Incident, assignee: User | None) -> None:
    if assignee is None:
        return
    if not assignee.is_active:
        raise Invalid(f"{assignee} is no longer active.", field="assignee", remedy="Choose somebody else.")
    if not can_view(Actor.of_user(assignee, via="web"), incident):
        raise Invalid(f"{assignee} may not see this incident.", field="assignee", remedy="Let them in first.")


def _about(action: IncidentAction) -> dict[str, Any]:
    return {"action": action.pk, "title": action.title, "assignee": action.assignee_id}


def _tell(*, actor: Actor, incident: Incident, event: str, text: str, now: datetime, data: dict[str, Any]) -> None:
    add_entry(incident=incident, actor=actor, kind=Kind.ACTION, text=text, now=now, data=data)
    publish(event, subject=incident, actor=actor, data=data)


# --- The first minutes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of an incident's checklist. What is done by itself can't be ticked off."""

    item: ChecklistItem
    is_done: bool
    is_automatic: bool
    done_by_name: str = ""
    done_at: datetime | None = None


def checklist_of(incident: Incident) -> list[Line]:
    """The lines of the first minutes, in order; none where the severity shows none. At most six queries."""
    if not incident.severity.first_minutes:
        return []
    ticks = {tick.item_id: tick for tick in ChecklistTick.objects.filter(incident=incident)}
    return [_line(incident, item, ticks.get(item.pk)) for item in ChecklistItem.objects.filter(is_active=True)]


def _line(incident: Incident, item: ChecklistItem, tick: ChecklistTick | None) -> Line:
    if happened(incident, item.done_by):
        return Line(item, is_done=True, is_automatic=True)
    if tick is not None:
        return Line(item, True, False, tick.done_by_name, tick.done_at)
    return Line(item, is_done=False, is_automatic=False)


def happened(incident: Incident, done_by: str) -> bool:
    """Whether what completes a line by itself has happened."""
    if done_by == DoneBy.DECLARED:
        return True
    if done_by == DoneBy.ACKNOWLEDGED:
        return incident.acknowledged_at is not None
    if done_by == DoneBy.SEVERITY:
        by_a_person = TimelineEntry.objects.filter(incident=incident, kind=Kind.SEVERITY, user__isnull=False)
        return incident.declared_by_id is not None or by_a_person.exists()
    if done_by == DoneBy.ROLES:
        required = set(incident.severity.required_roles.filter(is_active=True).values_list("pk", flat=True))
        given = RoleAssignment.objects.filter(incident=incident, ended_at=None).values_list("role_id", flat=True)
        return required <= set(given)
    if done_by == DoneBy.SERVICES:
        return IncidentService.objects.filter(incident=incident).exists()
    return False


@transaction.atomic
def tick(*, actor: Actor, incident: Incident, item: ChecklistItem, now: datetime) -> Incident:
    """Says that a line of the checklist is done. Said twice, the first time counts."""
    incident = locked(actor, incident)
    if happened(incident, item.done_by):
        return incident
    _, created = ChecklistTick.objects.get_or_create(
        incident=incident, item=item, defaults={"done_at": now, "done_by_name": actor.name[:200]}
    )
    if created:
        _tell(
            actor=actor,
            incident=incident,
            event="incident.checklist_ticked",
            text=f"first minutes: {item.title}",
            now=now,
            data=_about_line(item),
        )
    return incident


@transaction.atomic
def untick(*, actor: Actor, incident: Incident, item: ChecklistItem, now: datetime) -> Incident:
    """Says that a line is not done after all. Raises Conflict for one that is done by itself."""
    incident = locked(actor, incident)
    if happened(incident, item.done_by):
        raise Conflict(f"“{item.title}” is done by what has happened.", remedy="It can't be taken back by hand.")
    gone, _ = ChecklistTick.objects.filter(incident=incident, item=item).delete()
    if gone:
        text = f"first minutes, not done after all: {item.title}"
        _tell(
            actor=actor,
            incident=incident,
            event="incident.checklist_unticked",
            text=text,
            now=now,
            data=_about_line(item),
        )
    return incident


def _about_line(item: ChecklistItem) -> dict[str, Any]:
    return {"item": item.slug, "title": item.title}
