"""The form of a source's mapping: a row for each rule."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.dialects.mapping import MOST_RULES
from oncall.forms.fields import OverrideReasonMixin

WAYS = [("expression", _("finds (JMESPath)")), ("template", _("is written (template)"))]
KINDS = [
    ("text", _("text")),
    ("number", _("number")),
    ("boolean", _("yes or no")),
    ("link", _("link")),
    ("list", _("list")),
]
MERGES = [
    ("first", _("stays the first")),
    ("last", _("becomes the newest")),
    ("append", _("gathers all of them")),
    ("max", _("becomes the greatest")),
    ("min", _("becomes the least")),
]


class RuleForm(forms.Form):
    """One rule; without a field it is none."""

    field = forms.CharField(
        label=_("Field or attribute"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "mapping-fields", "autocomplete": "off"}),
    )
    way = forms.ChoiceField(label=_("How"), choices=WAYS, required=False)
    text = forms.CharField(
        label=_("Expression or template"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, required=False)
    merge = forms.ChoiceField(label=_("On a repeat it"), choices=MERGES, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("text") and not data.get("field"):
            self.add_error("field", _("Say which field or attribute it fills."))
        if data.get("field") and not data.get("text"):
            self.add_error("text", _("Say what it is filled with."))
        return data

    def rule(self) -> dict[str, Any] | None:
        """The rule as a mapping holds it; None for an empty row."""
        data = self.cleaned_data
        if not data.get("field"):
            return None
        rule = {"field": data["field"].strip(), data["way"] or "expression": data["text"]}
        defaults = {"kind": "text", "merge": "first"}
        return rule | {name: data[name] for name, usual in defaults.items() if data[name] not in ("", usual)}


RuleFormSet = forms.formset_factory(RuleForm, extra=1, max_num=MOST_RULES)


class MappingForm(OverrideReasonMixin):
    """What is said of the mapping as a whole."""


def rules_of(rows: Any) -> list[dict[str, Any]]:
    """The rules of valid rows, in their order."""
    return [rule for row in rows.forms if (rule := row.rule()) is not None]


def initial_rows(mapping: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stored rules as the first values of rows."""
    return [
        {
            "field": rule["field"],
            "way": "template" if rule.get("template") else "expression",
            "text": rule.get("template") or rule.get("expression"),
            "kind": rule.get("kind", "text"),
            "merge": rule.get("merge", "first"),
        }
        for rule in mapping
    ]
