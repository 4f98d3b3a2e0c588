"""How incidents can be filtered, on screen and in the API."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import User
from catalog.models import Service
from incidents.models import OPEN_CATEGORIES, Incident, IncidentStatus, IncidentType, Severity


class IncidentFilter(ListFilter):
    """Filters of the list of incidents; `q` also finds a reference such as INC-142."""

    search_fields = ("name", "summary")

    severity = SlugFilter(path="severity", queryset=Severity.objects.all(), label=_("Severity"))
    status = SlugFilter(path="status", queryset=IncidentStatus.objects.all(), label=_("Status"))
    incident_type = SlugFilter(path="incident_type", queryset=IncidentType.objects.all(), label=_("Type"))
    service = SlugFilter(path="services", queryset=Service.objects.order_by("name"), label=_("Service"))
    lead = django_filters.ModelChoiceFilter(
        queryset=User.objects.filter(is_active=True), method="with_lead", label=_("Lead")
    )
    mode = django_filters.MultipleChoiceFilter(choices=Incident.Mode.choices, label=_("Mode"))
    visibility = django_filters.ChoiceFilter(choices=Incident.Visibility.choices, label=_("Visibility"))
    open = django_filters.BooleanFilter(method="only_open", label=_("Open"))
    declared_after = django_filters.IsoDateTimeFilter(
        field_name="declared_at", lookup_expr="gte", label=_("Declared after")
    )
    declared_before = django_filters.IsoDateTimeFilter(
        field_name="declared_at", lookup_expr="lt", label=_("Declared before")
    )

    class Meta:
        model = Incident
        fields: list[str] = []

    def search(self, queryset: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        number = value.upper().removeprefix("INC-").strip()
        if number.isdecimal() and len(number) < 10:
            return queryset.filter(number=int(number))
        return super().search(queryset, name, value)

    def only_open(self, queryset: QuerySet[Incident], name: str, value: bool) -> QuerySet[Incident]:
        matching = queryset.filter if value else queryset.exclude
        return matching(status__category__in=OPEN_CATEGORIES)

    def with_lead(self, queryset: QuerySet[Incident], name: str, value: User) -> QuerySet[Incident]:
        return queryset.filter(
            role_assignments__role__slug="lead", role_assignments__user=value, role_assignments__ended_at=None
        )
