"""The forms of updates, of things to do now, of the checklist and of following."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import ChecklistItem, IncidentFollower
from incidents.todo import LONGEST_TITLE


class CorrectForm(forms.Form):
    """What an update says, corrected."""

    update = forms.IntegerField(widget=forms.HiddenInput)
    text = forms.CharField(label=_("What do we know?"), widget=forms.Textarea(attrs={"rows": 4}))
    doing = forms.CharField(label=_("What do we do?"), required=False, widget=forms.Textarea(attrs={"rows": 2}))


class TimerForm(forms.Form):
    """In how many minutes the next update is due; none stops the timer."""

    minutes = forms.IntegerField(min_value=1, max_value=10_080, required=False)


class ActionForm(forms.Form):
    """Something to do now."""

    title = forms.CharField(label=_("What is to be done?"), max_length=LONGEST_TITLE)
    assignee = forms.ModelChoiceField(User.objects.filter(is_active=True).exclude(role="viewer"), required=False)


class OneActionForm(forms.Form):
    """Which of an incident's actions."""

    action = forms.IntegerField(min_value=1)


class AssignActionForm(OneActionForm):
    """Who does it; nobody leaves it to anybody."""

    assignee = forms.ModelChoiceField(User.objects.filter(is_active=True).exclude(role="viewer"), required=False)


class LineForm(forms.Form):
    """A line of the checklist."""

    item = forms.ModelChoiceField(ChecklistItem.objects.all(), to_field_name="slug")


class FollowForm(forms.Form):
    """How often one is told; without a pace as before."""

    pace = forms.ChoiceField(choices=IncidentFollower.Pace.choices, required=False)
