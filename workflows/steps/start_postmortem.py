"""Start the postmortem."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from postmortems.actions import start_postmortem
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, step
from workflows.subjects import address


@step
class StartPostmortem(Step):
    """An incident has one: starting it again changes nothing."""

    kind: ClassVar[str] = "start_postmortem"
    label: ClassVar[Any] = _("Start the postmortem")
    icon: ClassVar[str] = "file-text"
    group: ClassVar[Group] = Group.WORK
    outputs: ClassVar[tuple[str, ...]] = ("postmortem", "url")
    params: ClassVar[tuple[Param, ...]] = (
        Param("only_required", "boolean", _("Only where the severity requires one"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Start the postmortem" + (", where the severity requires one" if params.get("only_required") else "")

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = context.require_incident()
        if params.get("only_required") and not incident.severity.requires_postmortem:
            raise Skip(f"{incident.severity} requires no postmortem.")
        if incident.is_open:
            raise Skip("The incident is open.")
        postmortem = start_postmortem(actor=context.actor, incident=incident, now=context.now)
        return Outcome(
            "Started the postmortem.", {"postmortem": postmortem.pk, "url": address(postmortem.get_absolute_url())}
        )
