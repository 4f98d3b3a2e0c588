"""What can be typed about workflows in an incident's room: `/run`."""

from collections.abc import Collection

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from incidents.commands.arguments import one_of
from incidents.commands.registry import Answer, Asking, Parameter, command
from workflows.models import Workflow
from workflows.permissions import can_start
from workflows.runs import start_by_hand


def _workflows(asking: Asking) -> Collection[Workflow]:
    by_hand = Workflow.objects.filter(trigger_kind=Workflow.TriggerKind.PERSON, is_enabled=True).order_by("name")
    return [each for each in by_hand if can_start(asking.actor, each, asking.incident)]


WORKFLOW = one_of("workflow", _workflows)


@command(
    "run",
    Parameter("workflow", WORKFLOW),
    help=_("Starts a workflow that people start, for this incident."),
    example="/run customer-call",
)
def run(asking: Asking, workflow: Workflow) -> Answer:
    start_by_hand(actor=asking.actor, workflow=workflow, incident=asking.incident, now=asking.now)
    return Answer(_now("Started “%(name)s”.") % {"name": workflow.name})
