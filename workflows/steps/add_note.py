"""Add a note to the timeline."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.entries import add_note
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class AddNote(Step):
    """Markdown, as a person would write it."""

    kind: ClassVar[str] = "add_note"
    label: ClassVar[Any] = _("Add to the timeline")
    icon: ClassVar[str] = "notes"
    group: ClassVar[Group] = Group.INCIDENT
    outputs: ClassVar[tuple[str, ...]] = ("entry",)
    params: ClassVar[tuple[Param, ...]] = (Param("text", "long_text", _("Text"), required=True, is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Note “{short(params.get('text'))}” in the timeline"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        entry = add_note(
            actor=context.actor, incident=context.require_incident(), text=str(params["text"]), now=context.now
        )
        return Outcome("Noted.", {"entry": entry.sequence})
