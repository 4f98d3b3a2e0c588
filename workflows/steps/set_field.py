"""Set a custom field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.fields import set_fields
from incidents.models import CustomField
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Step, short, step


@step
class SetField(Step):
    """An empty value clears it."""

    kind: ClassVar[str] = "set_field"
    label: ClassVar[Any] = _("Set a field")
    icon: ClassVar[str] = "forms"
    group: ClassVar[Group] = Group.INCIDENT
    params: ClassVar[tuple[Param, ...]] = (
        Param("field", "field", _("Field"), required=True),
        Param("value", "text", _("Value"), _("Several of a list: parted by commas."), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Set {params.get('field')} to “{short(params.get('value'))}”"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        field = called(CustomField, params["field"])
        value: Any = str(params.get("value") or "").strip()
        if field.kind == CustomField.Kind.MULTI_SELECT:
            value = [each.strip() for each in value.split(",") if each.strip()]
        set_fields(
            actor=context.actor, incident=context.require_incident(), values={field.slug: value}, now=context.now
        )
        return Outcome(f"{field} is set." if value else f"{field} is empty.")
