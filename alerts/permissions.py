"""Who may change sources and routes, and who may handle alerts."""

from accounts.actor import Actor
from accounts.models import Role


def can_configure(actor: Actor) -> bool:
    return actor.has_role(Role.MANAGER)


def can_handle(actor: Actor) -> bool:
    return actor.has_role(Role.RESPONDER)
