"""The form that declares an incident."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents.fields import fields_of
from incidents.forms.fields import form_fields, values_in
from incidents.models import CustomField, Incident, IncidentStatus, IncidentType, Severity, StatusCategory

# The times that only an incident of the past can have.
PAST = ("detected_at", "mitigated_at", "resolved_at")


def _time(label: Any, help_text: Any = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class DeclareForm(forms.Form):
    """What is wrong, how bad, what it hits; the type decides on severities and custom fields."""

    name = forms.CharField(
        label=_("What is wrong?"), max_length=200, help_text=_("A few words that a colleague understands.")
    )
    severity = forms.ModelChoiceField(
        Severity.objects.filter(is_active=True), label=_("How bad is it?"), empty_label=None
    )
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
    incident_type = forms.ModelChoiceField(
        IncidentType.objects.filter(is_active=True), label=_("Type"), empty_label=None
    )
    visibility = forms.ChoiceField(
        label=_("Who may see it?"),
        choices=[("", _("As the type says")), *Incident.Visibility.choices],
        required=False,
    )
    mode = forms.ChoiceField(
        label=_("Mode"), choices=Incident.Mode.choices, required=False, initial=Incident.Mode.STANDARD
    )
    is_triage = forms.BooleanField(
        label=_("I am not sure that it is one"), required=False, help_text=_("It starts in triage, to be accepted.")
    )
    started_at = _time(_("Impact began"), _("If it began before now. In your time zone."))
    detected_at = _time(_("Detected"))
    mitigated_at = _time(_("Mitigated"))
    resolved_at = _time(_("Resolved"), _("It is over then, and nobody is paged."))

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.type = self._chosen_type()
        allowed = self.type.severities.filter(is_active=True) if self.type else Severity.objects.none()
        if allowed:
            self.fields["severity"].queryset = allowed  # type: ignore[attr-defined]  # a ModelChoiceField
        self.asked: list[CustomField] = fields_of(self.type) if self.type else []
        self.fields.update(form_fields(self.asked))

    def _chosen_type(self) -> IncidentType | None:
        types = IncidentType.objects.filter(is_active=True)
        named = str(self["incident_type"].value() or "")
        chosen = types.filter(pk=int(named)).first() if named.isdecimal() else types.filter(slug=named).first()
        return chosen or types.order_by("-is_default", "id").first()

    @property
    def severities(self) -> Any:
        """Those that the type allows, the worst first."""
        return self.fields["severity"].queryset  # type: ignore[attr-defined]  # a ModelChoiceField

    @property
    def custom(self) -> list[forms.BoundField]:
        """The custom fields of the type."""
        return [self[name] for name in form_fields(self.asked)]

    @property
    def past(self) -> list[forms.BoundField]:
        """The times of an incident that is over."""
        return [self[name] for name in PAST]

    def clean_mode(self) -> str:
        return str(self.cleaned_data.get("mode") or Incident.Mode.STANDARD)

    def clean_visibility(self) -> str | None:
        return self.cleaned_data.get("visibility") or None

    def declared(self) -> dict[str, Any]:
        """What `declare_incident` is told."""
        custom = {field.name for field in self.custom}
        data = {name: value for name, value in self.cleaned_data.items() if name not in custom}
        is_triage = data.pop("is_triage")
        if data["mode"] != Incident.Mode.RETROSPECTIVE:
            data |= dict.fromkeys(PAST)
        if is_triage:
            triage = IncidentStatus.objects.filter(category=StatusCategory.TRIAGE, is_active=True)
            data["status"] = triage.order_by("position").first()
        return data | {"fields": values_in(self.asked, self.cleaned_data)}
