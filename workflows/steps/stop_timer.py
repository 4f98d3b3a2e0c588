"""Stop the update timer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.updates import stop_update_timer
from workflows.registry import Context, Group, Outcome, Step, step


@step
class StopTimer(Step):
    """No update is due until one is posted."""

    kind: ClassVar[str] = "stop_timer"
    label: ClassVar[Any] = _("Stop the update timer")
    icon: ClassVar[str] = "clock-stop"
    group: ClassVar[Group] = Group.INCIDENT

    def words(self, params: Mapping[str, Any]) -> str:
        return "Stop the update timer"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        stop_update_timer(actor=context.actor, incident=context.require_incident(), now=context.now)
        return Outcome("The update timer is stopped.")
