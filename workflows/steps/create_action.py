"""Create an action: something to do now."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.todo import add_action
from workflows.naming import missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class CreateAction(Step):
    """For somebody, or for whoever takes it."""

    kind: ClassVar[str] = "create_action"
    label: ClassVar[Any] = _("Create an action")
    icon: ClassVar[str] = "checkbox"
    group: ClassVar[Group] = Group.WORK
    outputs: ClassVar[tuple[str, ...]] = ("action",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("title", "text", _("What is to be done"), required=True, is_template=True),
        Param("people", "people", _("Who"), _("The first who is found; nobody: whoever takes it."), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Create the action “{short(params.get('title'))}”"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found = people_called(params.get("people"), context)
        action = add_action(
            actor=context.actor,
            incident=context.require_incident(),
            title=str(params["title"]),
            assignee=found.users[0] if found.users else None,
            now=context.now,
        )
        return Outcome(f"Created “{action.title}”{missed(found)}.", {"action": action.pk})
