"""Escalations, their pages and the engine's heartbeat in the admin."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.actions import acknowledge_escalation, resolve_escalation
from oncall.admin.rows import ReadOnlyInline
from oncall.models import (
    EngineBeat,
    Escalation,
    EscalationAnswer,
    EscalationEntry,
    LedgerRoot,
    Page,
    PageAttempt,
    PageReceipt,
)


class OwnEscalations:
    """Leaves out what belongs to private escalations, except to those whom they paged."""

    path = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        visible = Escalation.objects.visible_to(actor_of(request, via="admin"))
        found: QuerySet[Model] = super().get_queryset(request)  # type: ignore[misc]  # of the admin class beside it
        return found.filter(**{f"{self.path}__in": visible.values("pk")})


class PageInline(ReadOnlyInline):
    model = Page
    fields = ["level", "round", "user", "channel", "address", "state", "attempts_made", "sent_at"]


class EntryInline(ReadOnlyInline):
    model = EscalationEntry
    fields = ["number", "at", "kind", "text", "actor_name", "via", "hash"]
    show_change_link = False


@admin.register(Escalation)
class EscalationAdmin(OwnEscalations, ReadOnlyAdmin):
    path = "pk"
    list_display = ["id", "title", "status", "policy", "level", "round", "due_at", "acknowledged_by", "started_at"]
    list_filter = ["status", "policy", "is_private"]
    search_fields = ["title", "detail", "=id"]
    list_select_related = ["policy", "acknowledged_by"]
    date_hierarchy = "started_at"
    show_full_result_count = False
    inlines = [PageInline, EntryInline]
    actions = ["acknowledge", "resolve"]

    @admin.action(description="Acknowledge the selected escalations", permissions=["view"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Escalation]) -> None:
        now = timezone.now()
        press(request, queryset, lambda actor, row: acknowledge_escalation(actor=actor, escalation=row, now=now))

    @admin.action(description="End the selected escalations", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Escalation]) -> None:
        now = timezone.now()
        press(request, queryset, lambda actor, row: resolve_escalation(actor=actor, escalation=row, now=now))


class AttemptInline(ReadOnlyInline):
    model = PageAttempt
    fields = ["number", "started_at", "finished_at", "outcome", "provider", "detail"]


@admin.register(Page)
class PageAdmin(OwnEscalations, ReadOnlyAdmin):
    path = "escalation"
    list_display = ["id", "user", "channel", "state", "attempts_made", "level", "due_at", "sent_at", "escalation"]
    list_filter = ["state", "channel"]
    search_fields = ["user__name", "user__email", "address", "escalation__title"]
    list_select_related = ["user", "escalation"]
    show_full_result_count = False
    inlines = [AttemptInline]


class ReceiptInline(ReadOnlyInline):
    model = PageReceipt
    fields = ["at", "kind", "detail"]
    show_change_link = False


@admin.register(PageAttempt)
class PageAttemptAdmin(OwnEscalations, ReadOnlyAdmin):
    path = "page__escalation"
    list_display = ["page", "number", "started_at", "finished_at", "outcome", "provider", "detail"]
    list_filter = ["outcome", "provider"]
    search_fields = ["page__user__name", "page__escalation__title", "detail", "=provider_id"]
    list_select_related = ["page__user", "page__escalation"]
    show_full_result_count = False
    inlines = [ReceiptInline]


@admin.register(EngineBeat)
class EngineBeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "beat_at"]


@admin.register(EscalationAnswer)
class EscalationAnswerAdmin(OwnEscalations, ReadOnlyAdmin):
    path = "escalation"
    list_display = ["escalation", "user", "kind", "level", "round", "run", "at"]
    list_filter = ["kind"]
    search_fields = ["user__name", "escalation__title"]
    list_select_related = ["user", "escalation"]


@admin.register(LedgerRoot)
class LedgerRootAdmin(ReadOnlyAdmin):
    list_display = ["day", "lines", "hash", "made_at"]
