"""Who may publish, and who may change what a page is made of."""

from accounts.actor import Actor
from accounts.models import Role


def can_publish(actor: Actor) -> bool:
    """Whether the actor may tell the public something: responders and above."""
    return actor.has_role(Role.RESPONDER)


def can_manage_pages(actor: Actor) -> bool:
    """Whether the actor may make and change pages and their components."""
    return actor.has_role(Role.MANAGER)
