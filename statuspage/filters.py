"""Filters of status page lists, for the pages and the API alike."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.actor import actor_of
from accounts.authentication import api_actor
from accounts.lists import ListFilter
from incidents.models import Incident
from statuspage.models import Component, ComponentStatus, PublicIncident, StatusPage


class StatusPageFilter(ListFilter):
    """Status pages by name."""

    search_fields = ("name", "slug")

    class Meta:
        model = StatusPage
        fields: list[str] = []


class ComponentFilter(ListFilter):
    """Components by page and status."""

    search_fields = ("name", "description")

    page = django_filters.ModelChoiceFilter(queryset=StatusPage.objects.all(), label=_("Page"))
    status = django_filters.MultipleChoiceFilter(choices=ComponentStatus.choices, label=_("Status"))

    class Meta:
        model = Component
        fields: list[str] = []


class PublicIncidentFilter(ListFilter):
    """Public incidents by page, status, impact, component, and by the number of an incident that the viewer may see."""

    search_fields = ("name",)

    page = django_filters.ModelChoiceFilter(queryset=StatusPage.objects.all(), label=_("Page"))
    status = django_filters.MultipleChoiceFilter(choices=PublicIncident.Status.choices, label=_("Status"))
    impact = django_filters.MultipleChoiceFilter(choices=PublicIncident.Impact.choices, label=_("Impact"))
    component = django_filters.ModelChoiceFilter(
        field_name="components", queryset=Component.objects.all(), label=_("Component")
    )
    incident = django_filters.NumberFilter(method="of_incident", label=_("Incident"))

    class Meta:
        model = PublicIncident
        fields: list[str] = []

    def of_incident(self, queryset: QuerySet[PublicIncident], name: str, value: int) -> QuerySet[PublicIncident]:
        """Those of the internal incident; none for one that the viewer may not see, as if it did not exist."""
        actor = api_actor(self.request) if hasattr(self.request, "auth") else actor_of(self.request)
        return queryset.filter(incident__in=Incident.objects.visible_to(actor).filter(number=value))
