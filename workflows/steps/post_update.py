"""Post an internal update."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.updates import post_update
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class PostUpdate(Step):
    """What is known and what is done, for everybody who follows."""

    kind: ClassVar[str] = "post_update"
    label: ClassVar[Any] = _("Post an update")
    icon: ClassVar[str] = "speakerphone"
    group: ClassVar[Group] = Group.INCIDENT
    outputs: ClassVar[tuple[str, ...]] = ("update",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("text", "long_text", _("What we know"), required=True, is_template=True),
        Param("doing", "long_text", _("What we do"), is_template=True),
        Param(
            "next_minutes",
            "minutes",
            _("Next update in (minutes)"),
            _("Nothing: as the severity says."),
            is_template=True,
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Post the update “{short(params.get('text'))}”"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        minutes = params.get("next_minutes")
        update = post_update(
            actor=context.actor,
            incident=context.require_incident(),
            text=str(params["text"]),
            doing=str(params.get("doing") or ""),
            next_update_in=timedelta(minutes=minutes) if minutes else None,
            now=context.now,
        )
        return Outcome("Posted the update.", {"update": update.pk})
