"""Notify people: they are told, and nobody has to answer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.naming import missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, people_in_words, short, step
from workflows.telling import tell_people

TITLE = "{% if incident %}{{ incident.reference }} {{ incident.severity_name }}: {{ incident.name }}{% endif %}"


@step
class Notify(Step):
    """Each by the first of their ways that takes it, mail before what rings."""

    kind: ClassVar[str] = "notify"
    label: ClassVar[Any] = _("Notify people")
    icon: ClassVar[str] = "mail"
    group: ClassVar[Group] = Group.PEOPLE
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("told",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("people", "people", _("People"), required=True, is_template=True),
        Param("title", "text", _("Title"), required=True, default=TITLE, is_template=True),
        Param("text", "long_text", _("Text"), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        said = short(params.get("text"))
        return f"Notify {people_in_words(params.get('people'))}{f': “{said}”' if said else ''}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        found = people_called(params.get("people"), context)
        if not found.names:
            raise Skip(f"There is nobody to notify{missed(found)}.")
        said = str(params.get("title") or "").strip() or short(params.get("text"))
        return f"Would notify {listed(found.names)}{missed(found)}: {said}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found = people_called(params.get("people"), context)
        if not found.names:
            raise Skip(f"There is nobody to notify{missed(found)}.")
        tell_people(context, found)
        return Outcome(f"Notified {listed(found.names)}{missed(found)}.", {"told": found.names})
