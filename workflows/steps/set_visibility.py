"""Make the incident private, or open it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.membership import set_visibility
from incidents.models import Incident
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class SetVisibility(Step):
    """The same again changes nothing. A private one is seen by its members only."""

    kind: ClassVar[str] = "set_visibility"
    label: ClassVar[Any] = _("Make it private or open it")
    icon: ClassVar[str] = "shield-lock"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param(
            "visibility",
            "choice",
            _("Who may see it"),
            default="private",
            choices=tuple(Incident.Visibility.choices),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return (
            "Open the incident to everybody here"
            if params.get("visibility") == "public"
            else "Make the incident private"
        )

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = set_visibility(
            actor=context.actor,
            incident=context.require_incident(),
            visibility=str(params["visibility"]),
            now=context.now,
        )
        return Outcome("Only its members see it." if incident.is_private else "Everybody here may see it.")
