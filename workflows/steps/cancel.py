"""Cancel: it was declared by mistake."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.triage import cancel_incident
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class Cancel(Step):
    """It does not count as resolved. With open streams it ends only where the step says so."""

    kind: ClassVar[str] = "cancel"
    label: ClassVar[Any] = _("Cancel the incident")
    icon: ClassVar[str] = "ban"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("reason", "text", _("Why?"), required=True, is_template=True),
        Param("confirmed", "boolean", _("Its open streams end with it"), default=False),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Cancel it: {short(params.get('reason'))}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        cancel_incident(
            actor=context.actor,
            incident=context.require_incident(),
            reason=str(params["reason"]),
            confirmed=bool(params.get("confirmed")),
            now=context.now,
        )
        return Outcome("It was canceled.")
