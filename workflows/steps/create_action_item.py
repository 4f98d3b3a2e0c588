"""Create an action item: what is left to do after the incident."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from postmortems.action_items import create_action_item
from postmortems.models import ActionItem
from workflows.naming import missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class CreateActionItem(Step):
    """Owned, dated, prioritised."""

    kind: ClassVar[str] = "create_action_item"
    label: ClassVar[Any] = _("Create an action item")
    icon: ClassVar[str] = "list-check"
    group: ClassVar[Group] = Group.WORK
    outputs: ClassVar[tuple[str, ...]] = ("action_item",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("title", "text", _("What is to be done"), required=True, is_template=True),
        Param("description", "long_text", _("Description"), is_template=True),
        Param("people", "people", _("Owner"), _("The first who is found."), is_template=True),
        Param("due_days", "number", _("Due in (days)"), is_template=True),
        Param("priority", "choice", _("Priority"), default="P1", choices=tuple(ActionItem.Priority.choices)),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Create the action item “{short(params.get('title'))}”"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found, days = people_called(params.get("people"), context), params.get("due_days")
        item = create_action_item(
            actor=context.actor,
            incident=context.require_incident(),
            title=str(params["title"]),
            description=str(params.get("description") or ""),
            owner=found.users[0] if found.users else None,
            due_on=(context.now + timedelta(days=float(days))).date() if days is not None else None,
            priority=str(params["priority"]),
            now=context.now,
        )
        return Outcome(f"Created “{item.title}”{missed(found)}.", {"action_item": item.pk})
