"""The forms of an incident's room: what is written, edited, reacted, linked."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from incidents.entries import SPOKEN_CHOICES
from incidents.models import IncidentLink, TimelineEntry
from incidents.writing import LONGEST_TEXT


class SeveralFiles(forms.FileField):
    """Any number of files, as a list."""

    class Input(forms.ClearableFileInput):
        allow_multiple_selected = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=self.Input(), required=False, allow_empty_file=True, max_length=None, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(SeveralFiles, self).clean(each, initial) for each in data or []]


class ComposerForm(forms.Form):
    """A message, a note, a decision, a finding, a command, or files with words to them."""

    text = forms.CharField(required=False, strip=False, max_length=LONGEST_TEXT)
    kind = forms.ChoiceField(choices=SPOKEN_CHOICES, required=False, initial=TimelineEntry.Kind.MESSAGE)
    reply_to = forms.IntegerField(required=False, min_value=1)
    attachments = SeveralFiles()


class EntryForm(forms.Form):
    """Edits an entry: its text if a person wrote it, and when it happened."""

    text = forms.CharField(label=_("Text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 5}))
    occurred_at = forms.DateTimeField(
        label=_("When it happened"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"),
        help_text=_("In your time zone."),
    )
    reason = forms.CharField(
        label=_("Why"), required=False, max_length=300, help_text=_("Is kept with how it stood before.")
    )

    def __init__(self, *args: Any, entry: TimelineEntry, can_rewrite: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "entry-%s"
        self.entry = entry
        if not entry.is_written or not can_rewrite:
            del self.fields["text"]
        elif entry.kind == TimelineEntry.Kind.FILE:
            self.fields["text"].required = False

    def clean_occurred_at(self) -> Any:
        """As it stands where nobody changed it: the field shows whole seconds."""
        value = self.cleaned_data["occurred_at"]
        return self.entry.occurred_at if value == self.entry.occurred_at.replace(microsecond=0) else value


class EntryMarksForm(forms.Form):
    """Pins an entry, marks it as key, keeps it out of the postmortem: what is sent is set."""

    is_pinned = forms.NullBooleanField(required=False)
    is_key = forms.NullBooleanField(required=False)
    in_postmortem = forms.NullBooleanField(required=False)


class ReactionForm(forms.Form):
    emoji = forms.CharField(max_length=16)


class LinkForm(forms.Form):
    """An address that belongs to the incident."""

    url = forms.CharField(label=_("Address"), max_length=1000)
    title = forms.CharField(
        label=_("Title"), required=False, max_length=250, help_text=_("Without one, the page is asked for its own.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("As the address says")), *IncidentLink.Kind.choices]
    )
