"""On-call in the Django admin: to read and search; buttons call the actions."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.actions import acknowledge_escalation, resolve_escalation
from oncall.configuration import set_contact_method_enabled
from oncall.models import (
    ContactMethod,
    EngineBeat,
    Escalation,
    EscalationEntry,
    EscalationLevel,
    EscalationPolicy,
    EscalationTarget,
    Override,
    Page,
    PageAttempt,
    Rotation,
    RotationMember,
    Schedule,
)


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    """Rows of another table that are only shown."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnEscalations:
    """Leaves out what belongs to private escalations, except to those whom they paged."""

    path = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        visible = Escalation.objects.visible_to(actor_of(request, via="admin"))
        found: QuerySet[Model] = super().get_queryset(request)  # type: ignore[misc]  # of the admin class beside it
        return found.filter(**{f"{self.path}__in": visible.values("pk")})


@admin.register(ContactMethod)
class ContactMethodAdmin(ReadOnlyAdmin):
    list_display = ["user", "kind", "address", "is_enabled", "verified_at", "broken_reason"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["user__name", "user__email", "address"]
    list_select_related = ["user"]
    exclude = ["secret"]
    actions = ["switch_on", "switch_off"]

    @admin.action(description="Switch the selected contact methods on, and mend broken ones", permissions=["view"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[ContactMethod]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch the selected contact methods off", permissions=["view"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[ContactMethod]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[ContactMethod], *, is_enabled: bool) -> None:
        press(
            request,
            queryset.select_related("user"),
            lambda actor, row: set_contact_method_enabled(actor=actor, method=row, is_enabled=is_enabled),
        )


class RotationInline(ReadOnlyInline):
    model = Rotation
    fields = ["name", "layer", "period", "interval", "handovers", "starts_on"]


class RotationMemberInline(ReadOnlyInline):
    model = RotationMember
    fields = ["position", "user"]


class OverrideInline(ReadOnlyInline):
    model = Override
    fields = ["user", "starts_at", "ends_at", "reason", "created_by"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "time_zone", "team"]
    list_filter = ["team", "time_zone"]
    search_fields = ["name", "slug", "rotations__members__name"]
    list_select_related = ["team"]
    inlines = [RotationInline, OverrideInline]


@admin.register(Rotation)
class RotationAdmin(ReadOnlyAdmin):
    list_display = ["name", "schedule", "layer", "period", "interval", "handovers", "starts_on"]
    list_filter = ["schedule"]
    search_fields = ["name", "schedule__name", "members__name"]
    list_select_related = ["schedule"]
    inlines = [RotationMemberInline]


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "user", "starts_at", "ends_at", "reason", "created_by"]
    list_filter = ["schedule"]
    search_fields = ["user__name", "reason"]
    list_select_related = ["schedule", "user", "created_by"]
    date_hierarchy = "starts_at"


class LevelInline(ReadOnlyInline):
    model = EscalationLevel
    fields = ["position", "timeout_minutes"]


class TargetInline(ReadOnlyInline):
    model = EscalationTarget
    fields = ["schedule", "user"]


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "team", "repeats"]
    list_filter = ["team"]
    search_fields = ["name", "slug"]
    list_select_related = ["team"]
    inlines = [LevelInline]


@admin.register(EscalationLevel)
class EscalationLevelAdmin(ReadOnlyAdmin):
    list_display = ["policy", "position", "timeout_minutes"]
    list_filter = ["policy"]
    search_fields = ["policy__name"]
    list_select_related = ["policy"]
    inlines = [TargetInline]


class PageInline(ReadOnlyInline):
    model = Page
    fields = ["level", "round", "user", "channel", "address", "state", "attempts_made", "sent_at"]


class EntryInline(ReadOnlyInline):
    model = EscalationEntry
    fields = ["at", "kind", "text", "actor_name", "via"]
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
    fields = ["number", "started_at", "finished_at", "outcome", "detail"]
    show_change_link = False


@admin.register(Page)
class PageAdmin(OwnEscalations, ReadOnlyAdmin):
    path = "escalation"
    list_display = ["id", "user", "channel", "state", "attempts_made", "level", "due_at", "sent_at", "escalation"]
    list_filter = ["state", "channel"]
    search_fields = ["user__name", "user__email", "address", "escalation__title"]
    list_select_related = ["user", "escalation"]
    show_full_result_count = False
    inlines = [AttemptInline]


@admin.register(EngineBeat)
class EngineBeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "beat_at"]
