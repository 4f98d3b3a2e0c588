"""The form of a heartbeat."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from alerts.models import AlertSource
from catalog.models import Service

UNITS = {"1": _("seconds"), "60": _("minutes"), "3600": _("hours"), "86400": _("days")}


class LengthWidget(forms.MultiWidget):
    """A number and its unit, largest unit first that leaves nothing over."""

    def __init__(self, label: Any) -> None:
        number = forms.NumberInput(attrs={"min": 0, "aria-label": label, "inputmode": "numeric"})
        super().__init__([number, forms.Select(attrs={"aria-label": _("Unit")}, choices=list(UNITS.items()))])

    def decompress(self, value: int | None) -> list[Any]:
        if value is None:
            return [None, "60"]
        unit = next(unit for unit in reversed(UNITS) if value % int(unit) == 0)
        return [value // int(unit), unit] if value else [0, "60"]


class LengthField(forms.MultiValueField):
    """A length of time in seconds, given in a unit of choice."""

    def __init__(self, *, label: Any, **kwargs: Any) -> None:
        fields = (forms.IntegerField(min_value=0, max_value=10**9), forms.ChoiceField(choices=list(UNITS.items())))
        super().__init__(fields, label=label, widget=LengthWidget(label), **kwargs)

    def compress(self, data_list: list[Any]) -> int | None:
        return data_list[0] * int(data_list[1]) if data_list else None


class HeartbeatForm(forms.Form):
    """What must be heard of, how often, and what it is called when it is not."""

    name = forms.CharField(label=_("Name"), max_length=200)
    interval_seconds = LengthField(label=_("Heard of every"), initial=300)
    grace_seconds = LengthField(label=_("Late after a grace of"), initial=60)
    service = forms.ModelChoiceField(
        Service.objects.order_by("name"), label=_("Service"), required=False, empty_label=_("– none –")
    )
    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"), required=False, empty_label=_("– none –"))
    severity = forms.CharField(
        label=_("Severity"),
        max_length=60,
        required=False,
        initial="critical",
        help_text=_("What routes can ask about."),
    )
    message = forms.CharField(
        label=_("Title of its alert"),
        max_length=300,
        required=False,
        help_text=_("Empty: its name, and that it is not heard of."),
    )
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("Separated by commas."))
    description = forms.CharField(
        label=_("Description"),
        required=False,
        help_text=_("Stands in the alert: what to do when it is late."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    source = forms.ModelChoiceField(
        AlertSource.objects.order_by("name"),
        label=_("Alerts belong to"),
        required=False,
        empty_label=_("The source of heartbeats"),
    )
    is_enabled = forms.BooleanField(label=_("Waited for"), required=False, initial=True)

    def clean_tags(self) -> list[str]:
        return [tag for tag in (part.strip() for part in self.cleaned_data["tags"].split(",")) if tag]
