"""Who may change workflows, start them, and stop their runs."""

from accounts.actor import Actor
from accounts.models import Role
from incidents.models import Incident
from incidents.permissions import can_view
from workflows.models import Workflow


def can_configure(actor: Actor, *, sees_private: bool = False) -> bool:
    """Managers; only administrators what runs for private incidents, for it acts on what its author may not see."""
    return actor.has_role(Role.ADMINISTRATOR if sees_private else Role.MANAGER)


def can_start(actor: Actor, workflow: Workflow, incident: Incident | None = None) -> bool:
    """Responders start what waits for a person, for incidents that they may see and it may run for."""
    return (
        actor.has_role(Role.RESPONDER)
        and workflow.trigger_kind == Workflow.TriggerKind.PERSON
        and (incident is None or (can_view(actor, incident) and (workflow.sees_private or not incident.is_private)))
    )


def can_steer_runs(actor: Actor) -> bool:
    """Cancel a run, or run it again: whoever may start one. Which runs there are for them, `visible_to` tells."""
    return actor.has_role(Role.RESPONDER)
