"""Every write on action items."""

from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Invalid, NotFound, require
from events.locking import locked_row
from incidents.models import Incident
from incidents.permissions import can_respond, can_view
from postmortems.models import ActionItem
from postmortems.permissions import can_change_action_item

EDITABLE = ("title", "description", "owner", "due_on", "priority", "status", "ticket_url")


@transaction.atomic
def create_action_item(
    *,
    actor: Actor,
    incident: Incident,
    title: str,
    now: datetime,
    description: str = "",
    owner: User | None = None,
    due_on: date | None = None,
    priority: str = ActionItem.Priority.P1,
    status: str = ActionItem.Status.PLANNED,
    ticket_url: str = "",
) -> ActionItem:
    """Adds a task that the incident leads to. The owner must be able to see the incident."""
    if not can_view(actor, incident):
        raise NotFound("There is no such incident.")
    require(can_respond(actor, incident), "Viewers may not add action items.")
    action_item = ActionItem(
        incident=incident,
        title=title.strip(),
        description=description.strip(),
        owner=owner,
        due_on=due_on,
        priority=priority,
        status=status,
        ticket_url=ticket_url.strip(),
        created_at=now,
        created_by_id=actor.user_id,
        done_at=now if status == ActionItem.Status.DONE else None,
    )
    _check(action_item)
    action_item.save()
    publish("action_item.created", subject=action_item, actor=actor, data={"priority": priority, "status": status})
    return action_item


def _check(action_item: ActionItem) -> None:
    if not action_item.title:
        raise Invalid("An action item needs a title.", field="title", remedy="Say what is to be done.")
    if len(action_item.title) > 250:
        raise Invalid("The title is longer than 250 characters.", field="title", remedy="Shorten it.")
    if action_item.priority not in ActionItem.Priority.values:
        raise Invalid(f"{action_item.priority!r} is no priority.", field="priority", remedy="Use P0, P1 or P2.")
    if action_item.status not in ActionItem.Status.values:
        raise Invalid(f"{action_item.status!r} is no status of an action item.", field="status")
    if action_item.ticket_url:
        try:
            URLValidator(schemes=["http", "https"])(action_item.ticket_url)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="ticket_url") from error
    owner = action_item.owner
    if owner is not None and not can_view(Actor.of_user(owner, via="system"), action_item.incident):
        raise Invalid(f"{owner} may not see this incident.", field="owner", remedy="Add them as a member first.")


@transaction.atomic
def update_action_item(*, actor: Actor, action_item: ActionItem, now: datetime, **changes: Any) -> ActionItem:
    """Changes some of title, description, owner, due_on, priority, status and ticket_url.

    `done_at` follows the status. The owner may do this too, whatever their role.
    """
    unknown = set(changes) - set(EDITABLE)
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} can't be changed.")
    action_item = locked_row(ActionItem.objects.select_related("incident", "owner"), action_item.pk)
    if not can_view(actor, action_item.incident):
        raise NotFound("There is no such action item.")
    require(can_change_action_item(actor, action_item), "You may not change this action item.")
    changed = [field for field, value in changes.items() if getattr(action_item, field) != value]
    if not changed:
        return action_item
    old_status = action_item.status
    for field in changed:
        setattr(action_item, field, changes[field])
    action_item.title = action_item.title.strip()
    if "status" in changed:
        action_item.done_at = now if action_item.status == ActionItem.Status.DONE else None
    _check(action_item)
    action_item.save(update_fields=[*changed, "done_at"])
    facts = {"changed": sorted(changed), "from": old_status, "to": action_item.status}
    publish("action_item.changed", subject=action_item, actor=actor, data=facts)
    return action_item
