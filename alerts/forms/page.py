"""The form by which people page people."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import active_people, offer
from accounts.models import User
from catalog.models import Service
from oncall.models import EscalationPolicy, Urgency

NOBODY = _("– nobody –")


class PageForm(forms.Form):
    """Whom to page, how loudly, and what about."""

    user = forms.ModelChoiceField(label=_("A person"), queryset=User.objects.none(), required=False, empty_label=NOBODY)
    service = forms.ModelChoiceField(
        label=_("or whoever is on call for a service"),
        queryset=Service.objects.exclude(escalation_policy=None).order_by("name"),
        required=False,
        empty_label=NOBODY,
    )
    policy = forms.ModelChoiceField(
        label=_("or an escalation policy"),
        queryset=EscalationPolicy.objects.order_by("name"),
        required=False,
        empty_label=NOBODY,
    )
    title = forms.CharField(label=_("What is wrong"), max_length=300)
    urgency = forms.ChoiceField(
        label=_("Urgency"), choices=Urgency.choices, initial=Urgency.HIGH, required=False, help_text=_("Low may wait.")
    )
    detail = forms.CharField(
        label=_("Detail"), required=False, widget=forms.Textarea(attrs={"rows": 4, "data-draft": "page"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "user", active_people())

    def clean_urgency(self) -> str:
        return self.cleaned_data["urgency"] or Urgency.HIGH
