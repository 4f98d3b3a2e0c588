"""Alert sources and what they sent in the Django admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from alerts.failed_events import retry_raw_event, set_aside_raw_event
from alerts.models import AlertSource, RawEvent, Rejection
from alerts.reading import readable_raw_events
from events.admin import ReadOnlyAdmin


@admin.register(AlertSource)
class AlertSourceAdmin(ReadOnlyAdmin):
    list_display = ["name", "dialect", "team", "is_enabled", "kept_days", "last_event_at"]
    list_filter = ["dialect", "is_enabled"]
    search_fields = ["name", "description"]
    exclude = ["token", "token_hash", "signing_secret"]


@admin.register(RawEvent)
class RawEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "received_at", "state", "event_count", "outcomes", "attempts", "error"]
    list_filter = ["state", "source"]
    list_select_related = ["source"]
    search_fields = ["error"]
    show_full_result_count = False
    exclude = ["body"]
    actions = ["retry", "set_aside"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RawEvent]:
        return readable_raw_events(actor_of(request, via="admin")).defer("body")

    @admin.action(description="Try the failed ones again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[RawEvent]) -> None:
        press(request, queryset, lambda actor, row: retry_raw_event(actor=actor, raw_event=row, now=timezone.now()))

    @admin.action(description="Set the failed ones aside", permissions=["view"])
    def set_aside(self, request: HttpRequest, queryset: QuerySet[RawEvent]) -> None:
        press(request, queryset, lambda actor, row: set_aside_raw_event(actor=actor, raw_event=row))


@admin.register(Rejection)
class RejectionAdmin(ReadOnlyAdmin):
    list_display = ["message", "reason", "source", "count", "first_at", "last_at"]
    list_filter = ["reason", "source"]
    list_select_related = ["source"]
    search_fields = ["message", "remedy"]
    exclude = ["sample"]
