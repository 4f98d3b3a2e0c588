"""The forms that change an incident; what they accept is checked again by the actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents.models import PLAIN_CATEGORIES, Incident, IncidentService, IncidentStatus, Severity
from oncall.models import EscalationPolicy, Urgency

NEXT_UPDATE_CHOICES = [
    ("", _("As until now")),
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
        IncidentStatus.objects.filter(is_active=True, category__in=PLAIN_CATEGORIES),
        label=_("Status"),
        required=False,
        empty_label=_("Unchanged"),
    )
    severity = forms.ModelChoiceField(
        Severity.objects.filter(is_active=True), label=_("Severity"), required=False, empty_label=_("Unchanged")
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
    """Facts. Only what was sent counts, and of that, with `was`, only what differs from what its editor saw."""

    FACTS = (
        *("name", "summary", "impact", "root_cause"),
        *("users_affected", "tickets", "revenue_lost", "call_url"),
    )
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    summary = forms.CharField(label=_("Summary"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    impact = forms.CharField(
        label=_("Impact"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What customers notice, in plain words."),
    )
    root_cause = forms.CharField(label=_("Root cause"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    users_affected = forms.IntegerField(label=_("Users affected"), required=False, min_value=0)
    tickets = forms.IntegerField(label=_("Customers who wrote"), required=False, min_value=0)
    revenue_lost = forms.DecimalField(label=_("Revenue lost"), required=False, max_digits=14, decimal_places=2)
    call_url = forms.URLField(label=_("Call link"), required=False, max_length=500, assume_scheme="https")
    was = forms.JSONField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        sent = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        was = sent.get("was") or {}
        if not isinstance(was, dict):
            raise forms.ValidationError(_("This form is no longer valid. Reload the page."))
        kept = {
            name: value for name, value in sent.items() if name != "was" and _text(value) != _text(was.get(name, self))
        }
        seen = {name: value for name, value in was.items() if name in kept}
        return {**kept, **({"was": seen} if seen else {})}


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n")


class StatusForm(forms.Form):
    status = forms.ModelChoiceField(IncidentStatus.objects.all(), to_field_name="slug")
    reason = forms.CharField(required=False)
    confirmed = forms.BooleanField(required=False)


class SeverityForm(forms.Form):
    severity = forms.ModelChoiceField(Severity.objects.all(), to_field_name="slug")


class ServiceForm(forms.Form):
    """How much a service is affected; no impact takes it off."""

    service = forms.ModelChoiceField(
        Service.objects.order_by("name"), to_field_name="slug", label=_("Service"), empty_label=_("Choose…")
    )
    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=[*IncidentService.Impact.choices, ("", _("Not affected any more"))],
        initial=IncidentService.Impact.PARTIAL_OUTAGE,
        required=False,
    )


class PageForm(forms.Form):
    """Whom to page for the incident: along a policy, or one person."""

    policy = forms.ModelChoiceField(
        EscalationPolicy.objects.all(), label=_("Escalation policy"), required=False, empty_label=_("One person")
    )
    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("name"),
        label=_("Person"),
        required=False,
        empty_label=_("As the policy says"),
    )
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
    user = forms.ModelChoiceField(User.objects.filter(is_active=True), label=_("Person"), empty_label=_("Choose…"))


class VisibilityForm(forms.Form):
    visibility = forms.ChoiceField(choices=Incident.Visibility.choices)


def first_error(form: forms.Form) -> dict[str, Any]:
    """The first mistake of a form, for a message where the form itself is not shown again."""
    field, errors = next(iter(form.errors.items()))
    return {"field": field, "message": str(errors[0])}
