"""Alert routes in the Django admin."""

from django.contrib import admin

from alerts.models import AlertRoute
from events.admin import ReadOnlyAdmin


@admin.register(AlertRoute)
class AlertRouteAdmin(ReadOnlyAdmin):
    list_display = ["position", "name", "is_enabled", "paging", "escalation_policy", "declares_incident", "severity"]
    list_display_links = ["name"]
    list_select_related = ["escalation_policy", "severity"]
    search_fields = ["name"]
    ordering = ["position"]
