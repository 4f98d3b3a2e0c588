"""The forms of sources and routes; what they accept is checked again by the actions."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from alerts.dialects import DIALECTS
from alerts.models import AlertRoute
from events.conditions import OPERATORS, TAKES_A_LIST, TAKES_NOTHING, WORDS, BadCondition, check
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy

FACTS = ["severity", "service", "source", "title", "description", "team", "tier", "labels.alertname", "labels.severity"]
ROWS = 6


class SourceForm(forms.Form):
    """A place where alerts enter."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(
        label=_("Short name"), max_length=100, required=False, help_text=_("Used in conditions and the API.")
    )
    dialect = forms.ChoiceField(
        label=_("Who sends?"), choices=lambda: [(name, dialect.label) for name, dialect in DIALECTS.items()]
    )
    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"), required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    is_enabled = forms.BooleanField(label=_("Accepts alerts"), required=False, initial=True)


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


class RouteForm(forms.Form):
    """What becomes of alerts that match. Conditions too deep for the rows are edited as JSON."""

    name = forms.CharField(label=_("Name"), max_length=100)
    is_enabled = forms.BooleanField(label=_("Switched on"), required=False, initial=True)
    combine = forms.ChoiceField(
        label=_("Matches when"),
        choices=[("all", _("all of these hold")), ("any", _("any of these holds"))],
        required=False,
    )
    paging = forms.ChoiceField(label=_("Who is paged?"), choices=AlertRoute.Paging.choices)
    escalation_policy = forms.ModelChoiceField(
        EscalationPolicy.objects.all(), label=_("Escalation policy"), required=False
    )
    declares_incident = forms.BooleanField(label=_("Declare an incident"), required=False)
    severity = forms.ModelChoiceField(Severity.objects.all(), label=_("Severity of the incident"), required=False)
    incident_type = forms.ModelChoiceField(IncidentType.objects.all(), label=_("Type of the incident"), required=False)
    conditions_json = forms.CharField(
        label=_("Conditions as JSON"), required=False, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"})
    )

    def clean_conditions_json(self) -> dict[str, Any] | None:
        text = self.cleaned_data["conditions_json"].strip()
        if not text:
            return None
        try:
            conditions = json.loads(text)
            check(conditions)
        except (ValueError, BadCondition) as error:
            raise forms.ValidationError(str(error)) from error
        return dict(conditions)


def condition_rows(conditions: dict[str, Any]) -> tuple[str, list[dict[str, str]]] | None:
    """How the rows of the form show the conditions: combine and rows; None when they are nested too deeply for rows."""
    combine = "any" if "any" in conditions else "all"
    parts = conditions.get(combine, [conditions] if conditions else [])
    if any("fact" not in part for part in parts):
        return None
    rows = []
    for part in parts:
        value = part.get("value", "")
        shown = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
        rows.append({"fact": part["fact"], "operator": part["operator"], "value": shown})
    return combine, rows


def conditions_of(form: RouteForm, rows: Any) -> dict[str, Any]:
    """The conditions that a valid form and its rows describe."""
    if form.cleaned_data["conditions_json"] is not None:
        return dict(form.cleaned_data["conditions_json"])
    comparisons = [condition for row in rows if (condition := row.condition())]
    return {form.cleaned_data["combine"] or "all": comparisons} if comparisons else {}
