"""Filters made from the custom fields of the site: `?field.<slug>=`, on screen and in the API."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import IContains
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.lists import ListFilter
from incidents.forms.fields import choices_of
from incidents.models import CustomField, Incident

PREFIX = "field."
Kind = CustomField.Kind


class CustomFieldFilters(ListFilter):
    """A FilterSet of incidents that has a filter for each custom field too.

    Options, services, teams, people, numbers and dates are found by their exact value through the index; several of one
    field find incidents with any of them. Texts and links are found by a part of them. What is archived is no longer
    offered and can still be asked for.
    """

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: Any = None) -> None:
        super().__init__(data, queryset, request=request, prefix=prefix)
        asked = {key.removeprefix(PREFIX) for key in data or () if key.startswith(PREFIX)}
        # The API shows no menus: it needs no filter that nobody asks for.
        if not asked and isinstance(request, Request):
            return
        offered = Q(slug__in=asked) if isinstance(request, Request) else Q(slug__in=asked) | Q(is_active=True)
        for field in CustomField.objects.filter(offered):
            made = _filter_of(field, data or {})
            made.parent, made.model = self, Incident
            self.filters[f"{PREFIX}{field.slug}"] = made
        unknown = [slug for slug in asked if f"{PREFIX}{slug}" not in self.filters]
        if unknown and isinstance(request, Request):
            # A page keeps to the filters that it knows; a program would take all incidents for those that it asked for.
            raise ValidationError({f"{PREFIX}{slug}": [f"There is no custom field “{slug}”."] for slug in unknown})


def _filter_of(field: CustomField, data: Mapping[str, Any]) -> Any:
    more = {"field_name": "fields", "label": field.name}
    if field.kind in (Kind.TEXT, Kind.LINK):
        return django_filters.CharFilter(method=partial(_with_part, field.slug), **more)
    if field.kind == Kind.NUMBER:
        return django_filters.NumberFilter(method=partial(_with_number, field.slug), **more)
    if field.kind == Kind.DATE:
        widget = forms.DateInput(attrs={"type": "date"})
        return django_filters.DateFilter(method=partial(_with_date, field.slug), widget=widget, **more)
    choices = choices_of(field)
    known = {value for value, _label in choices}
    getlist = getattr(data, "getlist", lambda name: [data[name]] if name in data else [])
    choices += [(value, value) for value in getlist(f"{PREFIX}{field.slug}") if value not in known]
    return django_filters.MultipleChoiceFilter(
        choices=choices, method=partial(_with_any, field.slug, field.kind), **more
    )


def _with_part(slug: str, queryset: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
    return queryset.filter(IContains(KeyTextTransform(slug, "fields"), value))


def _with_number(slug: str, queryset: QuerySet[Incident], name: str, value: Decimal) -> QuerySet[Incident]:
    number = int(value) if value == value.to_integral_value() else float(value)
    return queryset.filter(fields__contains={slug: number})


def _with_date(slug: str, queryset: QuerySet[Incident], name: str, value: Any) -> QuerySet[Incident]:
    return queryset.filter(fields__contains={slug: value.isoformat()})


def _with_any(slug: str, kind: str, queryset: QuerySet[Incident], name: str, values: list[str]) -> QuerySet[Incident]:
    found = Q()
    for value in values:
        if kind == Kind.MULTI_SELECT:
            found |= Q(fields__contains={slug: [value]})
        elif kind == Kind.PERSON:
            found |= Q(fields__contains={slug: int(value) if value.isdecimal() else value})
        else:
            found |= Q(fields__contains={slug: value})
    return queryset.filter(found)
