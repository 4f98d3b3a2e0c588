"""How alerts, their sources and raw events can be filtered, on screen and in the API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import Team
from alerts.models import AlertSource, Change, Heartbeat, RawEvent, Rejection
from catalog.models import Service


class AlertSourceFilter(ListFilter):
    search_fields = ("name", "description")

    dialect = django_filters.CharFilter(label=_("Dialect"))
    team = SlugFilter(path="team", queryset=Team.objects.all(), label=_("Team"))

    class Meta:
        model = AlertSource
        fields: list[str] = []


class RawEventFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    source = SlugFilter(path="source", queryset=AlertSource.objects.all(), label=_("Source"))
    state = django_filters.MultipleChoiceFilter(choices=RawEvent.State.choices, label=_("State"))

    class Meta:
        model = RawEvent
        fields: list[str] = []


class RejectionFilter(ListFilter):
    search_fields = ("message", "remedy", "field_name")

    source = SlugFilter(path="source", queryset=AlertSource.objects.all(), label=_("Source"))
    reason = django_filters.CharFilter(label=_("Reason"))

    class Meta:
        model = Rejection
        fields: list[str] = []


# The same as Heartbeat.state, as a condition.
HEARTBEAT_STATES = {
    Heartbeat.State.DISABLED: Q(is_enabled=False),
    Heartbeat.State.LATE: Q(is_enabled=True, late_since__isnull=False),
    Heartbeat.State.NEW: Q(is_enabled=True, late_since=None, last_ping_at=None),
    Heartbeat.State.ON_TIME: Q(is_enabled=True, late_since=None, last_ping_at__isnull=False),
}


class HeartbeatFilter(ListFilter):
    search_fields = ("name", "description", "message")

    state = django_filters.MultipleChoiceFilter(choices=Heartbeat.State.choices, method="in_state", label=_("State"))
    source = SlugFilter(path="source", queryset=AlertSource.objects.all(), label=_("Source"))
    service = SlugFilter(path="service", queryset=Service.objects.order_by("name"), label=_("Service"))
    team = SlugFilter(path="team", queryset=Team.objects.all(), label=_("Team"))

    class Meta:
        model = Heartbeat
        fields: list[str] = []

    def in_state(self, queryset: QuerySet[Heartbeat], name: str, value: list[str]) -> QuerySet[Heartbeat]:
        found = Q(pk__in=[])
        for state in value:
            found |= HEARTBEAT_STATES[Heartbeat.State(state)]
        return queryset.filter(found) if value else queryset


class ChangeFilter(ListFilter):
    search_fields = ("summary", "author", "service_named")

    service = SlugFilter(path="service", queryset=Service.objects.order_by("name"), label=_("Service"))
    source = SlugFilter(path="source", queryset=AlertSource.objects.all(), label=_("Source"))
    kind = django_filters.CharFilter(lookup_expr="iexact", label=_("Kind"))
    since = django_filters.IsoDateTimeFilter("at", lookup_expr="gte", label=_("Since"))
    until = django_filters.IsoDateTimeFilter("at", lookup_expr="lt", label=_("Until"))

    class Meta:
        model = Change
        fields: list[str] = []
