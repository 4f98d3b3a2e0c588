"""Form fields made from custom fields: to fill in, and to filter by."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from catalog.models import Service
from incidents.fields import LONGEST_VALUE, name_in_forms
from incidents.models import CustomField

Kind = CustomField.Kind
Choices = list[tuple[str, Any]]


def choices_of(field: CustomField) -> Choices:
    """What can be chosen where a field is one of a list; empty where it is typed."""
    if field.kind in (Kind.SELECT, Kind.MULTI_SELECT):
        return [(str(option), str(option)) for option in field.options]
    if field.kind == Kind.SERVICE:
        return list(Service.objects.order_by("name").values_list("slug", "name"))
    if field.kind == Kind.TEAM:
        return list(Team.objects.order_by("name").values_list("slug", "name"))
    if field.kind == Kind.PERSON:
        return [(str(user.pk), user.display_name) for user in User.objects.filter(is_active=True)]
    return []


def form_field(field: CustomField, value: Any = None) -> forms.Field:
    """The form field that a custom field is filled in with; what it accepts is checked again by the action.

    A value that can no longer be chosen is offered along with the others, so that saving the form loses nothing.
    """
    made = _form_field(field, value)
    # The action asks for it, at the right moment; the form only does not call it optional.
    made.widget.is_required = field.required_at == CustomField.RequiredAt.DECLARE
    return made


def _form_field(field: CustomField, value: Any) -> forms.Field:
    asked: dict[str, Any] = {"label": field.name, "help_text": field.description, "required": False}
    choices = choices_of(field)
    known = {key for key, _label in choices}
    for each in value if isinstance(value, list) else [value]:
        if choices and each not in (None, "") and str(each) not in known:
            choices.append((str(each), _("%(value)s (no longer offered)") % {"value": each}))
    if field.kind == Kind.MULTI_SELECT:
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **asked)
    if field.kind in (Kind.SELECT, Kind.SERVICE, Kind.TEAM, Kind.PERSON):
        return forms.ChoiceField(choices=[("", "–"), *choices], **asked)
    if field.kind == Kind.NUMBER:
        return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **asked)
    if field.kind == Kind.DATE:
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **asked)
    if field.kind == Kind.LINK:
        return forms.URLField(assume_scheme="https", max_length=LONGEST_VALUE, **asked)
    return forms.CharField(max_length=LONGEST_VALUE, **asked)


def form_fields(fields: Iterable[CustomField], values: Mapping[str, Any] | None = None) -> dict[str, forms.Field]:
    """The form fields of these custom fields, by the names that errors give them too."""
    known = values or {}
    return {name_in_forms(field.slug): form_field(field, known.get(field.slug)) for field in fields}


def values_in(fields: Iterable[CustomField], data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of custom fields in a form's cleaned data, by slug."""
    return {field.slug: data[name_in_forms(field.slug)] for field in fields if name_in_forms(field.slug) in data}


class FieldsForm(forms.Form):
    """All custom fields of an incident."""

    def __init__(self, data: Any = None, *, fields: Iterable[CustomField], values: Mapping[str, Any]) -> None:
        asked = list(fields)
        initial = {name_in_forms(field.slug): values.get(field.slug) for field in asked}
        super().__init__(data, initial=initial, auto_id="fields-%s")
        self.asked = asked
        self.fields.update(form_fields(asked, values))

    @property
    def values(self) -> dict[str, Any]:
        """What was filled in, by slug."""
        return values_in(self.asked, self.cleaned_data)
