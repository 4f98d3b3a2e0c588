"""Start the update timer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.updates import start_update_timer
from workflows.registry import Context, Group, Outcome, Param, Step, minutes_in_words, step


@step
class StartTimer(Step):
    """An update is due when it runs out."""

    kind: ClassVar[str] = "start_timer"
    label: ClassVar[Any] = _("Start the update timer")
    icon: ClassVar[str] = "clock-play"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("minutes", "minutes", _("Minutes"), required=True, default=15, is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Start the update timer: {minutes_in_words(params.get('minutes'))}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        minutes = float(params["minutes"] or 0)
        start_update_timer(
            actor=context.actor,
            incident=context.require_incident(),
            interval=timedelta(minutes=minutes),
            now=context.now,
        )
        return Outcome(f"The next update is due in {minutes_in_words(minutes)}.")
