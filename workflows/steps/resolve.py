"""Resolve the incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import resolve_incident
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class Resolve(Step):
    """Resolving twice changes nothing. With open streams it ends only where the step says so."""

    kind: ClassVar[str] = "resolve"
    label: ClassVar[Any] = _("Resolve the incident")
    icon: ClassVar[str] = "circle-check"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("confirmed", "boolean", _("Its open streams end with it"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Resolve the incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        resolve_incident(
            actor=context.actor,
            incident=context.require_incident(),
            confirmed=bool(params.get("confirmed")),
            now=context.now,
        )
        return Outcome("The incident is resolved.")
