"""Filters of postmortems and action items, for the pages and the API alike."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor, actor_of
from accounts.authentication import api_actor
from accounts.lists import ListFilter, SlugFilter
from accounts.models import User
from catalog.models import Service
from incidents.models import Severity
from postmortems.models import ActionItem, Postmortem


class PostmortemFilter(ListFilter):
    """Postmortems by status, severity, service, author and incident; `q` also looks into the sections."""

    search_fields = ("title", "incident__name", "sections__text")

    status = django_filters.MultipleChoiceFilter(choices=Postmortem.Status.choices, label=_("Status"))
    severity = SlugFilter(path="incident__severity", queryset=Severity.objects.all(), label=_("Severity"))
    service = SlugFilter(path="incident__services", queryset=Service.objects.order_by("name"), label=_("Service"))
    author = django_filters.ModelMultipleChoiceFilter(
        field_name="authors", queryset=User.objects.filter(is_active=True), label=_("Author")
    )
    incident = django_filters.NumberFilter(field_name="incident__number", label=_("Incident"))

    class Meta:
        model = Postmortem
        fields: list[str] = []

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return super().search(queryset, name, value).distinct()


class ActionItemFilter(ListFilter):
    """Action items by status, priority, owner and incident; mine; open; overdue today in the viewer's zone."""

    search_fields = ("title", "description", "incident__name")

    mine = django_filters.BooleanFilter(method="only_mine", label=_("Mine"))
    overdue = django_filters.BooleanFilter(method="only_overdue", label=_("Overdue"))
    open = django_filters.BooleanFilter(method="only_open", label=_("Open"))
    status = django_filters.MultipleChoiceFilter(choices=ActionItem.Status.choices, label=_("Status"))
    priority = django_filters.MultipleChoiceFilter(choices=ActionItem.Priority.choices, label=_("Priority"))
    owner = django_filters.ModelMultipleChoiceFilter(queryset=User.objects.filter(is_active=True), label=_("Owner"))
    incident = django_filters.NumberFilter(field_name="incident__number", label=_("Incident"))

    class Meta:
        model = ActionItem
        fields: list[str] = []

    @property
    def actor(self) -> Actor:
        return api_actor(self.request) if hasattr(self.request, "auth") else actor_of(self.request)

    def only_mine(self, queryset: QuerySet[ActionItem], name: str, value: bool) -> QuerySet[ActionItem]:
        matching = queryset.filter if value else queryset.exclude
        return matching(owner_id=self.actor.user_id)

    def only_overdue(self, queryset: QuerySet[ActionItem], name: str, value: bool) -> QuerySet[ActionItem]:
        overdue = ActionItem.objects.overdue(timezone.localdate())
        return queryset.filter(pk__in=overdue) if value else queryset.exclude(pk__in=overdue)

    def only_open(self, queryset: QuerySet[ActionItem], name: str, value: bool) -> QuerySet[ActionItem]:
        return (
            queryset.filter(pk__in=ActionItem.objects.open())
            if value
            else queryset.exclude(pk__in=ActionItem.objects.open())
        )
