"""The configuration of incidents in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import (
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    RoleAssignment,
    Severity,
    UpdateTemplate,
)


@admin.register(Severity)
class SeverityAdmin(admin.ModelAdmin[Severity]):
    list_display = ["name", "rank", "acknowledge_target", "resolve_target", "update_interval", "requires_postmortem"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name", "description"]


@admin.register(IncidentStatus)
class IncidentStatusAdmin(admin.ModelAdmin[IncidentStatus]):
    list_display = ["name", "category", "position"]
    list_filter = ["category"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]


@admin.register(IncidentRole)
class IncidentRoleAdmin(admin.ModelAdmin[IncidentRole]):
    list_display = ["name", "slug", "position"]
    filter_horizontal = ["required_for"]
    search_fields = ["name"]


@admin.register(IncidentType)
class IncidentTypeAdmin(admin.ModelAdmin[IncidentType]):
    list_display = ["name", "is_default", "private_by_default"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]


@admin.register(UpdateTemplate)
class UpdateTemplateAdmin(admin.ModelAdmin[UpdateTemplate]):
    list_display = ["moment", "locale", "text"]
    list_filter = ["moment", "locale"]


class RolesInline(admin.TabularInline[RoleAssignment, Incident]):
    model = RoleAssignment
    extra = 0
    can_delete = False
    fields = ["role", "user", "started_at", "ended_at"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
