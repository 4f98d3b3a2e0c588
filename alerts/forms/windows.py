"""The form of maintenance windows: when, again and again or not, and what they mute."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.forms import zone_choices
from alerts.models import AlertSource, MaintenanceWindow
from alerts.occurrences import WEEKDAYS, BadRecurrence, check_rule
from catalog.models import Service
from events.condition_forms import parsed_condition
from oncall.forms.fields import DateInput, StretchFields, WeekdaysField

FACTS = ["severity", "priority", "service", "team", "source", "title", "tags", "labels.alertname", "labels.instance"]


class Repeats(models.TextChoices):
    """How a window recurs, as far as it can be chosen without a rule."""

    ONCE = "once", _("No, once")
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")
    DAY = "day", _("Every month, on the same day")
    WEEKDAY = "weekday", _("Every month, on the same weekday")
    RULE = "rule", _("By a rule of my own")


class MaintenanceWindowForm(StretchFields):
    """A maintenance window. Its first occurrence is a stretch on the clocks of its own zone."""

    name = forms.CharField(label=_("What is done"), max_length=200, help_text=_("Such as “Database upgrade”."))
    reason = forms.CharField(label=_("Why"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("Its hours stay the same through clock changes.")
    )
    repeats = forms.ChoiceField(label=_("Again"), choices=Repeats.choices, initial=Repeats.ONCE)
    every = forms.IntegerField(
        label=_("Every so many"), min_value=1, max_value=99, initial=1, help_text=_("Days, weeks or months.")
    )
    weekdays = WeekdaysField(label=_("On"))
    repeats_until = forms.DateField(label=_("Last day"), required=False, widget=DateInput)
    rule = forms.CharField(
        label=_("Rule"),
        required=False,
        max_length=500,
        help_text=_("An RRULE, such as FREQ=MONTHLY;BYDAY=-1SU."),
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services"),
        queryset=Service.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sources = forms.ModelMultipleChoiceField(
        label=_("Alert sources"),
        queryset=AlertSource.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    combine = forms.ChoiceField(
        label=_("Matches when"),
        choices=[("all", _("all of these hold")), ("any", _("any of these holds"))],
        required=False,
    )
    conditions_json = forms.CharField(
        label=_("Conditions as JSON"), required=False, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"})
    )
    notice_minutes = forms.IntegerField(
        label=_("Tell me so many minutes before its end"),
        min_value=0,
        max_value=24 * 60,
        initial=15,
        help_text=_("0: not at all."),
    )

    def __init__(self, data: Any = None, *, zone: ZoneInfo, **kwargs: Any) -> None:
        chosen = (data or {}).get("time_zone", "")
        known = {name for name, _label in zone_choices()}
        super().__init__(data, zone=ZoneInfo(chosen) if chosen in known else zone, **kwargs)

    def clean_every(self) -> int:
        return self.cleaned_data["every"] or 1

    def clean_conditions_json(self) -> dict[str, Any] | None:
        return parsed_condition(self.cleaned_data["conditions_json"])

    def recurrence(self) -> str:
        """The rule that was chosen; nothing for once."""
        data = self.cleaned_data
        if data["repeats"] == Repeats.RULE:
            return str(data.get("rule", ""))
        first = data["starts_on"]
        nth = (first.day - 1) // 7 + 1
        kinds: dict[str, str] = {
            Repeats.ONCE: "",
            Repeats.DAILY: "FREQ=DAILY",
            Repeats.WEEKLY: "FREQ=WEEKLY;BYDAY="
            + ",".join(WEEKDAYS[day] for day in data.get("weekdays") or [first.weekday()]),
            Repeats.DAY: f"FREQ=MONTHLY;BYMONTHDAY={first.day}",
            Repeats.WEEKDAY: f"FREQ=MONTHLY;BYDAY={nth if nth < 5 else -1}{WEEKDAYS[first.weekday()]}",
        }
        rule = kinds[data["repeats"]]
        if not rule:
            return ""
        if data.get("every", 1) > 1:
            rule += f";INTERVAL={data['every']}"
        if data.get("repeats_until"):
            rule += f";UNTIL={data['repeats_until']:%Y%m%d}"
        return rule

    def timing(self) -> dict[str, Any]:
        """When it takes place, as an action takes it."""
        return {**self.stretch(), "recurrence": self.recurrence(), "time_zone": self.cleaned_data["time_zone"]}

    def window(self) -> dict[str, Any]:
        """All but the conditions and the time, as an action takes it."""
        names = ("name", "reason", "services", "sources", "notice_minutes")
        return {name: self.cleaned_data[name] for name in names}

    def conditions(self, rows: Any) -> dict[str, Any]:
        """What the rows, or the JSON in their place, ask for."""
        if self.cleaned_data["conditions_json"] is not None:
            return dict(self.cleaned_data["conditions_json"])
        comparisons = [condition for row in rows if (condition := row.condition())]
        return {self.cleaned_data["combine"] or "all": comparisons} if comparisons else {}

    @classmethod
    def initial_of(cls, window: MaintenanceWindow) -> dict[str, Any]:
        """A stored window as the form's first values."""
        zone = ZoneInfo(window.time_zone)
        names = ("name", "reason", "time_zone", "notice_minutes")
        return {
            **{name: getattr(window, name) for name in names},
            "services": list(window.services.all()),
            "sources": list(window.sources.all()),
            **cls.initial_for(window.starts_at, window.ends_at, zone),
            **cls.initial_rule(window.recurrence, window.starts_at.astimezone(zone)),
        }

    @classmethod
    def initial_rule(cls, rule: str, first: datetime) -> dict[str, Any]:
        """The choices that make this rule; one that they can't make is shown as it is written."""
        if not rule:
            return {"repeats": Repeats.ONCE}
        by_hand = {"repeats": Repeats.RULE, "rule": rule}
        try:
            parts = check_rule(rule)
        except BadRecurrence:
            return by_hand
        nth = (first.day - 1) // 7 + 1
        chosen = {
            "DAILY": (Repeats.DAILY, None),
            "WEEKLY": (Repeats.WEEKLY, None),
            "MONTHLY": (
                (Repeats.DAY, str(first.day))
                if "BYMONTHDAY" in parts
                else (Repeats.WEEKDAY, f"{nth if nth < 5 else -1}{WEEKDAYS[first.weekday()]}")
            ),
        }.get(parts["FREQ"])
        until = parts.get("UNTIL", "")
        if chosen is None or len(until) not in (0, 8):
            return by_hand
        repeats, wanted = chosen
        made = {
            "repeats": repeats,
            "every": int(parts.get("INTERVAL", "1")),
            "repeats_until": datetime.strptime(until, "%Y%m%d").date() if until else None,  # noqa: DTZ007 (a day)
        }
        allowed = {"FREQ", "INTERVAL", "UNTIL"}
        if repeats == Repeats.WEEKLY:
            days = parts.get("BYDAY", WEEKDAYS[first.weekday()]).split(",")
            allowed.add("BYDAY")
            if not set(days) <= set(WEEKDAYS):
                return by_hand
            made["weekdays"] = [WEEKDAYS.index(day) for day in days]
        elif wanted is not None:
            name = "BYMONTHDAY" if repeats == Repeats.DAY else "BYDAY"
            allowed.add(name)
            if parts.get(name) != wanted:
                return by_hand
        return made if set(parts) <= allowed else by_hand
