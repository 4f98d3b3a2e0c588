"""Postmortems in the Django admin: to read and search those that the reader may see, and the template to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actor import actor_of
from accounts.models import Role
from events.admin import ReadOnlyAdmin
from postmortems.models import ActionItem, Postmortem, PostmortemSection, SectionTemplate


@admin.register(SectionTemplate)
class SectionTemplateAdmin(admin.ModelAdmin[SectionTemplate]):
    """What new postmortems start with: configuration, edited here."""

    list_display = ["title", "slug", "position", "source", "owner_role"]
    list_filter = ["source"]
    search_fields = ["title", "slug"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_authenticated and request.user.has_role(Role.ADMINISTRATOR)


class SectionInline(admin.TabularInline[PostmortemSection, Postmortem]):
    model = PostmortemSection
    fields = ["title", "is_generated", "version", "updated_at", "updated_by"]
    readonly_fields = ["title", "is_generated", "version", "updated_at", "updated_by"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Postmortem)
class PostmortemAdmin(ReadOnlyAdmin):
    list_display = ["title", "incident", "status", "created_at", "published_at"]
    list_filter = ["status", "incident__severity"]
    search_fields = ["title", "incident__name"]
    list_select_related = ["incident"]
    inlines = [SectionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Postmortem]:
        """Private incidents stay with their members, here too."""
        return Postmortem.objects.visible_to(actor_of(request, via="admin"))


@admin.register(ActionItem)
class ActionItemAdmin(ReadOnlyAdmin):
    list_display = ["title", "incident", "owner", "due_on", "priority", "status"]
    list_filter = ["status", "priority"]
    search_fields = ["title", "incident__name", "owner__name"]
    list_select_related = ["incident", "owner"]
    date_hierarchy = "due_on"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActionItem]:
        """Private incidents stay with their members, here too."""
        return ActionItem.objects.visible_to(actor_of(request, via="admin"))
