"""The forms that change an incident; what they accept is checked again by the actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents.models import Incident, IncidentService, IncidentStatus, Severity
from oncall.models import EscalationPolicy, Urgency

NEXT_UPDATE_CHOICES = [
    ("", _("As the severity says")),
    ("15", _("15 minutes")),
    ("30", _("30 minutes")),
    ("60", _("1 hour")),
    ("240", _("4 hours")),
]


class NoteForm(forms.Form):
    """A line for the timeline."""

    text = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 1}))


class UpdateForm(forms.Form):
    """An internal update: what is known, what is done, when more is told, and what changes along with it."""

    text = forms.CharField(
        label=_("What do we know?"), widget=forms.Textarea(attrs={"rows": 4, "data-draft": "update"})
    )
    doing = forms.CharField(
        label=_("What do we do?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "data-draft": "update-doing"}),
    )
    status = forms.ModelChoiceField(
        IncidentStatus.objects.all(), label=_("Status"), required=False, empty_label=_("Unchanged")
    )
    severity = forms.ModelChoiceField(
        Severity.objects.all(), label=_("Severity"), required=False, empty_label=_("Unchanged")
    )
    next_update_minutes = forms.TypedChoiceField(
        label=_("Next update in"), choices=NEXT_UPDATE_CHOICES, coerce=int, required=False, empty_value=None
    )
    next_update_at = forms.DateTimeField(
        label=_("or at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In your time zone."),
    )


class EditForm(forms.Form):
    """Name, summary and reach."""

    name = forms.CharField(label=_("Name"), max_length=200)
    summary = forms.CharField(label=_("Summary"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    users_affected = forms.IntegerField(label=_("Users affected"), required=False, min_value=0)


class StatusForm(forms.Form):
    status = forms.ModelChoiceField(IncidentStatus.objects.all(), to_field_name="slug")


class SeverityForm(forms.Form):
    severity = forms.ModelChoiceField(Severity.objects.all(), to_field_name="slug")


class ServiceForm(forms.Form):
    """How much a service is affected; no impact takes it off."""

    service = forms.ModelChoiceField(Service.objects.order_by("name"), to_field_name="slug", label=_("Service"))
    impact = forms.ChoiceField(
        label=_("Impact"), choices=[*IncidentService.Impact.choices, ("", _("Not affected any more"))], required=False
    )


class PageForm(forms.Form):
    """Whom to page for the incident."""

    policy = forms.ModelChoiceField(EscalationPolicy.objects.all(), label=_("Escalation policy"), empty_label=None)
    message = forms.CharField(
        label=_("Message"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Without one, the summary."),
    )
    urgency = forms.ChoiceField(
        label=_("How loudly?"), choices=[("", _("As the service says")), *Urgency.choices], required=False
    )


class PageServiceForm(forms.Form):
    """Which service's people to page."""

    service = forms.ModelChoiceField(Service.objects.select_related("escalation_policy"), to_field_name="slug")


class MemberForm(forms.Form):
    user = forms.ModelChoiceField(User.objects.filter(is_active=True), label=_("Person"))


class VisibilityForm(forms.Form):
    visibility = forms.ChoiceField(choices=Incident.Visibility.choices)


def first_error(form: forms.Form) -> dict[str, Any]:
    """The first mistake of a form, for a message where the form itself is not shown again."""
    field, errors = next(iter(form.errors.items()))
    return {"field": field, "message": str(errors[0])}
