"""Post to a channel of the chat."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.registry import Context, Group, Outcome, Param, Step, integration_for, step

TEXT = "{{ incident.reference }} {{ incident.severity_name }}: {{ incident.name }} {{ incident.url }}"
MISSING = "No chat is connected."


@step
class PostToChat(Step):
    """Done by an integration, where one is there."""

    kind: ClassVar[str] = "post_to_chat"
    label: ClassVar[Any] = _("Post to a chat channel")
    icon: ClassVar[str] = "brand-slack"
    group: ClassVar[Group] = Group.OUTSIDE
    is_outside: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("url", "name")
    params: ClassVar[tuple[Param, ...]] = (
        Param("channel", "text", _("Channel"), required=True, default="#incidents"),
        Param("text", "long_text", _("Text"), required=True, default=TEXT, is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Post to {params.get('channel')}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        integration_for(self.kind, MISSING)
        return super().plan(context, params)

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        return integration_for(self.kind, MISSING)(context, params)
