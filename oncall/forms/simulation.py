"""What people fill in to travel in time, and to write a paging test."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django import forms
from django.utils.translation import gettext_lazy as _

from oncall.forms.fields import MomentField
from oncall.models import EscalationPolicy, PagingTest, Urgency
from oncall.rota import instant_of

# The slider moves within a week, in quarters of an hour.
SLIDER_MINUTES = 7 * 24 * 60
SLIDER_STEP_MINUTES = 15
MOST_FACTS = 20
EXAMPLE = """policy: production-critical
at: Sunday 03:00 Europe/Berlin
urgency: high
expect:
  - pages: ana@example.com
    within: 5 minutes
    by: voice
"""
# A test begins with what it is about.
WRITTEN_LATER = ["at", "urgency", "facts", "expect"]


class RangeInput(forms.NumberInput):
    input_type = "range"


class SimulationForm(forms.Form):
    """Which policy, at which wall-clock time of a zone, how urgent, and what happened: a fact a line."""

    policy = forms.ModelChoiceField(
        label=_("Escalation policy"), queryset=EscalationPolicy.objects.all(), to_field_name="slug", empty_label=None
    )
    at = MomentField(label=_("At"))
    later = forms.IntegerField(
        label=_("and so much later"),
        min_value=0,
        max_value=SLIDER_MINUTES,
        widget=RangeInput(attrs={"step": SLIDER_STEP_MINUTES}),
    )
    urgency = forms.ChoiceField(label=_("Urgency"), choices=Urgency.choices)
    facts = forms.CharField(
        label=_("What happened"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A fact a line, for the conditions: severity=critical"),
    )

    def clean_facts(self) -> dict[str, str]:
        facts = {}
        for line in self.cleaned_data["facts"].splitlines()[:MOST_FACTS]:
            name, sign, value = line.partition("=")
            if line.strip() and not sign:
                raise forms.ValidationError(_("Write name=value on each line."))
            if sign:
                facts[name.strip()] = value.strip()
        return facts

    def moment(self, zone: ZoneInfo) -> datetime:
        """The instant that is asked for (UTC): the wall-clock time, and what the slider adds."""
        at: datetime = self.cleaned_data["at"]
        later = timedelta(minutes=self.cleaned_data["later"])
        return instant_of(at.date(), at.time().replace(tzinfo=None), zone) + later


class PagingTestForm(forms.Form):
    """A stored paging test; its promise is written as in a paging tests file."""

    name = forms.CharField(label=_("Name"), max_length=200)
    spec = forms.CharField(
        label=_("Promise"),
        widget=forms.Textarea(attrs={"rows": 12, "class": "mono", "spellcheck": "false"}),
        initial=EXAMPLE,
    )
    is_active = forms.BooleanField(label=_("No save may break it"), required=False, initial=True)

    def clean_spec(self) -> Any:
        try:
            return yaml.safe_load(self.cleaned_data["spec"])
        except yaml.YAMLError as error:
            raise forms.ValidationError(_("This is not YAML: %(error)s") % {"error": error}) from error

    @staticmethod
    def initial_of(test: PagingTest) -> dict[str, Any]:
        """A stored test as the form's first values."""
        # As the example has it: the database does not keep the order of names.
        order = sorted(test.spec, key=lambda name: WRITTEN_LATER.index(name) + 1 if name in WRITTEN_LATER else 0)
        spec = yaml.safe_dump({name: test.spec[name] for name in order}, sort_keys=False, allow_unicode=True)
        return {"name": test.name, "spec": spec, "is_active": test.is_active}
