"""Maintenance windows in the Django admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from alerts.models import MaintenanceWindow
from alerts.windows import cancel_window
from events.admin import ReadOnlyAdmin


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(ReadOnlyAdmin):
    list_display = ["name", "author", "from_at", "until_at", "recurrence", "time_zone", "canceled_at"]
    list_filter = ["sources", "services"]
    search_fields = ["name", "reason", "author"]
    actions = ["cancel"]

    @admin.action(description="End for good", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]) -> None:
        press(request, queryset, lambda actor, row: cancel_window(actor=actor, window=row, now=timezone.now()))
