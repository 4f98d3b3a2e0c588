"""The fact log and its deliveries in the Django admin: to read, and to retry what gave up."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from events.actions import retry_delivery
from events.models import Delivery, Event


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows that only actions may change."""

    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["occurred_at", "name", "subject_type", "subject_id", "actor_name", "via"]
    list_filter = ["via", "actor_kind", "subject_type"]
    search_fields = ["name", "actor_name", "=subject_id"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Leaves out what happened to things that may be private: incidents are read on their own pages."""
        return Event.objects.exclude(subject_type__startswith="incidents.").exclude(
            subject_type__startswith="postmortems."
        )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["id", "handler", "state", "attempts", "due_at", "done_at", "last_error"]
    list_filter = ["state", "handler"]
    search_fields = ["handler", "last_error"]
    show_full_result_count = False
    actions = ["retry"]

    @admin.action(description="Retry the selected deliveries", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        for delivery in queryset.filter(state=Delivery.State.DEAD):
            retry_delivery(delivery=delivery, now=timezone.now())
        messages.success(request, "The selected deliveries are due again.")
