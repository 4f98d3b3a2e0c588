"""Accept: it is an incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.models import Severity, StatusCategory
from incidents.triage import accept_incident
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, step


@step
class Accept(Step):
    """Out of triage; accepting again changes nothing."""

    kind: ClassVar[str] = "accept"
    label: ClassVar[Any] = _("Accept the incident")
    icon: ClassVar[str] = "check"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("severity", "severity", _("Severity"), _("Nothing chosen: as it is."), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Accept it as {params['severity']}" if params.get("severity") else "Accept it as an incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = context.require_incident()
        if incident.status.category == StatusCategory.ACTIVE:
            raise Skip("It is accepted already.")
        severity = called(Severity, params["severity"]) if params.get("severity") else None
        accept_incident(actor=context.actor, incident=incident, severity=severity, now=context.now)
        return Outcome("It is an incident.")
