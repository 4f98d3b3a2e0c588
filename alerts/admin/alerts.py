"""Alerts in the Django admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from alerts.actions import acknowledge_alert, resolve_alert
from alerts.models import Alert
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
