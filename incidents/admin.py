"""Incidents in the Django admin: the configuration to edit, the incidents to read, with buttons that call actions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from incidents.actions import mitigate_incident, reopen_incident, resolve_incident
from incidents.models import (
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    IncidentUpdate,
    RoleAssignment,
    Severity,
    TimelineEntry,
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


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """An administrator sees here what they see elsewhere: private incidents only as a member."""

    list_display = ["reference", "name", "severity", "status", "mode", "visibility", "declared_at", "resolved_at"]
    list_filter = ["severity", "status", "mode", "visibility", "incident_type"]
    list_select_related = ["severity", "status"]
    search_fields = ["name", "summary", "=number"]
    date_hierarchy = "declared_at"
    inlines = [RolesInline]
    actions = ["mitigate", "resolve", "reopen"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return Incident.objects.visible_to(actor_of(request, via="admin")).select_related("severity", "status")

    @admin.action(description="Mitigate: the impact is over", permissions=["view"])
    def mitigate(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: mitigate_incident(actor=actor, incident=row, now=timezone.now()))

    @admin.action(description="Resolve", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: resolve_incident(actor=actor, incident=row, now=timezone.now()))

    @admin.action(description="Reopen", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: reopen_incident(actor=actor, incident=row, now=timezone.now()))


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnlyAdmin):
    list_display = ["incident", "sequence", "kind", "actor_name", "via", "occurred_at", "text"]
    list_filter = ["kind", "via"]
    list_select_related = ["incident"]
    search_fields = ["text", "actor_name", "=incident__number"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return TimelineEntry.objects.filter(incident__in=visible).select_related("incident")


@admin.register(IncidentUpdate)
class IncidentUpdateAdmin(ReadOnlyAdmin):
    list_display = ["incident", "author_name", "created_at", "text"]
    list_select_related = ["incident"]
    search_fields = ["text", "author_name", "=incident__number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return IncidentUpdate.objects.filter(incident__in=visible).select_related("incident")
