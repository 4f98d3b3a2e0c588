"""The configuration of incidents in the admin: to read, and buttons that call actions; Settings changes it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from incidents.configuring import archive_configured, remove_configured, restore_configured
from incidents.models import (
    AnnouncementRule,
    ChecklistItem,
    CustomField,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    PersonQualification,
    Qualification,
    Severity,
    UpdateTemplate,
)


class ConfiguredAdmin(ReadOnlyAdmin):
    """Rows that Settings, Incidents changes."""

    actions = ["remove"]

    @admin.action(description="Remove what nothing uses", permissions=["view"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        press(request, queryset, lambda actor, row: remove_configured(actor=actor, row=row, now=timezone.now()))


class ArchivedAdmin(ConfiguredAdmin):
    """Rows that can be taken out of use."""

    actions = ["archive", "restore", "remove"]

    @admin.action(description="Archive", permissions=["view"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        press(request, queryset, lambda actor, row: archive_configured(actor=actor, row=row, now=timezone.now()))

    @admin.action(description="Take back into use", permissions=["view"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        press(request, queryset, lambda actor, row: restore_configured(actor=actor, row=row, now=timezone.now()))


@admin.register(Severity)
class SeverityAdmin(ArchivedAdmin):
    list_display = ["name", "rank", "acknowledge_target", "resolve_target", "update_interval", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "description"]


@admin.register(IncidentStatus)
class IncidentStatusAdmin(ArchivedAdmin):
    list_display = ["name", "category", "position", "is_active"]
    list_filter = ["category", "is_active"]
    search_fields = ["name"]


@admin.register(IncidentRole)
class IncidentRoleAdmin(ArchivedAdmin):
    list_display = ["name", "slug", "qualification", "position", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["qualification"]
    search_fields = ["name"]


@admin.register(IncidentType)
class IncidentTypeAdmin(ArchivedAdmin):
    list_display = ["name", "is_default", "private_by_default", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name"]


@admin.register(CustomField)
class CustomFieldAdmin(ArchivedAdmin):
    list_display = ["name", "slug", "kind", "required_at", "position", "is_active"]
    list_filter = ["kind", "required_at", "is_active"]
    search_fields = ["name", "slug"]


@admin.register(ChecklistItem)
class ChecklistItemAdmin(ArchivedAdmin):
    list_display = ["title", "done_by", "position", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["title"]


@admin.register(UpdateTemplate)
class UpdateTemplateAdmin(ConfiguredAdmin):
    list_display = ["moment", "locale", "text"]
    list_filter = ["moment", "locale"]


@admin.register(Qualification)
class QualificationAdmin(ConfiguredAdmin):
    list_display = ["name", "slug", "rank"]
    search_fields = ["name"]


@admin.register(PersonQualification)
class PersonQualificationAdmin(ReadOnlyAdmin):
    list_display = ["user", "qualification", "granted_at", "granted_by"]
    list_filter = ["qualification"]
    list_select_related = ["user", "qualification", "granted_by"]
    search_fields = ["user__name", "user__email"]


@admin.register(AnnouncementRule)
class AnnouncementRuleAdmin(ArchivedAdmin):
    list_display = ["name", "place", "position", "is_enabled"]
    list_filter = ["is_enabled"]
    search_fields = ["name", "place"]
    exclude = ["address"]
