"""The forms of sources."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from alerts.actions import LONGEST_KEPT_DAYS
from alerts.dialects import DIALECTS
from alerts.models.sources import KEPT_DAYS


class SourceForm(forms.Form):
    """A place where alerts enter."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(
        label=_("Short name"), max_length=100, required=False, help_text=_("Used in conditions and the API.")
    )
    dialect = forms.ChoiceField(
        label=_("Who sends?"), choices=lambda: [(name, dialect.label) for name, dialect in DIALECTS.items()]
    )
    signing_secret = forms.CharField(
        label=_("Signing secret"),
        required=False,
        help_text=_("For senders that sign: what is not signed with it is refused. Empty: the token is enough."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"), required=False, empty_label=_("– none –"))
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    kept_days = forms.IntegerField(
        label=_("Days for which what it sent is kept"),
        min_value=1,
        max_value=LONGEST_KEPT_DAYS,
        initial=KEPT_DAYS,
        help_text=_("As it was sent, to look at and to try routes with. Alerts themselves stay."),
    )
    is_enabled = forms.BooleanField(label=_("Accepts alerts"), required=False, initial=True)
