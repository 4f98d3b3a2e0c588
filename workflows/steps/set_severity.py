"""Set the severity."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import change_severity
from incidents.models import Severity
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class SetSeverity(Step):
    """The same one again changes nothing."""

    kind: ClassVar[str] = "set_severity"
    label: ClassVar[Any] = _("Set the severity")
    icon: ClassVar[str] = "alert-triangle"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("severity", "severity", _("Severity"), required=True, is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Set the severity to {params.get('severity')}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        severity = called(Severity, params["severity"])
        change_severity(actor=context.actor, incident=context.require_incident(), severity=severity, now=context.now)
        return Outcome(f"The severity is {severity}.")
