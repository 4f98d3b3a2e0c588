"""Close: all follow-up is done."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.triage import close_incident
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class Close(Step):
    """What is still active is resolved by it. With open streams it ends only where the step says so."""

    kind: ClassVar[str] = "close"
    label: ClassVar[Any] = _("Close the incident")
    icon: ClassVar[str] = "lock"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("confirmed", "boolean", _("Its open streams end with it"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Close the incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        close_incident(
            actor=context.actor,
            incident=context.require_incident(),
            confirmed=bool(params.get("confirmed")),
            now=context.now,
        )
        return Outcome("The incident is closed.")
