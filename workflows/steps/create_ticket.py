"""Create a ticket in the tracker."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.registry import Context, Group, Outcome, Param, Step, integration_for, step

MISSING = "No tracker is connected."


@step
class CreateTicket(Step):
    """Done by an integration, where one is there."""

    kind: ClassVar[str] = "create_ticket"
    label: ClassVar[Any] = _("Create a ticket")
    icon: ClassVar[str] = "ticket"
    group: ClassVar[Group] = Group.OUTSIDE
    is_outside: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("url", "name")
    params: ClassVar[tuple[Param, ...]] = (
        Param("title", "text", _("Title"), default="{{ incident.reference }} {{ incident.name }}", is_template=True),
        Param("text", "long_text", _("Text"), default="{{ incident.summary }}", is_template=True),
        Param("action_items", "boolean", _("One for each action item of the incident"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Create a ticket" + (" for each action item" if params.get("action_items") else "")

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        integration_for(self.kind, MISSING)
        return super().plan(context, params)

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        return integration_for(self.kind, MISSING)(context, params)
