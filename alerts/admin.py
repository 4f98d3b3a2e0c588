"""Alerts in the Django admin: to read and search, with buttons that call actions."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from alerts.actions import acknowledge_alert, resolve_alert, retry_raw_event
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from events.admin import ReadOnlyAdmin
from events.errors import DomainError


def each(request: HttpRequest, queryset: QuerySet[Any], act: Any, name: str) -> None:
    """Calls an action on each row and says what was refused."""
    for row in queryset:
        try:
            act(actor=actor_of(request, via="admin"), now=timezone.now(), **{name: row})
        except DomainError as error:
            messages.error(request, f"{row}: {error}")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["title", "status", "severity", "source", "service", "count", "first_event_at", "last_event_at"]
    list_filter = ["status", "source", "severity"]
    list_select_related = ["source", "service"]
    search_fields = ["title", "dedup_key"]
    show_full_result_count = False
    actions = ["acknowledge", "resolve"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        return Alert.objects.visible_to(actor_of(request, via="admin")).for_lists()

    @admin.action(description="Acknowledge", permissions=["view"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        each(request, queryset, acknowledge_alert, "alert")

    @admin.action(description="Resolve", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        each(request, queryset, resolve_alert, "alert")


@admin.register(AlertSource)
class AlertSourceAdmin(ReadOnlyAdmin):
    list_display = ["name", "dialect", "team", "is_enabled", "last_event_at"]
    list_filter = ["dialect", "is_enabled"]
    search_fields = ["name", "description"]
    exclude = ["token", "token_hash"]


@admin.register(AlertRoute)
class AlertRouteAdmin(ReadOnlyAdmin):
    list_display = ["position", "name", "is_enabled", "paging", "escalation_policy", "declares_incident", "severity"]
    list_display_links = ["name"]
    list_select_related = ["escalation_policy", "severity"]
    search_fields = ["name"]
    ordering = ["position"]


@admin.register(RawEvent)
class RawEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "received_at", "state", "outcomes", "attempts", "error"]
    list_filter = ["state", "source"]
    list_select_related = ["source"]
    search_fields = ["error"]
    show_full_result_count = False
    exclude = ["body"]
    actions = ["retry"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RawEvent]:
        return RawEvent.objects.defer("body")

    @admin.action(description="Try the failed ones again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[RawEvent]) -> None:
        each(request, queryset, retry_raw_event, "raw_event")
