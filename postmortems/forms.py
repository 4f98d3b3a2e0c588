"""What people fill in to write a postmortem and to follow up on it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from postmortems.models import ActionItem, PostmortemSection


class SectionForm(forms.Form):
    """A section's Markdown, and the version that the writer has read."""

    text = forms.CharField(
        label=_("Text"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono"}),
        help_text=_("Markdown. Describe systems and decisions, not people's faults."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, section: PostmortemSection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs["data-draft"] = f"section-{section.pk}-{section.version}"


class PostmortemForm(forms.Form):
    """A postmortem's title and authors."""

    title = forms.CharField(label=_("Title"), max_length=250)
    authors = forms.ModelMultipleChoiceField(
        label=_("Authors"),
        queryset=User.objects.filter(is_active=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ActionItemForm(forms.Form):
    """A task with an owner, a date and a priority."""

    title = forms.CharField(label=_("What is to be done?"), max_length=250)
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=User.objects.filter(is_active=True), required=False, empty_label=_("Nobody yet")
    )
    due_on = forms.DateField(
        label=_("Due"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    priority = forms.ChoiceField(
        label=_("Priority"), choices=ActionItem.Priority.choices, initial=ActionItem.Priority.P1
    )
    status = forms.ChoiceField(label=_("Status"), choices=ActionItem.Status.choices, initial=ActionItem.Status.PLANNED)
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text=_("Markdown.")
    )
    ticket_url = forms.URLField(label=_("Ticket"), required=False, max_length=500, assume_scheme="https")
