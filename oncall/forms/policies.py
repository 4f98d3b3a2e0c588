"""What people fill in to set up an escalation policy."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, SlugFromNameMixin, active_people
from accounts.models import Team, User
from oncall.configuration import LONGEST_TIMEOUT_MINUTES, MOST_REPEATS, LevelDraft
from oncall.forms.fields import SLUG_HELP
from oncall.models import Schedule


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
