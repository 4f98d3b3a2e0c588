"""Set the type."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.kinds import change_type
from incidents.models import IncidentType
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class SetType(Step):
    """The same one again changes nothing."""

    kind: ClassVar[str] = "set_type"
    label: ClassVar[Any] = _("Set the type")
    icon: ClassVar[str] = "category"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (Param("type", "type", _("Type"), required=True, is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Make it an incident of the type {params.get('type')}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident_type = called(IncidentType, params["type"])
        change_type(
            actor=context.actor, incident=context.require_incident(), incident_type=incident_type, now=context.now
        )
        return Outcome(f"The type is {incident_type}.")
