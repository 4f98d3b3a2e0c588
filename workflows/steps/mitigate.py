"""Mitigate: the impact is over."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.actions import mitigate_incident
from workflows.registry import Context, Group, Outcome, Step, step


@step
class Mitigate(Step):
    """Said twice, the first time counts."""

    kind: ClassVar[str] = "mitigate"
    label: ClassVar[Any] = _("Mitigate the incident")
    icon: ClassVar[str] = "shield-check"
    group: ClassVar[Group] = Group.INCIDENT

    def words(self, params: Mapping[str, Any]) -> str:
        return "Say that the impact is over"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        mitigate_incident(actor=context.actor, incident=context.require_incident(), now=context.now)
        return Outcome("The impact is over.")
