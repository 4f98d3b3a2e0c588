"""The forms of routes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import AlertRoute
from events.condition_forms import parsed_condition
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy

FACTS = ["severity", "service", "source", "title", "description", "team", "tier", "labels.alertname", "labels.severity"]


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
    urgency = forms.ChoiceField(
        label=_("How loudly?"),
        choices=[("", _("As the service says")), ("high", _("High urgency")), ("low", _("Low urgency"))],
        required=False,
    )
    declares_incident = forms.BooleanField(label=_("Declare an incident"), required=False)
    severity = forms.ModelChoiceField(Severity.objects.all(), label=_("Severity of the incident"), required=False)
    incident_type = forms.ModelChoiceField(IncidentType.objects.all(), label=_("Type of the incident"), required=False)
    conditions_json = forms.CharField(
        label=_("Conditions as JSON"), required=False, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"})
    )

    def clean_conditions_json(self) -> dict[str, Any] | None:
        return parsed_condition(self.cleaned_data["conditions_json"])


def conditions_of(form: RouteForm, rows: Any) -> dict[str, Any]:
    """The conditions that a valid form and its rows describe."""
    if form.cleaned_data["conditions_json"] is not None:
        return dict(form.cleaned_data["conditions_json"])
    comparisons = [condition for row in rows if (condition := row.condition())]
    return {form.cleaned_data["combine"] or "all": comparisons} if comparisons else {}
