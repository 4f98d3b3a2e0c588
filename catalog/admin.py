"""The catalog in the Django admin: to read and search; it is changed on its own pages."""

from django.contrib import admin

from catalog.models import Functionality, Mitigation, Service
from events.admin import ReadOnlyAdmin


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "tier", "lifecycle", "team", "escalation_policy"]
    list_filter = ["tier", "lifecycle", "team"]
    list_select_related = ["team", "escalation_policy"]
    search_fields = ["name", "slug", "description"]


@admin.register(Functionality)
class FunctionalityAdmin(ReadOnlyAdmin):
    list_display = ["name", "description"]
    search_fields = ["name", "description"]


@admin.register(Mitigation)
class MitigationAdmin(ReadOnlyAdmin):
    list_display = ["label", "service", "command", "url"]
    list_filter = ["service"]
    list_select_related = ["service"]
    search_fields = ["label", "command", "service__name"]
