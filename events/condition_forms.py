"""Conditions as people fill them in: rows of comparisons, for every form that edits one."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from events.conditions import OPERATORS, TAKES_A_LIST, TAKES_NOTHING, WORDS, BadCondition, check


class ConditionForm(forms.Form):
    """One comparison."""

    fact = forms.CharField(
        label=_("Attribute"), max_length=100, required=False, widget=forms.TextInput(attrs={"list": "condition-facts"})
    )
    operator = forms.ChoiceField(
        label=_("Comparison"), choices=[(name, WORDS[name]) for name in OPERATORS], required=False
    )
    value = forms.CharField(label=_("Value"), max_length=300, required=False)

    def condition(self) -> dict[str, Any] | None:
        """The comparison as the condition language has it; None for an empty row."""
        data = self.cleaned_data
        if not data.get("fact"):
            return None
        condition: dict[str, Any] = {"fact": data["fact"], "operator": data["operator"] or "is"}
        if condition["operator"] in TAKES_A_LIST:
            condition["value"] = [item.strip() for item in data["value"].split(",") if item.strip()]
        elif condition["operator"] not in TAKES_NOTHING:
            condition["value"] = data["value"]
        return condition


ConditionFormSet = forms.formset_factory(ConditionForm, extra=1, max_num=20)


def shown_value(value: Any) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def condition_rows(conditions: dict[str, Any]) -> tuple[str, list[dict[str, str]]] | None:
    """How rows show conditions: combine and rows; None when they are nested too deeply for rows."""
    combine = "any" if "any" in conditions else "all"
    parts = conditions.get(combine, [conditions] if conditions else [])
    if any("fact" not in part for part in parts):
        return None
    rows = []
    for part in parts:
        value = part.get("value", "")
        shown = ", ".join(shown_value(item) for item in value) if isinstance(value, list) else shown_value(value)
        rows.append({"fact": part["fact"], "operator": part["operator"], "value": shown})
    return combine, rows


def parsed_condition(text: str) -> dict[str, Any] | None:
    """A condition that was typed as JSON, None for nothing; raises ValidationError that says what is wrong."""
    if not text.strip():
        return None
    try:
        conditions = json.loads(text)
        check(conditions)
    except (ValueError, BadCondition) as error:
        raise forms.ValidationError(str(error)) from error
    return dict(conditions)
