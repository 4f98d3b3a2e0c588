"""What people fill in to set up schedules, overrides, policies and contact methods, and to page somebody."""

from datetime import datetime, time
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, OrderedPeopleField, SlugFromNameMixin, active_people, zone_choices
from accounts.models import Team, User
from oncall.configuration import LONGEST_TIMEOUT_MINUTES, MOST_REPEATS, LevelDraft, RotationDraft, handovers_of
from oncall.models import ContactMethod, EscalationPolicy, Rotation, Schedule, Weekday
from oncall.rota import instant_of

SLUG_HELP = _("Made of the name when empty.")
Targets = tuple[list[Schedule], list[User]]


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


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


class LevelForm(forms.Form):
    """One level: whom it pages, and how long it waits before the next."""

    timeout_minutes = forms.IntegerField(
        label=_("Minutes to wait for an answer"), min_value=0, max_value=LONGEST_TIMEOUT_MINUTES, initial=5
    )
    targets = forms.MultipleChoiceField(label=_("Pages"), choices=(), widget=ManySelects)

    def __init__(self, *args: Any, choices: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["targets"].choices = choices  # type: ignore[attr-defined]

    def draft(self) -> LevelDraft:
        """The level as the action takes it."""
        chosen = [target.split(":") for target in dict.fromkeys(self.cleaned_data["targets"])]
        ids = {kind: [int(pk) for each, pk in chosen if each == kind] for kind in ("schedule", "user")}
        return LevelDraft(
            timeout_minutes=self.cleaned_data["timeout_minutes"],
            schedules=list(Schedule.objects.filter(pk__in=ids["schedule"])),
            users=list(User.objects.filter(pk__in=ids["user"])),
        )


def target_choices() -> list[tuple[Any, list[tuple[str, str]]]]:
    """Whom a level can page: schedules and people."""
    return [
        (_("On call on"), [(f"schedule:{schedule.pk}", schedule.name) for schedule in Schedule.objects.all()]),
        (_("People"), [(f"user:{user.pk}", user.display_name) for user in active_people()]),
    ]


RotationFormSet = forms.formset_factory(RotationForm, extra=1, can_delete=True, max_num=20)


class BaseLevelFormSet(forms.BaseFormSet[LevelForm]):
    """The levels of a policy, in the order of their positions; without one a level stays where it stands."""

    def add_fields(self, form: LevelForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = _("Position")

    def drafts(self) -> list[LevelDraft]:
        """The levels that are kept, from the first to the last."""
        kept = [
            (form.cleaned_data["ORDER"] or index, index, form)
            for index, form in enumerate(self.forms, 1)
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        return [form.draft() for _position, _index, form in sorted(kept, key=lambda each: each[:2])]


LevelFormSet = cast(
    type[BaseLevelFormSet],
    forms.formset_factory(
        LevelForm, formset=BaseLevelFormSet, extra=1, can_delete=True, can_order=True, min_num=1, max_num=20
    ),
)


class PolicyForm(SlugFromNameMixin):
    """An escalation policy; its levels are a formset beside it."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(label=_("Address"), max_length=100, required=False, help_text=SLUG_HELP)
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.all(), required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    repeats = forms.IntegerField(
        label=_("Repeat"),
        min_value=0,
        max_value=MOST_REPEATS,
        initial=0,
        help_text=_("How often the levels are walked again when nobody answers."),
    )


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


class ContactMethodForm(forms.Form):
    """A new way to be reached."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ContactMethod.Kind.choices)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        required=False,
        help_text=_("An e-mail address, or the address of a webhook. Nothing for the browser."),
    )


class EscalationForm(forms.Form):
    """Paging people by hand."""

    policy = forms.ModelChoiceField(label=_("Escalation policy"), queryset=EscalationPolicy.objects.all())
    title = forms.CharField(label=_("What is wrong"), max_length=300)
    detail = forms.CharField(label=_("Detail"), required=False, widget=forms.Textarea(attrs={"rows": 4}))


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
