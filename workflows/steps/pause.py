"""Pause the incident: its timers stand still."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.pausing import pause_incident
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class Pause(Step):
    """Paging goes on. Pausing again changes nothing."""

    kind: ClassVar[str] = "pause"
    label: ClassVar[Any] = _("Pause the incident")
    icon: ClassVar[str] = "player-pause"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (Param("reason", "text", _("Why?"), is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return "Pause the incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        pause_incident(
            actor=context.actor,
            incident=context.require_incident(),
            reason=str(params.get("reason") or ""),
            now=context.now,
        )
        return Outcome("Its timers stand still.")
