"""Fields that the forms of on-call share."""

from django import forms
from django.utils.translation import gettext_lazy as _

SLUG_HELP = _("Made of the name when empty.")


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")
