"""What people fill in to let a calendar elsewhere say who is on call."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oncall.models import ImportedCalendar


class CalendarForm(forms.Form):
    """A calendar's address, and what it is for."""

    kind = forms.ChoiceField(
        label=_("It holds"),
        choices=ImportedCalendar.Kind.choices,
        help_text=_("Overrides beat everything else while they last."),
    )
    address = forms.CharField(
        label=_("Secret address"),
        max_length=2000,
        help_text=_("In iCal format, such as https://calendar.google.com/calendar/ical/…/basic.ics"),
    )
