"""What people fill in to set up schedules and their rotations, and to cover for somebody."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, OrderedPeopleField, SlugFromNameMixin, active_people, zone_choices
from accounts.models import Team, User
from oncall.configuration import RotationDraft, handovers_of
from oncall.forms.fields import SLUG_HELP, DateInput, TimeInput
from oncall.models import Rotation, Weekday
from oncall.rota import instant_of


class ScheduleForm(SlugFromNameMixin):
    """A schedule; its rotations are a formset beside it."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Such as “Payments, primary”."))
    slug = forms.SlugField(label=_("Address"), max_length=100, required=False, help_text=SLUG_HELP)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("Handovers keep their time of day in it.")
    )
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.all(), required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class RotationForm(forms.Form):
    """One rotation: who takes turns, and when they hand over."""

    rotation_id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Rotation"), max_length=100)
    members = OrderedPeopleField(
        label=_("People, in the order of their turns"), queryset=User.objects.none(), widget=ManySelects
    )
    handover_weekday = forms.TypedChoiceField(label=_("Handover on"), choices=Weekday.choices, coerce=int, initial="0")
    handover_time = forms.TimeField(label=_("at"), widget=TimeInput, initial=time(9))
    interval = forms.IntegerField(label=_("Weeks per turn"), min_value=1, max_value=52, initial=1)
    starts_on = forms.DateField(
        label=_("First turn"), widget=DateInput, help_text=_("The turn that holds this day is the first person's.")
    )
    layer = forms.IntegerField(
        label=_("Layer"),
        min_value=1,
        max_value=9,
        initial=1,
        help_text=_("Of the rotations that are active, only the highest layer is on call."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Somebody who has left keeps their place in the order until a person takes them out.
        self.fields["members"].queryset = User.objects.all()  # type: ignore[attr-defined]

    def draft(self) -> RotationDraft:
        """The rotation as the action takes it."""
        given = {name: self.cleaned_data[name] for name in self.fields if name not in {"DELETE"}}
        handover = (given.pop("handover_weekday"), given.pop("handover_time"))
        return RotationDraft(handovers=[handover], **given)


RotationFormSet = forms.formset_factory(RotationForm, extra=1, can_delete=True, max_num=20)


class OverrideForm(forms.Form):
    """Somebody on call instead of the rotations for a while, in wall-clock times of a zone."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())
    starts_on = forms.DateField(label=_("From"), widget=DateInput)
    starts_time = forms.TimeField(label=_("at"), widget=TimeInput)
    ends_on = forms.DateField(label=_("Until"), widget=DateInput)
    ends_time = forms.TimeField(label=_("at"), widget=TimeInput)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["user"].queryset = active_people()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for edge in ("starts", "ends"):
            if {f"{edge}_on", f"{edge}_time"} <= given.keys():
                given[f"{edge}_at"] = instant_of(given[f"{edge}_on"], given[f"{edge}_time"], self.zone)
        if {"starts_at", "ends_at"} <= given.keys() and given["ends_at"] <= given["starts_at"]:
            self.add_error("ends_on", _("The end must come after the start."))
        return given

    @staticmethod
    def initial_for(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """The form's first values for a stretch."""
        start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
        return {
            "starts_on": start.date(),
            "starts_time": start.time(),
            "ends_on": end.date(),
            "ends_time": end.time(),
        }


def rotation_initial(rotation: Rotation) -> dict[str, Any]:
    """A stored rotation as the form's first values."""
    members = [member.user_id for member in rotation.rotation_members.all()]
    names = ("name", "interval", "starts_on", "layer")
    weekday, at = handovers_of(rotation)[0]
    return {
        "rotation_id": rotation.pk,
        "members": members,
        "handover_weekday": weekday,
        "handover_time": at,
        **{name: getattr(rotation, name) for name in names},
    }
