"""Who may change sources and routes, and who may handle alerts."""

from accounts.actor import Actor
from accounts.models import Role
from alerts.models import AlertSource


def can_configure(actor: Actor) -> bool:
    return actor.has_role(Role.MANAGER)


def can_handle(actor: Actor) -> bool:
    return actor.has_role(Role.RESPONDER)


def can_mute(actor: Actor) -> bool:
    """Make maintenance windows: who may acknowledge an alert may say beforehand that it is expected."""
    return actor.has_role(Role.RESPONDER)


def can_keep_heartbeats(actor: Actor, source: AlertSource) -> bool:
    """Managers, and whoever speaks as the source with its token."""
    return can_configure(actor) or (actor.kind == "alert_source" and actor.key == str(source.pk))
