"""Who may write postmortems and action items: whoever may respond to the incident."""

from accounts.actor import Actor
from incidents.permissions import can_respond, can_view
from postmortems.models import ActionItem


def can_change_action_item(actor: Actor, action_item: ActionItem) -> bool:
    """Responders, and the owner of the item whatever their role."""
    is_owner = actor.user_id is not None and actor.user_id == action_item.owner_id
    return can_respond(actor, action_item.incident) or (is_owner and can_view(actor, action_item.incident))
