"""Continue a paused incident: its timers run on."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.pausing import resume_incident
from workflows.registry import Context, Group, Outcome, Step, step


@step
class Resume(Step):
    """One that is not paused stays as it is."""

    kind: ClassVar[str] = "resume"
    label: ClassVar[Any] = _("Continue the incident")
    icon: ClassVar[str] = "player-play"
    group: ClassVar[Group] = Group.INCIDENT

    def words(self, params: Mapping[str, Any]) -> str:
        return "Let the timers of the incident run on"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        resume_incident(actor=context.actor, incident=context.require_incident(), now=context.now)
        return Outcome("Its timers run on.")
