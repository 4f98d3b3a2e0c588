"""Status pages in the Django admin: to read and search; changes go through the pages and the API."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from statuspage.actions import set_component_status
from statuspage.models import Component, ComponentSpan, ComponentStatus, PublicIncident, StatusPage, StatusUpdate


class ComponentInline(admin.TabularInline[Component, StatusPage]):
    model = Component
    fields = ["name", "position", "status", "updated_at"]
    readonly_fields = ["name", "position", "status", "updated_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StatusPage)
class StatusPageAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "time_zone", "updated_at"]
    search_fields = ["name", "slug"]
    inlines = [ComponentInline]


@admin.register(Component)
class ComponentAdmin(ReadOnlyAdmin):
    list_display = ["name", "page", "status", "position", "updated_at"]
    list_filter = ["page", "status"]
    search_fields = ["name"]
    list_select_related = ["page"]
    actions = ["make_operational"]

    @admin.action(description="Say that the selected components are operational", permissions=["view"])
    def make_operational(self, request: HttpRequest, queryset: QuerySet[Component]) -> None:
        operational, now = ComponentStatus.OPERATIONAL, timezone.now()
        press(
            request,
            queryset,
            lambda actor, row: set_component_status(actor=actor, component=row, status=operational, now=now),
            done="The pages say so now.",
        )


@admin.register(ComponentSpan)
class ComponentSpanAdmin(ReadOnlyAdmin):
    list_display = ["component", "status", "starts_at", "ends_at"]
    list_filter = ["status"]
    search_fields = ["component__name"]
    list_select_related = ["component"]


class StatusUpdateInline(admin.TabularInline[StatusUpdate, PublicIncident]):
    model = StatusUpdate
    fields = ["created_at", "status", "body", "author_name"]
    readonly_fields = ["created_at", "status", "body", "author_name"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PublicIncident)
class PublicIncidentAdmin(ReadOnlyAdmin):
    """Leaves out the internal incident: it may be private."""

    list_display = ["name", "page", "status", "impact", "started_at", "resolved_at"]
    list_filter = ["page", "status", "impact"]
    search_fields = ["name", "updates__body"]
    list_select_related = ["page"]
    exclude = ["incident"]
    inlines = [StatusUpdateInline]
