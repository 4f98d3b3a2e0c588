"""Merge the incident into another one."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.merging import merge_incident
from incidents.models import Incident
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, step


@step
class Merge(Step):
    """The other one has to be open. What was private becomes known to others only where the step says so."""

    kind: ClassVar[str] = "merge"
    label: ClassVar[Any] = _("Merge the incident")
    icon: ClassVar[str] = "git-merge"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("into", "text", _("Into"), _("Its number, such as INC-142."), required=True, is_template=True),
        Param("reason", "text", _("Why?"), is_template=True),
        Param("confirmed", "boolean", _("Show what is private there"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Merge it into {params.get('into')}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        context.require_incident()
        return f"Would merge it into {self._into(context, params).reference}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        into = self._into(context, params)
        merge_incident(
            actor=context.actor,
            incident=context.require_incident(),
            into=into,
            reason=str(params.get("reason") or ""),
            confirmed=bool(params.get("confirmed")),
            now=context.now,
        )
        return Outcome(f"Merged into {into.reference}.")

    def _into(self, context: Context, params: Mapping[str, Any]) -> Incident:
        """The incident of that number; a private one is there only for what is private itself."""
        said = str(params["into"]).strip()
        number = said.upper().removeprefix("#").removeprefix("INC-")
        found = Incident.objects.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        if found is None or (found.is_private and not context.require_incident().is_private):
            raise Skip(f"There is no incident “{said}”.")
        return found
