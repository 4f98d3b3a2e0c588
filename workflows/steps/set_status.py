"""Set the status."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import change_status
from incidents.models import IncidentStatus
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class SetStatus(Step):
    """With all that follows from its category."""

    kind: ClassVar[str] = "set_status"
    label: ClassVar[Any] = _("Set the status")
    icon: ClassVar[str] = "progress-check"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (Param("status", "status", _("Status"), required=True, is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Set the status to {params.get('status')}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        status = called(IncidentStatus, params["status"])
        change_status(actor=context.actor, incident=context.require_incident(), status=status, now=context.now)
        return Outcome(f"The status is {status}.")
