"""Things to do now and followers in the admin: to read, of incidents that the viewer may see."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actor import actor_of
from events.admin import ReadOnlyAdmin
from incidents.models import Incident, IncidentAction, IncidentFollower


class OfIncidents(ReadOnlyAdmin):
    """Rows that belong to an incident."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return super().get_queryset(request).filter(incident__in=visible)


@admin.register(IncidentAction)
class IncidentActionAdmin(OfIncidents):
    list_display = ["incident", "title", "assignee", "created_at", "done_at", "done_by_name"]
    list_select_related = ["incident", "assignee"]
    search_fields = ["title", "=incident__number"]


@admin.register(IncidentFollower)
class IncidentFollowerAdmin(OfIncidents):
    list_display = ["incident", "user", "pace", "since", "due_at"]
    list_filter = ["pace"]
    list_select_related = ["incident", "user"]
    search_fields = ["user__name", "user__email", "=incident__number"]
