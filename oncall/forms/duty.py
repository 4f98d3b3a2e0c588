"""What people fill in about duty: handover notes, surveys, rates, months, reports, boards."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from oncall.duty import LONGEST_NOTE
from oncall.forms.fields import DateInput, MomentField, TimeInput
from oncall.models import EscalationPolicy, RateTable, Schedule
from oncall.pay import MOST_RATE, MOST_REST_HOURS
from oncall.reports import LONGEST_DAYS, USUAL_DAYS, Question, stretch_of
from oncall.surveys import LONGEST_ANSWER
from oncall.windows import instant_of

SCORES = [
    ("1", _("1 – bad")),
    ("2", "2"),
    ("3", "3"),
    ("4", "4"),
    ("5", _("5 – good")),
]


class HandoverNoteForm(forms.Form):
    """What those who come next should know; `before` is the note as the writer saw it."""

    note = forms.CharField(
        label=_("What should they know?"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("It is mailed at the change of shift, above the summary. Markdown works."),
    )
    before = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)


class SurveyForm(forms.Form):
    """Two questions after a shift."""

    score = forms.TypedChoiceField(
        label=_("How was your shift?"), choices=SCORES, coerce=int, widget=forms.RadioSelect, empty_value=None
    )
    what_hurt = forms.CharField(
        label=_("What hurt?"),
        required=False,
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Noise, gaps in runbooks, too little sleep: whatever should change."),
    )


def rate_field(label: Any, help_text: Any = "") -> forms.DecimalField:
    """An amount of money."""
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_value=MOST_RATE,
        decimal_places=2,
        max_digits=10,
        initial=Decimal(0),
        help_text=help_text,
    )


class RateTableForm(forms.Form):
    """What an hour on call is worth, and which schedules are paid so."""

    name = forms.CharField(label=_("Name"), max_length=100)
    currency = forms.CharField(label=_("Currency"), max_length=3, min_length=3, initial="EUR")
    weekday = rate_field(_("An hour on a weekday"))
    night = rate_field(_("An hour at night"), _("On a weekday, within the night below."))
    weekend = rate_field(_("An hour at the weekend"))
    holiday = rate_field(_("An hour on a public holiday"), _("The holidays of the schedule's country."))
    per_page = rate_field(_("For each page"))
    night_from = forms.TimeField(label=_("The night begins"), widget=TimeInput, initial="22:00")
    night_until = forms.TimeField(label=_("and ends"), widget=TimeInput, initial="06:00")
    rest_hours = forms.IntegerField(
        label=_("Hours of rest"),
        min_value=0,
        max_value=MOST_REST_HOURS,
        initial=11,
        help_text=_("Due after the last page of a night: no other page, and no shift that begins."),
    )
    schedules = forms.ModelMultipleChoiceField(
        label=_("Schedules"), queryset=Schedule.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )

    @staticmethod
    def initial_of(table: RateTable) -> dict[str, Any]:
        """A stored table as the form's first values."""
        names = ("name", "currency", "weekday", "night", "weekend", "holiday", "per_page")
        more = ("night_from", "night_until", "rest_hours")
        return {name: getattr(table, name) for name in (*names, *more)} | {"schedules": table.schedules.all()}


class MonthField(forms.DateField):
    """A month, as browsers write it: 2026-03."""

    widget = forms.DateInput(attrs={"type": "month"}, format="%Y-%m")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m"], **kwargs)


class MonthForm(forms.Form):
    """Which month to compute."""

    month = MonthField(label=_("Month"))


class DaysForm(forms.Form):
    """Which days a report is about. The last thirty days unless said otherwise; the API takes the same names."""

    first = forms.DateField(label=_("From"), required=False, widget=DateInput)
    last = forms.DateField(label=_("Until"), required=False, widget=DateInput)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        last = given.get("last") or self.today
        first = given.get("first") or last - timedelta(days=USUAL_DAYS - 1)
        if not date(2000, 1, 1) <= first <= last <= date(2999, 1, 1):
            self.add_error("last", _("The last day must come after the first."))
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("last", _("At most %(days)d days at once.") % {"days": LONGEST_DAYS})
        return {**given, "first": first, "last": last}

    def stretch(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when (UTC) the valid form asks; its days are those of the zone."""
        return stretch_of(self.cleaned_data["first"], self.cleaned_data["last"], zone)


class ReportForm(DaysForm):
    """Which pages a report is about."""

    schedule = forms.ModelMultipleChoiceField(
        label=_("Schedule"), queryset=Schedule.objects.all(), required=False, to_field_name="slug"
    )
    policy = forms.ModelMultipleChoiceField(
        label=_("Policy"), queryset=EscalationPolicy.objects.all(), required=False, to_field_name="slug"
    )
    team = forms.ModelMultipleChoiceField(
        label=_("Team"), queryset=Team.objects.all(), required=False, to_field_name="slug"
    )

    def question(self, zone: ZoneInfo) -> Question:
        """The valid form as a question; its days are those of the zone."""
        given = self.cleaned_data
        start, end = self.stretch(zone)
        return Question(start, end, tuple(given["policy"]), tuple(given["team"]), tuple(given["schedule"]))


class BoardMomentForm(forms.Form):
    """At which wall-clock time of a zone the board is looked at: now, unless given."""

    at = MomentField(label=_("Who is on call at"), required=False)

    def moment(self, zone: ZoneInfo) -> datetime | None:
        """The instant that is asked for (UTC), if one is and it makes sense."""
        at = self.cleaned_data.get("at") if self.is_valid() else None
        return instant_of(at.date(), at.time(), zone) if at else None


class BoardAddressForm(forms.Form):
    """A secret address for a wall screen."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Which screen it is, such as “Kitchen”."))
    team = forms.ModelChoiceField(
        label=_("Team"), queryset=Team.objects.all(), required=False, empty_label=_("All teams")
    )
