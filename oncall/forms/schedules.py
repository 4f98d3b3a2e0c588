"""What people fill in to set up schedules and their rotations, and to cover for somebody."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, OrderedPeopleField, SlugFromNameMixin, active_people, offer, zone_choices
from accounts.models import Team, User
from oncall.forms.fields import (
    MONDAY_AT_NINE,
    SLUG_HELP,
    DateInput,
    HandoversField,
    OverrideReasonMixin,
    StretchFields,
    TimeInput,
    WeekdaysField,
)
from oncall.models import Rotation, Schedule
from oncall.rota import instant_of
from oncall.rotations import HIGHEST_LAYER, LONGEST_INTERVAL, RotationDraft, draft_of

COUNTRY_HELP = _("For public holidays: DE, TH, US-CA. Empty for none.")


class ScheduleForm(OverrideReasonMixin, SlugFromNameMixin):
    """A schedule; its rotations are a formset beside it."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Such as “Payments, primary”."))
    slug = forms.SlugField(label=_("Address"), max_length=100, required=False, help_text=SLUG_HELP)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("Handovers keep their time of day in it.")
    )
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.all(), required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    country = forms.CharField(label=_("Country"), max_length=10, required=False, help_text=COUNTRY_HELP)
    working_days = WeekdaysField(label=_("Working days"))
    working_from = forms.TimeField(label=_("Working from"), widget=TimeInput)
    working_until = forms.TimeField(label=_("until"), widget=TimeInput)

    @staticmethod
    def initial_of(schedule: Schedule) -> dict[str, Any]:
        """A stored schedule as the form's first values."""
        return {name: getattr(schedule, name, "") for name in ScheduleForm.base_fields}

    @staticmethod
    def initial_for_new(time_zone: str) -> dict[str, Any]:
        """The first values of a new schedule."""
        working = {"working_days": [0, 1, 2, 3, 4], "working_from": time(9), "working_until": time(17)}
        return {"time_zone": time_zone, **working}


class ChangeForm(forms.Form):
    """From when on a change of a schedule's rotations holds, and that it is meant."""

    NOW, DATE, ALWAYS = "now", "date", "always"

    starts = forms.ChoiceField(
        label=_("These rotations hold"),
        widget=forms.RadioSelect,
        choices=[
            (NOW, _("From now on: the past stays as it was")),
            (DATE, _("From a date on")),
            (ALWAYS, _("As if they had always been so: the past changes with them")),
        ],
        initial=NOW,
        required=False,
    )
    on = forms.DateField(label=_("Date"), widget=DateInput, required=False)
    at = forms.TimeField(label=_("at"), widget=TimeInput, required=False, initial=time(9))
    stamp = forms.CharField(widget=forms.HiddenInput, required=False)
    confirm = forms.BooleanField(label=_("Save it although too few would be on call then"), required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("starts") == self.DATE and not given.get("on") and "on" not in self.errors:
            self.add_error("on", _("Choose the date."))
        return given

    def effective_from(self, zone: ZoneInfo, now: datetime) -> datetime | None:
        """The instant (UTC) from which the change holds, None if it corrects the past too."""
        given = self.cleaned_data
        if given["starts"] == self.ALWAYS:
            return None
        if given["starts"] == self.DATE:
            return instant_of(given["on"], given["at"] or time(0), zone)
        return now


class RotationForm(forms.Form):
    """One rotation: who takes turns, when they hand over, and when they are on duty at all."""

    rotation_id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Rotation"), max_length=100)
    members = OrderedPeopleField(
        label=_("People, in the order of their turns"), queryset=User.objects.none(), widget=ManySelects
    )
    interval = forms.IntegerField(label=_("A turn lasts"), min_value=1, max_value=LONGEST_INTERVAL, initial=1)
    period = forms.ChoiceField(label=_("Unit"), choices=Rotation.Period.choices, initial=Rotation.Period.WEEKS)
    handovers = HandoversField(label=_("They hand over on"), initial=MONDAY_AT_NINE)
    starts_on = forms.DateField(
        label=_("First turn"), widget=DateInput, help_text=_("The turn that holds this day is the first person's.")
    )
    people_at_once = forms.IntegerField(label=_("People at once"), min_value=1, max_value=50, initial=1)
    layer = forms.IntegerField(
        label=_("Layer"),
        min_value=1,
        max_value=HIGHEST_LAYER,
        initial=1,
        help_text=_("Of the rotations that are active, only the highest layer is on call."),
    )
    active_weekdays = WeekdaysField(
        label=_("Only on these days"), help_text=_("None means every day. A night belongs to the day it begins on.")
    )
    active_from = forms.TimeField(label=_("Only from"), widget=TimeInput, required=False)
    active_until = forms.TimeField(label=_("until"), widget=TimeInput, required=False)
    ends_on = forms.DateField(
        label=_("Ends after"), widget=DateInput, required=False, help_text=_("The last day. Empty: it goes on.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Somebody who has left keeps their place in the order until a person takes them out.
        offer(self, "members", User.objects.all())

    def draft(self, zone: ZoneInfo) -> RotationDraft:
        """The rotation as the action takes it; days are those of the schedule's zone."""
        given = {name: self.cleaned_data[name] for name in self.fields if name != "DELETE"}
        last_day = given.pop("ends_on")
        if given["period"] != Rotation.Period.WEEKS:
            given["handovers"] = [(None, at) for _weekday, at in given["handovers"][:1]]
        until = instant_of(last_day + timedelta(days=1), time(0), zone) if last_day else None
        return RotationDraft(effective_until=until, **given)


class BaseRotationFormSet(forms.BaseFormSet[RotationForm]):
    """The rotations of a schedule."""

    def drafts(self, zone: ZoneInfo) -> list[RotationDraft]:
        """The rotations that are kept."""
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        return [form.draft(zone) for form in kept]


RotationFormSet: type[BaseRotationFormSet] = forms.formset_factory(  # type: ignore[assignment]  # it is of this class
    RotationForm, formset=BaseRotationFormSet, extra=1, can_delete=True, max_num=20
)


def rotation_initial(rotation: Rotation, zone: ZoneInfo) -> dict[str, Any]:
    """A stored rotation as the form's first values."""
    draft = draft_of(rotation)
    until = draft.effective_until
    names = [name for name in RotationForm.base_fields if name not in {"members", "ends_on"}]
    return {
        **{name: getattr(draft, name) for name in names},
        "members": [user.pk for user in draft.members],
        "ends_on": (until - timedelta(seconds=1)).astimezone(zone).date() if until else None,
    }


class OverrideForm(StretchFields):
    """Somebody on call instead of everybody, or of one person, for a while."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())
    replaces = forms.ModelChoiceField(
        label=_("Instead of"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("everybody who is on call then"),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("user", "replaces"):
            offer(self, name, active_people())

    field_order = ("user", "replaces", "starts_on", "starts_time", "ends_on", "ends_time", "reason")
