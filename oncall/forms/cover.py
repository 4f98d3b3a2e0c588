"""What people fill in to ask for cover, to swap turns, to be away, and to shadow."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from accounts.forms import ManySelects, OrderedPeopleField, active_people, offer
from accounts.models import Team, User
from oncall.covering import MAY_BE_ON_CALL, why_not
from oncall.forms.fields import StretchFields

NOT_FREE = {"away": _("away"), "on_call": _("on call then")}


class CoverForm(StretchFields):
    """Asking somebody, a team or anybody to take a stretch of a shift."""

    user = forms.ModelChoiceField(label=_("Whose shift"), queryset=User.objects.none())
    asked = OrderedPeopleField(
        label=_("Whom to ask"),
        queryset=User.objects.none(),
        widget=ManySelects,
        required=False,
        help_text=_("Nobody and no team here: anybody who can be on call."),
    )
    team = forms.ModelChoiceField(label=_("Or a team"), queryset=Team.objects.all(), required=False)
    note = forms.CharField(label=_("Why"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    field_order = ("user", "starts_on", "starts_time", "ends_on", "ends_time", "asked", "team", "note")

    def __init__(
        self, *args: Any, viewer: User, may_ask_for_others: bool, stretch: tuple[datetime, datetime], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        able = active_people().filter(role__in=MAY_BE_ON_CALL)
        offer(self, "user", able if may_ask_for_others else able.filter(pk=viewer.pk))
        offer(self, "asked", able)
        # Those who are free come first; the others are there, with the reason why they are not.
        people = {user.pk: user.display_name for user in able}
        reasons = why_not(people, *stretch)
        labels = [
            (pk, f"{name} ({NOT_FREE[reasons[pk]]})" if pk in reasons else name)
            for pk, name in sorted(people.items(), key=lambda each: (each[0] in reasons, each[1]))
        ]
        self.fields["asked"].widget.choices = labels


class SwapForm(forms.Form):
    """Two turns that change hands, each chosen from the coming ones."""

    given = forms.ChoiceField(label=_("This turn"))
    taken = forms.ChoiceField(label=_("for this one"))
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(
        self, *args: Any, own: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["given"]).choices = [("", _("Choose a turn")), *own]
        cast(forms.ChoiceField, self.fields["taken"]).choices = [("", _("Choose a turn")), *others]

    @staticmethod
    def key(user_id: int, at: datetime) -> str:
        """How a turn is named in the form: whose it is, and an instant within it."""
        return f"{user_id}@{at.isoformat()}"

    def turn(self, name: str) -> tuple[User, datetime]:
        """Whose turn was chosen, and an instant within it."""
        user_id, _at, instant = self.cleaned_data[name].partition("@")
        at = parse_datetime(instant)
        if at is None:
            raise ValueError(f"{instant!r} is no instant.")
        return User.objects.get(pk=user_id), at


class LeaveForm(StretchFields):
    """When somebody is away."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    field_order = ("user", "starts_on", "starts_time", "ends_on", "ends_time", "reason")

    def __init__(self, *args: Any, viewer: User, may_enter_others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = active_people()
        offer(self, "user", people if may_enter_others else people.filter(pk=viewer.pk))


class ShadowForm(StretchFields):
    """Somebody who is told what others are paged for."""

    user = forms.ModelChoiceField(label=_("Who learns"), queryset=User.objects.none())
    follows = forms.ModelChoiceField(
        label=_("Follows"), queryset=User.objects.none(), required=False, empty_label=_("whoever is on call")
    )

    field_order = ("user", "follows", "starts_on", "starts_time", "ends_on", "ends_time")

    def __init__(self, *args: Any, viewer: User, may_choose_others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = active_people()
        offer(self, "user", people if may_choose_others else people.filter(pk=viewer.pk))
        offer(self, "follows", people)
