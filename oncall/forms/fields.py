"""Fields that the forms of on-call share."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oncall.models import Weekday
from oncall.rota import instant_of

SLUG_HELP = _("Made of the name when empty.")
MONDAY_AT_NINE = ((0, time(9)),)


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A wall-clock time of whatever zone the view has in mind, as browsers write it; the view makes it an instant."""

    widget = MomentInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        # A time that Django's own zone skips may well exist in the zone that is meant.
        with timezone.override(UTC):
            return super().to_python(value)


class OverrideReasonMixin(forms.Form):
    """A form whose save may break a paging test; it asks for a reason only once it was refused for that."""

    override_reason = forms.CharField(label=_("Save it all the same, because"), max_length=500, required=False)

    @property
    def asks_reason(self) -> bool:
        return bool(self["override_reason"].errors or self["override_reason"].value())


class HandoversWidget(forms.Widget):
    """Pairs of a weekday and a time, one below the other, and one spare; without a time a pair is none."""

    template_name = "oncall/widgets/handovers.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        if not hasattr(data, "getlist"):
            return list(data.get(name, []))
        return list(zip(data.getlist(f"{name}_weekday"), data.getlist(f"{name}_time"), strict=False))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None, index: int | str | None = None) -> str:
        return ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        pairs = [(str(weekday or 0), f"{at:%H:%M}" if isinstance(at, time) else at) for weekday, at in value or []]
        context["widget"].update(
            pairs=[*pairs, ("4", "")], weekdays=[(str(key), words) for key, words in Weekday.choices]
        )
        return context


class HandoversField(forms.Field):
    """Handovers as (weekday, time), in the order in which they were written."""

    widget = HandoversWidget

    def clean(self, value: Any) -> list[tuple[int, time]]:
        found = []
        for weekday, at in value or []:
            if at:
                found.append(
                    (int(forms.IntegerField(max_value=6, min_value=0).clean(weekday)), forms.TimeField().clean(at))
                )
        if not found and self.required:
            raise forms.ValidationError(_("Give at least one time."))
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        # A row that somebody only looked at stays spare: its other fields tell whether it is meant.
        return False


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Some weekdays as numbers; Monday is 0."""

    def __init__(self, **kwargs: Any) -> None:
        choices = Weekday.choices
        super().__init__(choices=choices, coerce=int, widget=forms.CheckboxSelectMultiple, required=False, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed([str(each) for each in initial or []], data)


class StretchFields(forms.Form):
    """From when until when, in wall-clock times of a zone: `starts_at` and `ends_at` (UTC) when they make sense."""

    starts_on = forms.DateField(label=_("From"), widget=DateInput)
    starts_time = forms.TimeField(label=_("at"), widget=TimeInput)
    ends_on = forms.DateField(label=_("Until"), widget=DateInput)
    ends_time = forms.TimeField(label=_("at"), widget=TimeInput)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for edge in ("starts", "ends"):
            if {f"{edge}_on", f"{edge}_time"} <= given.keys():
                given[f"{edge}_at"] = instant_of(given[f"{edge}_on"], given[f"{edge}_time"], self.zone)
        if {"starts_at", "ends_at"} <= given.keys() and given["ends_at"] <= given["starts_at"]:
            self.add_error("ends_on", _("The end must come after the start."))
        return given

    def stretch(self) -> dict[str, Any]:
        """The two instants as an action takes them."""
        return {name: self.cleaned_data[name] for name in ("starts_at", "ends_at")}

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
