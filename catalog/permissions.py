"""Who may change the catalog."""

from accounts.actor import Actor
from accounts.models import Membership, Role
from catalog.models import Service


def can_configure(actor: Actor) -> bool:
    return actor.has_role(Role.MANAGER)


def can_change_service(actor: Actor, service: Service) -> bool:
    """Managers, and responders of the team that owns it."""
    if can_configure(actor):
        return True
    return (
        actor.has_role(Role.RESPONDER)
        and actor.user_id is not None
        and service.team_id is not None
        and Membership.objects.filter(team_id=service.team_id, user_id=actor.user_id).exists()
    )
