"""Resolve the public incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from statuspage.actions import publish_update
from statuspage.models import PublicIncident
from workflows.registry import Context, Group, Outcome, Param, Step, listed, step
from workflows.steps.public_publish import published

TEXT = "This incident is resolved."


@step
class PublicResolve(Step):
    """On each status page that tells of the incident; its components are operational again."""

    kind: ClassVar[str] = "public_resolve"
    label: ClassVar[Any] = _("Resolve on the status page")
    icon: ClassVar[str] = "broadcast"
    group: ClassVar[Group] = Group.PUBLIC
    params: ClassVar[tuple[Param, ...]] = (
        Param("text", "long_text", _("Text"), required=True, default=TEXT, is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Publish “resolved” on the status page"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        return f"Would resolve on {listed([each.page.name for each in published(context.require_incident())])}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found = published(context.require_incident())
        for public in found:
            publish_update(
                actor=context.actor,
                public_incident=public,
                body=str(params["text"]),
                status=PublicIncident.Status.RESOLVED,
                now=context.now,
            )
        return Outcome(f"Resolved on {listed([public.page.name for public in found])}.")
