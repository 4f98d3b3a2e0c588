"""How incidents can be filtered, on screen and in the API."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field

from accounts.lists import ChoiceFilter, KeyFilter, ListFilter, beginning_words
from accounts.models import Team, User
from catalog.models import Service
from incidents.field_filters import CustomFieldFilters
from incidents.models import (
    OPEN_CATEGORIES,
    Incident,
    IncidentRole,
    IncidentService,
    IncidentStatus,
    IncidentType,
    RoleAssignment,
    Severity,
    StatusCategory,
    UpdateTemplate,
)
from incidents.words import incident_words


@extend_schema_field({"type": "boolean"})
class SwitchFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """A box to tick: unticked it asks for nothing."""

    field_class = forms.BooleanField


class InstantFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]  # django-filter ships no types
    """An instant in ISO 8601, chosen on screen in the zone of whoever looks."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)


class IncidentFilter(CustomFieldFilters):
    """`?q=` finds incidents in whose name or summary each of the words begins a word, by an index, or INC-142."""

    search_fields = ("name", "summary")

    severity = KeyFilter(path="severity", queryset=Severity.objects.all(), label=_("Severity"))
    status = KeyFilter(path="status", queryset=IncidentStatus.objects.all(), label=_("Status"))
    incident_type = KeyFilter(path="incident_type", queryset=IncidentType.objects.all(), label=_("Type"))
    category = ChoiceFilter(method="in_category", choices=StatusCategory.choices, label=_("Category"))
    service = django_filters.ModelMultipleChoiceFilter(
        queryset=Service.objects.order_by("name"), method="with_service", to_field_name="slug", label=_("Service")
    )
    team = django_filters.ModelMultipleChoiceFilter(
        queryset=Team.objects.order_by("name"), method="with_team", to_field_name="slug", label=_("Team")
    )
    lead = django_filters.ModelChoiceFilter(
        queryset=User.objects.filter(is_active=True), method="with_lead", label=_("Lead")
    )
    person = django_filters.ModelChoiceFilter(
        queryset=User.objects.filter(is_active=True), method="with_person", label=_("Has a role")
    )
    role = django_filters.ModelChoiceFilter(
        queryset=IncidentRole.objects.all(), method="with_role", to_field_name="slug", label=_("Role given")
    )
    declared_by = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Declared by"))
    mode = ChoiceFilter(choices=Incident.Mode.choices, label=_("Mode"))
    visibility = django_filters.ChoiceFilter(choices=Incident.Visibility.choices, label=_("Visibility"))
    open = django_filters.BooleanFilter(method="only_open", label=_("Open"))
    declared_after = InstantFilter(field_name="declared_at", lookup_expr="gte", label=_("Declared after"))
    declared_before = InstantFilter(field_name="declared_at", lookup_expr="lt", label=_("Declared before"))

    resolved_after = InstantFilter(field_name="resolved_at", lookup_expr="gte", label=_("Resolved after"))
    resolved_before = InstantFilter(field_name="resolved_at", lookup_expr="lt", label=_("Resolved before"))
    overdue = SwitchFilter(method="with_update_overdue", label=_("Update overdue"))

    class Meta:
        model = Incident
        fields: list[str] = []

    def search(self, queryset: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        number = value.upper().removeprefix("INC-").strip()
        if number.isdecimal() and len(number) < 10:
            return queryset.filter(number=int(number))
        asked = beginning_words(value.split())
        if asked is None:
            return queryset
        return queryset.alias(words=incident_words()).filter(words=asked)

    def in_category(self, queryset: QuerySet[Incident], name: str, value: list[str]) -> QuerySet[Incident]:
        return queryset.filter(status__in=statuses_in(value)) if value else queryset

    def only_open(self, queryset: QuerySet[Incident], name: str, value: bool) -> QuerySet[Incident]:
        open_ones = {"status__in": statuses_in(OPEN_CATEGORIES)}
        if not value:
            return queryset.exclude(**open_ones)
        return queryset.filter(resolved_at=None, closed_at=None, **open_ones)

    def with_service(self, queryset: QuerySet[Incident], name: str, value: QuerySet[Service]) -> QuerySet[Incident]:
        if not value:
            return queryset
        affected = IncidentService.objects.filter(service__in=[each.pk for each in value])
        return queryset.filter(pk__in=affected.values("incident_id"))

    def with_team(self, queryset: QuerySet[Incident], name: str, value: QuerySet[Team]) -> QuerySet[Incident]:
        if not value:
            return queryset
        affected = IncidentService.objects.filter(service__team__in=[each.pk for each in value])
        return queryset.filter(pk__in=affected.values("incident_id"))

    def with_lead(self, queryset: QuerySet[Incident], name: str, value: User) -> QuerySet[Incident]:
        return queryset.filter(pk__in=_given(user=value, role__slug="lead"))

    def with_person(self, queryset: QuerySet[Incident], name: str, value: User) -> QuerySet[Incident]:
        return queryset.filter(pk__in=_given(user=value))

    def with_role(self, queryset: QuerySet[Incident], name: str, value: IncidentRole) -> QuerySet[Incident]:
        return queryset.filter(pk__in=_given(role=value))

    def with_update_overdue(self, queryset: QuerySet[Incident], name: str, value: bool) -> QuerySet[Incident]:
        if not value:
            return queryset
        return queryset.filter(next_update_due_at__lt=timezone.now(), paused_at=None)


def _given(**role: object) -> QuerySet[RoleAssignment, Any]:
    """The incidents in which somebody has a role now."""
    return RoleAssignment.objects.filter(ended_at=None, **role).values("incident_id")


class ConfiguredFilter(ListFilter):
    """Rows of what is configured: by name, and whether they are in use."""

    search_fields = ("name", "slug", "description")

    is_active = django_filters.BooleanFilter(label=_("In use"))


class QualificationFilter(ListFilter):
    search_fields = ("name", "slug", "description")


class ChecklistFilter(ListFilter):
    search_fields = ("title", "slug")

    is_active = django_filters.BooleanFilter(label=_("In use"))


class UpdateTemplateFilter(ListFilter):
    search_fields = ("text",)

    moment = django_filters.ChoiceFilter(choices=UpdateTemplate.Moment.choices, label=_("Moment"))
    locale = django_filters.CharFilter(label=_("Language"))


class AnnouncementRuleFilter(ListFilter):
    search_fields = ("name", "place")

    is_enabled = django_filters.BooleanFilter(label=_("Switched on"))


def statuses_in(categories: Iterable[str]) -> list[int]:
    """The ids of these categories' statuses: told what they are, the database knows how many rows to expect."""
    return list(IncidentStatus.objects.filter(category__in=list(categories)).values_list("pk", flat=True))
