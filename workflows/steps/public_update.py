"""Update the public incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from statuspage.actions import publish_update
from statuspage.models import PublicIncident
from workflows.registry import Context, Group, Outcome, Param, Step, listed, short, step
from workflows.steps.public_publish import published


@step
class PublicUpdate(Step):
    """The next message on each status page that tells of the incident."""

    kind: ClassVar[str] = "public_update"
    label: ClassVar[Any] = _("Update the status page")
    icon: ClassVar[str] = "broadcast"
    group: ClassVar[Group] = Group.PUBLIC
    params: ClassVar[tuple[Param, ...]] = (
        Param("text", "long_text", _("Text"), required=True, is_template=True),
        Param(
            "status",
            "choice",
            _("Status"),
            default="",
            choices=(("", _("As it is")), *PublicIncident.Status.choices),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Tell the public “{short(params.get('text'))}”"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        return f"Would update {listed([each.page.name for each in published(context.require_incident())])}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found = published(context.require_incident())
        for public in found:
            publish_update(
                actor=context.actor,
                public_incident=public,
                body=str(params["text"]),
                status=str(params.get("status") or "") or None,
                now=context.now,
            )
        return Outcome(f"Updated {listed([public.page.name for public in found])}.")
