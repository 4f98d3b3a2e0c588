"""The forms of the lifecycle: triage, ends, merging, streams, types, times, pauses."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import IncidentType, Severity
from incidents.times import LABELS


class ConfirmForm(forms.Form):
    """Whether what needs a confirmation is meant."""

    confirmed = forms.BooleanField(label=_("Its open streams end with it"), required=False)


class AcceptForm(forms.Form):
    """It is an incident: how bad, and what it is called."""

    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Without one, it keeps its name.")
    )
    severity = forms.ModelChoiceField(
        Severity.objects.filter(is_active=True),
        to_field_name="slug",
        label=_("Severity"),
        required=False,
        empty_label=_("Unchanged"),
    )


class ReasonForm(forms.Form):
    """Why; a few words."""

    reason = forms.CharField(label=_("Why?"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class EndForm(ReasonForm, ConfirmForm):
    """Why it ends, and whether its streams end too."""

    field_order = ("reason", "confirmed")


class MergeForm(ReasonForm):
    """Which incident it is a part of."""

    field_order = ("into", "reason", "confirmed")
    into = forms.CharField(label=_("Into which incident?"), max_length=20, help_text=_("Its number, such as INC-142."))
    confirmed = forms.BooleanField(
        label=_("Show what is private there"),
        required=False,
        help_text=_("Needed only where people would learn of a private incident who can't see it now."),
    )

    def clean_into(self) -> int:
        text = str(self.cleaned_data["into"]).strip().upper().removeprefix("INC-")
        if not text.isdecimal() or len(text) > 9:
            raise forms.ValidationError(_("Give the number of an incident, such as INC-142."))
        return int(text)


class StreamForm(forms.Form):
    """A part of the incident, and who leads it."""

    name = forms.CharField(label=_("What is this part about?"), max_length=200)
    lead = forms.ModelChoiceField(
        User.objects.filter(is_active=True).exclude(role="viewer").order_by("name"),
        label=_("Who leads it?"),
        required=False,
        empty_label=_("Nobody yet"),
    )
    summary = forms.CharField(label=_("What do you know?"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class TypeForm(forms.Form):
    """What kind of incident it is."""

    incident_type = forms.ModelChoiceField(
        IncidentType.objects.filter(is_active=True), to_field_name="slug", label=_("Type"), empty_label=None
    )


class TimeForm(forms.Form):
    """When something was, and why that is changed."""

    which = forms.ChoiceField(label=_("Which time?"), choices=list(LABELS.items()))
    value = forms.DateTimeField(
        label=_("When?"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        help_text=_("In your time zone. Nothing: it is not known."),
    )
    reason = forms.CharField(label=_("Why is it changed?"), max_length=500)


def lifecycle_forms(initial: dict[str, Any] | None = None) -> dict[str, forms.Form]:
    """The forms of the dialogs by their names, each with ids of its own."""
    kinds: dict[str, type[forms.Form]] = {
        "accept": AcceptForm,
        "decline": ReasonForm,
        "cancel": EndForm,
        "merge": MergeForm,
        "unmerge": ReasonForm,
        "stream": StreamForm,
        "type": TypeForm,
        "time": TimeForm,
        "pause": ReasonForm,
    }
    return {name: form(auto_id=f"{name}-%s", initial=initial) for name, form in kinds.items()}
