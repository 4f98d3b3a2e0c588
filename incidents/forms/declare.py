"""The form that declares an incident."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents.models import Incident, IncidentType, Severity


class DeclareForm(forms.Form):
    """What is wrong, how bad, what it hits."""

    name = forms.CharField(
        label=_("What is wrong?"), max_length=200, help_text=_("A few words that a colleague understands.")
    )
    severity = forms.ModelChoiceField(Severity.objects.all(), label=_("How bad is it?"), empty_label=None)
    summary = forms.CharField(
        label=_("What do you know?"), required=False, widget=forms.Textarea(attrs={"rows": 3, "data-draft": "declare"})
    )
    services = forms.ModelMultipleChoiceField(
        Service.objects.order_by("name"),
        label=_("Affected services"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    lead = forms.ModelChoiceField(
        User.objects.filter(is_active=True).exclude(role="viewer"),
        label=_("Incident commander"),
        required=False,
        empty_label=_("Nobody yet"),
    )
    incident_type = forms.ModelChoiceField(IncidentType.objects.all(), label=_("Type"), empty_label=None)
    visibility = forms.ChoiceField(
        label=_("Who may see it?"),
        choices=Incident.Visibility.choices,
        required=False,
        initial=Incident.Visibility.PUBLIC,
    )
    mode = forms.ChoiceField(
        label=_("Mode"), choices=Incident.Mode.choices, required=False, initial=Incident.Mode.STANDARD
    )
    started_at = forms.DateTimeField(
        label=_("Impact began"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("If it began before now. In your time zone."),
    )

    def clean_mode(self) -> str:
        return str(self.cleaned_data.get("mode") or Incident.Mode.STANDARD)

    def clean_visibility(self) -> str | None:
        return self.cleaned_data.get("visibility") or None
