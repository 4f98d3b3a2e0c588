"""Things to do now, ticks and followers in the admin: of incidents that the viewer may see, with buttons."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from incidents import todo
from incidents.followers import unfollow
from incidents.models import ChecklistTick, Incident, IncidentAction, IncidentFollower


class OfIncidents(ReadOnlyAdmin):
    """Rows that belong to an incident."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return super().get_queryset(request).filter(incident__in=visible)


@admin.register(IncidentAction)
class IncidentActionAdmin(OfIncidents):
    list_display = ["incident", "title", "assignee", "created_at", "done_at", "done_by_name"]
    list_select_related = ["incident", "assignee"]
    list_filter = [("done_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "=incident__number"]
    actions = ["complete", "reopen", "take_off"]

    @admin.action(description="Done", permissions=["view"])
    def complete(self, request: HttpRequest, queryset: QuerySet[IncidentAction]) -> None:
        press(request, queryset, lambda actor, row: todo.complete_action(actor=actor, action=row, now=timezone.now()))

    @admin.action(description="Not done after all", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[IncidentAction]) -> None:
        press(request, queryset, lambda actor, row: todo.reopen_action(actor=actor, action=row, now=timezone.now()))

    @admin.action(description="Take off the list", permissions=["view"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[IncidentAction]) -> None:
        press(request, queryset, lambda actor, row: todo.remove_action(actor=actor, action=row, now=timezone.now()))


@admin.register(ChecklistTick)
class ChecklistTickAdmin(OfIncidents):
    list_display = ["incident", "item", "done_by_name", "done_at"]
    list_filter = ["item"]
    list_select_related = ["incident", "item"]
    search_fields = ["item__title", "=incident__number"]
    actions = ["untick"]

    @admin.action(description="Not done after all", permissions=["view"])
    def untick(self, request: HttpRequest, queryset: QuerySet[ChecklistTick]) -> None:
        now = timezone.now()
        press(
            request,
            queryset.select_related("incident", "item"),
            lambda actor, row: todo.untick(actor=actor, incident=row.incident, item=row.item, now=now),
        )


@admin.register(IncidentFollower)
class IncidentFollowerAdmin(OfIncidents):
    list_display = ["incident", "user", "pace", "since", "due_at"]
    list_filter = ["pace"]
    list_select_related = ["incident", "user"]
    search_fields = ["user__name", "user__email", "=incident__number"]
    actions = ["end"]

    @admin.action(description="Follows no more", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[IncidentFollower]) -> None:
        now = timezone.now()
        press(
            request,
            queryset.select_related("incident", "user"),
            lambda actor, row: unfollow(actor=actor, incident=row.incident, user=row.user, now=now),
        )
