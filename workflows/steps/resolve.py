"""Resolve the incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import resolve_incident
from workflows.registry import Context, Group, Outcome, Step, step


@step
class Resolve(Step):
    """Resolving twice changes nothing."""

    kind: ClassVar[str] = "resolve"
    label: ClassVar[Any] = _("Resolve the incident")
    icon: ClassVar[str] = "circle-check"
    group: ClassVar[Group] = Group.INCIDENT

    def words(self, params: Mapping[str, Any]) -> str:
        return "Resolve the incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        resolve_incident(actor=context.actor, incident=context.require_incident(), now=context.now)
        return Outcome("The incident is resolved.")
