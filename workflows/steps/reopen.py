"""Reopen the incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import reopen_incident
from workflows.registry import Context, Group, Outcome, Step, step


@step
class Reopen(Step):
    """An open one stays as it is."""

    kind: ClassVar[str] = "reopen"
    label: ClassVar[Any] = _("Reopen the incident")
    icon: ClassVar[str] = "refresh"
    group: ClassVar[Group] = Group.INCIDENT

    def words(self, params: Mapping[str, Any]) -> str:
        return "Take the incident back into work"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        reopen_incident(actor=context.actor, incident=context.require_incident(), now=context.now)
        return Outcome("The incident is open.")
