"""The forms of the configuration: one made from each kind's fields, and rows of conditions beside that of a rule."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.condition_forms import ConditionFormSet, condition_rows, parsed_condition
from incidents.announcements import MOMENTS
from incidents.configurable import Kind

MINUTE = timedelta(minutes=1)
MOMENT_LABELS = {
    "declared": _("It is declared, or accepted from triage"),
    "severity_changed": _("Its severity changes"),
    "status_changed": _("Its status changes"),
    "updated": _("An update is posted"),
    "resolved": _("It is resolved"),
}


class MinutesField(forms.IntegerField):
    """A length of time, typed in minutes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=60 * 24 * 90, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return int(value / MINUTE) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> Any:
        minutes = super().clean(value)
        return None if minutes is None else minutes * MINUTE


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 4}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


LABELS: Mapping[str, Any] = {
    "slug": _("Name in the API"),
    "rank": _("Rank"),
    "response": _("Response"),
    "acknowledge_target": _("Acknowledged within (minutes)"),
    "resolve_target": _("Resolved within (minutes)"),
    "update_interval": _("An update every (minutes)"),
    "pages": _("Pages people"),
    "requires_postmortem": _("Requires a postmortem"),
    "first_minutes": _("First-five-minutes checklist"),
    "is_default": _("The usual type"),
    "private_by_default": _("Private unless somebody opens it"),
    "severities": _("Severities allowed"),
    "roles": _("Roles offered"),
    "required_for": _("Required for"),
    "qualification": _("Qualification"),
    "options": _("Options, one a line"),
    "required_at": _("Required"),
    "types": _("Types that have it"),
    "done_by": _("Done when"),
    "locale": _("Language"),
    "moments": _("Tells when"),
    "users": _("People"),
    "teams": _("Teams"),
    "emails": _("Mail addresses of others, one a line"),
    "place": _("A chat or webhook is called"),
    "address": _("Its address"),
}
# Where a row stands is said on the list, what a rule asks for in rows of its own.
ELSEWHERE = {"position", "conditions"}


def fields_of(kind: Kind, row: models.Model | None) -> dict[str, forms.Field]:
    """The form's fields for a kind; the slug only while the row is new."""
    made = {}
    for name in kind.fields:
        if name in ELSEWHERE or (name == "slug" and row is not None):
            continue
        made[name] = _field_of(kind, name)
    return made


def _field_of(kind: Kind, name: str) -> forms.Field:
    stored: Any = kind.model._meta.get_field(name)
    more = {"label": LABELS.get(name, str(stored.verbose_name).capitalize()), "help_text": stored.help_text}
    if name in SPECIAL:
        return SPECIAL[name](stored, more)
    if isinstance(stored, models.DurationField):
        return MinutesField(required=False, **more)
    if stored.many_to_many:
        return _many(stored, more)
    if isinstance(stored, models.TextField):
        return forms.CharField(required=not stored.blank, widget=forms.Textarea(attrs={"rows": 3}), **more)
    return stored.formfield(**more)  # type: ignore[no-any-return]  # each of these has one


def _lines(stored: Any, more: dict[str, Any]) -> forms.Field:
    return LinesField(required=False, **more)


def _moments(stored: Any, more: dict[str, Any]) -> forms.Field:
    moments = [(moment, MOMENT_LABELS[moment]) for moment in MOMENTS]
    return forms.MultipleChoiceField(choices=moments, widget=forms.CheckboxSelectMultiple, **more)


def _locale(stored: Any, more: dict[str, Any]) -> forms.Field:
    return forms.ChoiceField(choices=settings.LANGUAGES, **more)


def _address(stored: Any, more: dict[str, Any]) -> forms.Field:
    more["help_text"] = _("Such as slack://… or https://…. It is never shown again; left empty it stays as it was.")
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(required=False, max_length=1000, widget=widget, **more)


def _slug(stored: Any, more: dict[str, Any]) -> forms.Field:
    more["help_text"] = _("Letters, digits, hyphens; made of the name unless you say. It never changes.")
    return forms.SlugField(required=False, max_length=stored.max_length, **more)


SPECIAL: Mapping[str, Callable[[Any, dict[str, Any]], forms.Field]] = {
    "options": _lines,
    "emails": _lines,
    "moments": _moments,
    "locale": _locale,
    "address": _address,
    "slug": _slug,
}


def _many(stored: Any, more: dict[str, Any]) -> forms.Field:
    rows = stored.related_model._default_manager.all()
    if stored.related_model is User:
        rows = rows.filter(is_active=True)
    return forms.ModelMultipleChoiceField(rows, required=False, widget=forms.CheckboxSelectMultiple, **more)


class CombineForm(forms.Form):
    """How a rule's conditions are taken together; those too deep for rows are edited as JSON."""

    combine = forms.ChoiceField(
        label=_("Tells of an incident when"),
        choices=[("all", _("all of these hold")), ("any", _("any of these holds"))],
        required=False,
    )
    conditions_json = forms.CharField(
        label=_("Conditions as JSON"), required=False, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"})
    )

    def clean_conditions_json(self) -> dict[str, Any] | None:
        return parsed_condition(self.cleaned_data["conditions_json"])


class ConfiguredForms:
    """Everything that somebody fills in about one row, new or stored."""

    def __init__(self, kind: Kind, data: QueryDict | None, row: Any | None) -> None:
        self.kind, self.row = kind, row
        fields = fields_of(kind, row)
        self.form = type("ConfiguredForm", (forms.Form,), dict(fields))(data, initial=_initial(row, fields))
        self.has_conditions = "conditions" in kind.fields
        shown = condition_rows(row.conditions if row is not None else {}) if self.has_conditions else None
        combined: dict[str, Any] = {}
        if self.has_conditions and shown is None and row is not None:
            combined = {"conditions_json": forms.JSONField().prepare_value(row.conditions)}
        elif shown is not None:
            combined = {"combine": shown[0]}
        self.combine = CombineForm(data if self.has_conditions else None, initial=combined)
        begins = shown[1] if shown is not None and data is None else None
        self.conditions = ConditionFormSet(data if self.has_conditions else None, initial=begins, prefix="conditions")

    def is_valid(self) -> bool:
        """Whether each field and row makes sense by itself."""
        if not self.has_conditions:
            return bool(self.form.is_valid())
        return all([self.form.is_valid(), self.combine.is_valid(), self.conditions.is_valid()])

    def values(self) -> dict[str, Any]:
        """What they say, as `save_configured` takes it."""
        values = dict(self.form.cleaned_data)
        if "address" in values and not values["address"]:
            del values["address"]
            if not values["place"]:
                values["address"] = ""
        if self.has_conditions:
            values["conditions"] = self._conditions()
        return values

    def _conditions(self) -> dict[str, Any]:
        if self.combine.cleaned_data["conditions_json"] is not None:
            return dict(self.combine.cleaned_data["conditions_json"])
        comparisons = [condition for row in self.conditions if (condition := row.condition())]
        return {self.combine.cleaned_data["combine"] or "all": comparisons} if comparisons else {}


def _initial(row: Any | None, fields: Mapping[str, forms.Field]) -> dict[str, Any]:
    """The first values of the form; an address is a secret, and never shown."""
    if row is None:
        return {}
    initial = {}
    for name in fields:
        if name == "address":
            continue
        if row._meta.get_field(name).many_to_many:
            initial[name] = list(getattr(row, name).values_list("pk", flat=True))
        elif row._meta.get_field(name).is_relation:
            initial[name] = getattr(row, f"{name}_id")
        else:
            initial[name] = getattr(row, name)
    return initial
