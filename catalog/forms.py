"""The forms of the catalog; what they accept is checked again by the actions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from catalog.actions import LinkDraft
from catalog.mitigations import MitigationDraft
from catalog.models import Functionality, Service, ServiceLink
from oncall.models import EscalationPolicy


class ServiceForm(forms.Form):
    """A service as people describe it."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(
        label=_("Short name"), max_length=100, required=False, help_text=_("Alerts name the service by it.")
    )
    description = forms.CharField(label=_("What it does"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    tier = forms.TypedChoiceField(label=_("Tier"), choices=Service.Tier.choices, coerce=int)
    lifecycle = forms.ChoiceField(label=_("Lifecycle"), choices=Service.Lifecycle.choices)
    team = forms.ModelChoiceField(Team.objects.all(), label=_("Owner"), required=False)
    escalation_policy = forms.ModelChoiceField(
        EscalationPolicy.objects.all(),
        label=_("Escalation policy"),
        required=False,
        help_text=_("Who is paged when it breaks."),
    )
    urgency = forms.ChoiceField(
        label=_("Urgency"),
        choices=Service.Urgency.choices,
        required=False,
        help_text=_("How loudly it pages: people have rules of their own for what is not urgent."),
    )
    needs = forms.ModelMultipleChoiceField(
        Service.objects.order_by("name"),
        label=_("Needs these services"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    functionalities = forms.ModelMultipleChoiceField(
        Functionality.objects.all(),
        label=_("Serves these functionalities"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class LinkForm(forms.Form):
    """An address that helps whoever is paged."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ServiceLink.Kind.choices, required=False)
    label = forms.CharField(label=_("Label"), max_length=100, required=False)
    url = forms.URLField(label=_("Address"), max_length=500, required=False, assume_scheme="https")

    def clean(self) -> dict[str, str]:
        data = super().clean() or {}
        if data.get("label") and not data.get("url") and "url" not in self.errors:
            self.add_error("url", _("A link needs an address."))
        return data

    def draft(self) -> LinkDraft | None:
        """The link, or None for an empty row."""
        data = self.cleaned_data
        if not data.get("url"):
            return None
        return LinkDraft(data["kind"] or ServiceLink.Kind.RUNBOOK, data["label"] or data["url"], data["url"])


LinkFormSet = forms.formset_factory(LinkForm, extra=2, max_num=30)


class MitigationForm(forms.Form):
    """What helps when the service is broken."""

    label = forms.CharField(
        label=_("What it does"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "mitigation-suggestions", "autocomplete": "off"}),
    )
    command = forms.CharField(
        label=_("Command to copy"), required=False, widget=forms.TextInput(attrs={"class": "input mono"})
    )
    url = forms.URLField(label=_("Or a link"), max_length=500, required=False, assume_scheme="https")

    def clean(self) -> dict[str, str]:
        data = super().clean() or {}
        if (data.get("command") or data.get("url")) and not data.get("label"):
            self.add_error("label", _("Say what it does: “Roll back the last deploy”."))
        return data

    def draft(self) -> MitigationDraft | None:
        """The mitigation, or None for an empty row."""
        data = self.cleaned_data
        if not data.get("label"):
            return None
        return MitigationDraft(data["label"], data.get("command", ""), data.get("url", ""))


MitigationFormSet = forms.formset_factory(MitigationForm, extra=1, max_num=30)


class FunctionalityForm(forms.Form):
    """Something that a user does with the product."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(label=_("Short name"), max_length=100, required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
