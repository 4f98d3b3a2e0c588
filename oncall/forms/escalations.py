"""What people fill in to hand an escalation on."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import active_people, offer
from accounts.models import User
from oncall.forms.fields import DateInput, TimeInput
from oncall.models import EscalationPolicy
from oncall.rota import instant_of


class ReassignForm(forms.Form):
    """To whom an escalation is handed: one person, or a policy from its first level on."""

    user = forms.ModelChoiceField(label=_("To a person"), queryset=User.objects.none(), required=False)
    policy = forms.ModelChoiceField(
        label=_("or to a policy"),
        queryset=EscalationPolicy.objects.all(),
        required=False,
        help_text=_("One of the two."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "user", active_people())


class HelpForm(forms.Form):
    """Who is asked to help."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "user", active_people())


class SnoozeForm(forms.Form):
    """For how many minutes, or until which wall-clock time of the viewer's zone."""

    minutes = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    on = forms.DateField(label=_("Until"), widget=DateInput, required=False)
    at = forms.TimeField(label=_("at"), widget=TimeInput, required=False)

    def until(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The end of the snooze; `now` itself, which nobody takes for a snooze, if nothing was said."""
        given = self.cleaned_data
        if given["minutes"]:
            return now + timedelta(minutes=given["minutes"])
        if given["on"] and given["at"]:
            return instant_of(given["on"], given["at"], zone)
        return now

    @staticmethod
    def initial_for(now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """Tomorrow morning at nine."""
        return {"on": now.astimezone(zone).date() + timedelta(days=1), "at": "09:00"}
