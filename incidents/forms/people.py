"""The forms that give, take and leave roles."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import IncidentRole

NOTE_HELP = _("What the next one should know.")


class AssignForm(forms.Form):
    """Who plays which role; no person leaves it open."""

    role = forms.ModelChoiceField(
        IncidentRole.objects.all(),
        to_field_name="slug",
        label=_("Role"),
        empty_label=None,
        widget=forms.RadioSelect,
    )
    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).exclude(role="viewer"),
        label=_("Person"),
        required=False,
        empty_label=_("Nobody"),
    )
    note = forms.CharField(
        label=_("Note"), required=False, help_text=NOTE_HELP, widget=forms.Textarea(attrs={"rows": 2})
    )


class OwnRoleForm(forms.Form):
    """A role that somebody takes or leaves themselves."""

    role = forms.ModelChoiceField(IncidentRole.objects.all(), to_field_name="slug")
    note = forms.CharField(required=False)
