"""Heartbeats and changes in the Django admin."""

from django.contrib import admin

from alerts.models import Change, Heartbeat
from events.admin import ReadOnlyAdmin


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "source", "is_enabled", "interval_seconds", "last_ping_at", "due_at", "late_since"]
    list_filter = ["is_enabled", "source"]
    list_select_related = ["source"]
    search_fields = ["name", "description"]
    exclude = ["token", "token_hash"]


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    list_display = ["summary", "at", "kind", "service", "source", "author"]
    list_filter = ["kind", "source"]
    list_select_related = ["service", "source"]
    search_fields = ["summary", "author", "service_named"]
    show_full_result_count = False
