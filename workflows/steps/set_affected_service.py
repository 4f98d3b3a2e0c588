"""Say how much a service is affected."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from catalog.models import Service
from incidents.actions import set_affected_service
from incidents.models import IncidentService
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, step

IMPACTS = {value: str(label).lower() for value, label in IncidentService.Impact.choices}


@step
class SetAffectedService(Step):
    """The same again changes nothing."""

    kind: ClassVar[str] = "set_affected_service"
    label: ClassVar[Any] = _("Set an affected service")
    icon: ClassVar[str] = "server"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("service", "service", _("Service"), required=True, is_template=True),
        Param(
            "impact",
            "choice",
            _("Impact"),
            default="partial_outage",
            choices=(*IncidentService.Impact.choices, ("", _("Not affected any more"))),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return (
            f"Mark {params.get('service')} as affected: {IMPACTS[params['impact']]}"
            if params.get("impact")
            else f"Take {params.get('service')} off the affected services"
        )

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        service, impact = called(Service, params["service"]), str(params.get("impact") or "") or None
        set_affected_service(
            actor=context.actor, incident=context.require_incident(), service=service, impact=impact, now=context.now
        )
        return Outcome(f"{service}: {IMPACTS[impact]}." if impact else f"{service} is not affected.")
