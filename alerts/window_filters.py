"""How maintenance windows can be filtered, on screen and in the API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from alerts.models import AlertSource, MaintenanceWindow
from catalog.models import Service

State = MaintenanceWindow.State
Windows = QuerySet[MaintenanceWindow]


class MaintenanceWindowFilter(ListFilter):
    search_fields = ("name", "reason", "author")

    state = django_filters.MultipleChoiceFilter(choices=State.choices, method="in_state", label=_("State"))
    service = SlugFilter(path="services", queryset=Service.objects.order_by("name"), label=_("Service"))
    source = SlugFilter(path="sources", queryset=AlertSource.objects.all(), label=_("Source"))
    recurring = django_filters.BooleanFilter(method="is_recurring", label=_("Recurring"))

    class Meta:
        model = MaintenanceWindow
        fields: list[str] = []

    def in_state(self, queryset: Windows, name: str, value: list[str]) -> Windows:
        """As `state_at` tells it now."""
        now = timezone.now()
        lasting = Q(until_at__gt=now)
        states = {
            State.RUNNING: lasting & Q(from_at__lte=now),
            State.COMING: lasting & Q(from_at__gt=now),
            State.OVER: ~lasting & Q(canceled_at=None),
            State.CANCELED: Q(canceled_at__isnull=False),
        }
        found = Q(pk__in=[])
        for state in value:
            found |= states[State(state)]
        return queryset.filter(found)

    def is_recurring(self, queryset: Windows, name: str, value: bool) -> Windows:
        return queryset.exclude(recurrence="") if value else queryset.filter(recurrence="")
