"""What people fill in to set up an escalation policy."""

import json
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, SlugFromNameMixin, active_people
from accounts.models import Team, User
from events.condition_forms import ConditionForm, condition_rows, parsed_condition
from oncall.forms.fields import SLUG_HELP, OverrideReasonMixin
from oncall.models import EscalationLevel, EscalationPolicy, EscalationTarget, Schedule
from oncall.policies import (
    LONGEST_AUTO_RESOLVE_MINUTES,
    LONGEST_TIMEOUT_MINUTES,
    MOST_REPEATS,
    LevelDraft,
    TargetDraft,
)

Kind = EscalationTarget.Kind
ANSWERS = [("1", _("anyone answers")), ("0", _("everyone answers")), ("2", _("two answer")), ("3", _("three answer"))]


class LevelForm(ConditionForm):
    """One level: whom it pages, when it counts, what answers it, and how long it waits before the next."""

    timeout_minutes = forms.IntegerField(
        label=_("Minutes to wait for an answer"), min_value=0, max_value=LONGEST_TIMEOUT_MINUTES, initial=5
    )
    targets = forms.MultipleChoiceField(label=_("Pages"), choices=(), widget=ManySelects(spare=1), required=False)
    answers_needed = forms.TypedChoiceField(label=_("Enough when"), choices=ANSWERS, coerce=int, initial="1")
    is_round_robin = forms.BooleanField(label=_("One person at a time, in turns"), required=False)
    chat = forms.CharField(
        label=_("Tell a chat"),
        required=False,
        max_length=1000,
        help_text=_("An Apprise address: slack://…, mmosts://…, ntfys://…. It is told, nobody has to answer."),
    )
    webhook = forms.URLField(label=_("Tell a webhook"), required=False, max_length=1000, assume_scheme="https")
    condition_json = forms.CharField(label=_("Condition as JSON"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, choices: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["targets"].choices = choices  # type: ignore[attr-defined]  # a choice field has them
        # A condition of more than one comparison is shown as it is written.
        if self.initial.get("condition_json") or self.data.get(self.add_prefix("condition_json")):
            self.fields["condition_json"].widget = forms.Textarea(attrs={"rows": 3, "class": "mono"})

    def clean_condition_json(self) -> dict[str, Any] | None:
        return parsed_condition(self.cleaned_data["condition_json"])

    def draft(self) -> LevelDraft:
        """The level as the action takes it."""
        data = self.cleaned_data
        targets = [target_of(choice) for choice in dict.fromkeys(data["targets"])]
        if data["chat"]:
            targets.append(TargetDraft(Kind.CHAT, address=data["chat"].strip()))
        if data["webhook"]:
            targets.append(TargetDraft(Kind.WEBHOOK, address=data["webhook"].strip()))
        return LevelDraft(
            timeout_minutes=data["timeout_minutes"],
            targets=[target for target in targets if target is not None],
            condition=data["condition_json"] or self.condition() or {},
            answers_needed=data["answers_needed"],
            is_round_robin=data["is_round_robin"],
        )


def target_of(choice: str) -> TargetDraft | None:
    """What a choice of the menu stands for; None if it has gone meanwhile."""
    kind, _separator, text = choice.partition(":")
    pk = int(text) if text.isdecimal() else 0
    if kind == Kind.SCHEDULE:
        schedule = Schedule.objects.filter(pk=pk).first()
        return TargetDraft(kind, schedule=schedule) if schedule else None
    if kind == Kind.USER:
        user = User.objects.filter(pk=pk).first()
        return TargetDraft(kind, user=user) if user else None
    if kind == Kind.TEAM:
        team = Team.objects.filter(pk=pk).first()
        return TargetDraft(kind, team=team) if team else None
    return TargetDraft(kind, target_id=pk) if pk else TargetDraft(kind)


def choice_of(target: EscalationTarget) -> str:
    """The menu's choice that stands for a stored target."""
    own = {Kind.SCHEDULE: target.schedule_id, Kind.USER: target.user_id, Kind.TEAM: target.team_id}
    if target.kind == Kind.SERVICE_OWNER:
        return f"{target.kind}:"
    return f"{target.kind}:{own.get(Kind(target.kind), target.pk)}"


def target_choices(policy: EscalationPolicy | None = None) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Whom a level can page, and the chats and webhooks that the policy tells already."""
    told = EscalationTarget.objects.filter(level__policy=policy, kind__in=[Kind.CHAT, Kind.WEBHOOK]) if policy else []
    groups: list[tuple[Any, list[tuple[str, str]]]] = [
        (_("On call on"), [(f"schedule:{schedule.pk}", schedule.name) for schedule in Schedule.objects.all()]),
        (_("People"), [(f"user:{user.pk}", user.display_name) for user in active_people()]),
        (_("Everybody in"), [(f"team:{team.pk}", team.name) for team in Team.objects.all()]),
        (_("By the service"), [("service_owner:", str(_("The team that owns the service")))]),
    ]
    if told:
        groups.append((_("Told already"), [(choice_of(target), str(target)) for target in told]))
    return groups


def level_initial(level: EscalationLevel) -> dict[str, Any]:
    """A stored level as the form's first values."""
    rows = condition_rows(level.condition) if level.condition else ("all", [])
    simple = rows is not None and len(rows[1]) <= 1
    return {
        "timeout_minutes": level.timeout_minutes,
        "targets": [choice_of(target) for target in level.targets.all()],
        "answers_needed": level.answers_needed,
        "is_round_robin": level.is_round_robin,
        **(rows[1][0] if rows and simple and rows[1] else {}),
        "condition_json": "" if simple else json.dumps(level.condition, indent=1),
    }


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


class PolicyForm(OverrideReasonMixin, SlugFromNameMixin):
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
    on_exhausted = forms.ChoiceField(
        label=_("When nobody has answered"),
        choices=EscalationPolicy.Exhausted.choices,
        initial=EscalationPolicy.Exhausted.STOP,
    )
    next_policy = forms.ModelChoiceField(
        label=_("The other policy"),
        queryset=EscalationPolicy.objects.all(),
        required=False,
        empty_label=_("– none –"),
    )
    acknowledgement_timeout_minutes = forms.IntegerField(
        label=_("Page again when an acknowledgement is followed by nothing for (minutes)"),
        required=False,
        min_value=0,
        max_value=LONGEST_TIMEOUT_MINUTES,
        help_text=_("Empty: an acknowledgement is trusted."),
    )
    auto_resolve_minutes = forms.IntegerField(
        label=_("End by itself after (minutes)"),
        required=False,
        min_value=0,
        max_value=LONGEST_AUTO_RESOLVE_MINUTES,
        help_text=_("Empty: it stays open until somebody resolves it."),
    )
    confirm = forms.BooleanField(label=_("Save it although there would be hours with nobody"), required=False)
    low_urgency = forms.ChoiceField(
        label=_("What is not urgent"),
        choices=EscalationPolicy.LowUrgency.choices,
        initial=EscalationPolicy.LowUrgency.PAGE,
    )
