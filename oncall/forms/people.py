"""What people fill in about how they are reached."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oncall.models import ContactMethod


class ContactMethodForm(forms.Form):
    """A new way to be reached."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ContactMethod.Kind.choices)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        required=False,
        help_text=_("An e-mail address, or the address of a webhook. Nothing for the browser."),
    )
