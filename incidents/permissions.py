"""Who may see and change incidents."""

from accounts.actor import Actor
from accounts.models import Role
from incidents.models import Incident, TimelineEntry


def can_declare(actor: Actor) -> bool:
    return actor.has_role(Role.RESPONDER)


def can_view(actor: Actor, incident: Incident) -> bool:
    """Public incidents are open to everybody signed in, private ones to their members only."""
    if actor.sees_everything or not incident.is_private:
        return True
    return actor.user_id is not None and incident.memberships.filter(user_id=actor.user_id).exists()


def can_respond(actor: Actor, incident: Incident) -> bool:
    """Whether the actor may change the incident."""
    return actor.has_role(Role.RESPONDER) and can_view(actor, incident)


def can_rewrite(actor: Actor, entry: TimelineEntry) -> bool:
    """Whether the actor may edit or remove what a person wrote: its author may, and managers."""
    return (actor.user_id is not None and actor.user_id == entry.user_id) or actor.has_role(Role.MANAGER)


def can_restore(actor: Actor, entry: TimelineEntry) -> bool:
    """Whether the actor may put back what was removed: managers may, and its author what nobody else took away."""
    is_own = actor.user_id is not None and actor.user_id == entry.user_id == entry.data.get("removed_by_user")
    return is_own or actor.has_role(Role.MANAGER)


def can_configure(actor: Actor) -> bool:
    """Whether the actor decides how incidents are handled: severities, statuses, roles, fields, who is told."""
    return actor.has_role(Role.ADMINISTRATOR)
