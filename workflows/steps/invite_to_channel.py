"""Invite people into the incident's channel."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.registry import Context, Group, Outcome, Param, Step, integration_for, step

MISSING = "No chat is connected."


@step
class InviteToChannel(Step):
    """Done by an integration, where one is there."""

    kind: ClassVar[str] = "invite_to_channel"
    label: ClassVar[Any] = _("Invite to the channel")
    icon: ClassVar[str] = "user-plus"
    group: ClassVar[Group] = Group.OUTSIDE
    is_outside: ClassVar[bool] = True
    params: ClassVar[tuple[Param, ...]] = (
        Param(
            "people", "people", _("People"), _("Nobody named: whoever was paged, and who has a role."), is_template=True
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Invite whoever is on call into the channel"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        integration_for(self.kind, MISSING)
        return super().plan(context, params)

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        return integration_for(self.kind, MISSING)(context, params)
