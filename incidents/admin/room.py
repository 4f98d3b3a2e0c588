"""What hangs on timelines in the admin, to read: files, links, how entries stood before, reactions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actor import actor_of
from events.admin import ReadOnlyAdmin
from incidents.models import Incident, IncidentFile, IncidentLink, Reaction, TimelineRevision


def seen(request: HttpRequest) -> QuerySet[Incident]:
    """The incidents that an administrator may see: private ones only as a member."""
    return Incident.objects.visible_to(actor_of(request, via="admin"))


class OfEntryAdmin(ReadOnlyAdmin):
    """Rows of entries of incidents that may be seen."""

    list_select_related = ["entry__incident"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(entry__incident__in=seen(request))

    @admin.display(description="incident", ordering="entry__incident__number")
    def incident(self, row: Any) -> str:
        return str(row.entry.incident.reference)


@admin.register(IncidentFile)
class IncidentFileAdmin(OfEntryAdmin):
    list_display = ["name", "incident", "content_type", "size", "created_at"]
    list_filter = ["content_type"]
    search_fields = ["name", "=entry__incident__number"]
    exclude = ["file"]


@admin.register(TimelineRevision)
class TimelineRevisionAdmin(OfEntryAdmin):
    list_display = ["incident", "entry", "replaced_by_name", "replaced_at", "reason"]
    search_fields = ["text", "replaced_by_name", "=entry__incident__number"]


@admin.register(Reaction)
class ReactionAdmin(OfEntryAdmin):
    list_display = ["incident", "entry", "emoji", "user", "created_at"]
    list_select_related = ["entry__incident", "user"]
    search_fields = ["=entry__incident__number", "user__name"]


@admin.register(IncidentLink)
class IncidentLinkAdmin(ReadOnlyAdmin):
    list_display = ["incident", "kind", "title", "url", "added_by_name", "added_at"]
    list_filter = ["kind"]
    list_select_related = ["incident"]
    search_fields = ["title", "url", "=incident__number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(incident__in=seen(request))
