"""Decline: it is no incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.triage import decline_incident
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class Decline(Step):
    """Ends what is in triage; it does not count as resolved."""

    kind: ClassVar[str] = "decline"
    label: ClassVar[Any] = _("Decline the incident")
    icon: ClassVar[str] = "circle-x"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (Param("reason", "text", _("Why?"), required=True, is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Decline it: {short(params.get('reason'))}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = context.require_incident()
        decline_incident(actor=context.actor, incident=incident, reason=str(params["reason"]), now=context.now)
        return Outcome("It was declined.")
