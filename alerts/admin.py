"""Alerts in the Django admin: to read and search, with buttons that call actions."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from alerts.actions import acknowledge_alert, resolve_alert, retry_raw_event
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from events.admin import ReadOnlyAdmin


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
        press(request, queryset, lambda actor, row: acknowledge_alert(actor=actor, alert=row, now=timezone.now()))

    @admin.action(description="Resolve", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        press(request, queryset, lambda actor, row: resolve_alert(actor=actor, alert=row, now=timezone.now()))


@admin.register(AlertSource)
class AlertSourceAdmin(ReadOnlyAdmin):
    list_display = ["name", "dialect", "team", "is_enabled", "last_event_at"]
    list_filter = ["dialect", "is_enabled"]
    search_fields = ["name", "description"]
    exclude = ["token", "token_hash", "signing_secret"]


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
        press(request, queryset, lambda actor, row: retry_raw_event(actor=actor, raw_event=row, now=timezone.now()))
