"""Create the incident's channel in the chat."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.registry import Context, Group, Outcome, Param, Step, integration_for, step

MISSING = "No chat is connected."


@step
class CreateChannel(Step):
    """Done by an integration, where one is there."""

    kind: ClassVar[str] = "create_channel"
    label: ClassVar[Any] = _("Create a channel")
    icon: ClassVar[str] = "message-plus"
    group: ClassVar[Group] = Group.OUTSIDE
    is_outside: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("url", "name")
    params: ClassVar[tuple[Param, ...]] = (
        Param("name", "text", _("Name"), default="inc-{{ incident.number }}-{{ incident.name }}", is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Create the channel {params.get('name')}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        integration_for(self.kind, MISSING)
        return super().plan(context, params)

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        return integration_for(self.kind, MISSING)(context, params)
