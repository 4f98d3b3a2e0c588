"""Attach a link."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.links import add_link
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class AddLink(Step):
    """The same address twice is one link."""

    kind: ClassVar[str] = "add_link"
    label: ClassVar[Any] = _("Attach a link")
    icon: ClassVar[str] = "link"
    group: ClassVar[Group] = Group.WORK
    outputs: ClassVar[tuple[str, ...]] = ("link",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("url", "url", _("Address"), required=True, is_template=True),
        Param("title", "text", _("Title"), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Attach {short(params.get('title') or params.get('url'))}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        link = add_link(
            actor=context.actor,
            incident=context.require_incident(),
            url=str(params["url"]),
            title=str(params.get("title") or ""),
            now=context.now,
        )
        return Outcome(f"Attached {link}.", {"link": link.pk})
