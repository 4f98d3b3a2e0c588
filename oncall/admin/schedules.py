"""Schedules and what changes them, in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.admin.rows import ReadOnlyInline
from oncall.calendars import read_again
from oncall.covering import withdraw_cover
from oncall.models import (
    CalendarFeed,
    CoverRefusal,
    CoverRequest,
    ImportedCalendar,
    ImportedShift,
    Leave,
    Override,
    Rotation,
    RotationMember,
    Schedule,
    Shadow,
    Substitution,
)


class RotationInline(ReadOnlyInline):
    model = Rotation
    fields = ["name", "layer", "period", "interval", "handovers", "starts_on", "effective_from", "effective_until"]


class RotationMemberInline(ReadOnlyInline):
    model = RotationMember
    fields = ["position", "user"]


class OverrideInline(ReadOnlyInline):
    model = Override
    fields = ["user", "replaces", "starts_at", "ends_at", "reason", "created_by"]


class CalendarInline(ReadOnlyInline):
    model = ImportedCalendar
    fields = ["kind", "fetched_at", "due_at", "error"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "time_zone", "country", "team"]
    list_filter = ["team", "time_zone"]
    search_fields = ["name", "slug", "rotations__members__name"]
    list_select_related = ["team"]
    inlines = [RotationInline, OverrideInline, CalendarInline]


@admin.register(Rotation)
class RotationAdmin(ReadOnlyAdmin):
    list_display = ["name", "schedule", "layer", "period", "interval", "handovers", "effective_from", "effective_until"]
    list_filter = ["schedule", "period"]
    search_fields = ["name", "schedule__name", "members__name", "=series"]
    list_select_related = ["schedule"]
    inlines = [RotationMemberInline]


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "user", "replaces", "starts_at", "ends_at", "reason", "created_by"]
    list_filter = ["schedule"]
    search_fields = ["user__name", "replaces__name", "reason"]
    list_select_related = ["schedule", "user", "replaces", "created_by"]
    date_hierarchy = "starts_at"


@admin.register(Substitution)
class SubstitutionAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "anchor", "going", "coming", "swap", "reason", "created_by"]
    list_filter = ["schedule"]
    search_fields = ["going__name", "coming__name", "reason", "=swap"]
    list_select_related = ["schedule", "going", "coming", "created_by"]
    date_hierarchy = "anchor"


@admin.register(Leave)
class LeaveAdmin(ReadOnlyAdmin):
    list_display = ["user", "starts_at", "ends_at", "reason"]
    search_fields = ["user__name", "user__email", "reason"]
    list_select_related = ["user"]
    date_hierarchy = "starts_at"


@admin.register(Shadow)
class ShadowAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "user", "follows", "starts_at", "ends_at", "begun_at"]
    list_filter = ["schedule"]
    search_fields = ["user__name", "follows__name"]
    list_select_related = ["schedule", "user", "follows"]
    date_hierarchy = "starts_at"


class RefusalInline(ReadOnlyInline):
    model = CoverRefusal
    fields = ["user", "at"]


@admin.register(CoverRequest)
class CoverRequestAdmin(ReadOnlyAdmin):
    list_display = ["id", "schedule", "user", "starts_at", "ends_at", "status", "covered_by", "created_by"]
    list_filter = ["status", "schedule"]
    search_fields = ["user__name", "note", "=id"]
    list_select_related = ["schedule", "user", "covered_by", "created_by"]
    date_hierarchy = "starts_at"
    inlines = [RefusalInline]
    actions = ["withdraw"]

    @admin.action(description="Withdraw the selected requests", permissions=["view"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[CoverRequest]) -> None:
        now = timezone.now()
        press(request, queryset, lambda actor, row: withdraw_cover(actor=actor, request=row, now=now))


@admin.register(ImportedCalendar)
class ImportedCalendarAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "kind", "fetched_at", "due_at", "error"]
    list_filter = ["kind"]
    search_fields = ["schedule__name", "error"]
    list_select_related = ["schedule"]
    exclude = ["address"]
    actions = ["read_now"]

    @admin.action(description="Read the selected calendars again", permissions=["view"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[ImportedCalendar]) -> None:
        now = timezone.now()
        press(request, queryset, lambda actor, row: read_again(actor=actor, calendar=row, now=now))


@admin.register(ImportedShift)
class ImportedShiftAdmin(ReadOnlyAdmin):
    list_display = ["calendar", "name", "user", "layer", "starts_at", "ends_at"]
    list_filter = ["calendar__schedule"]
    search_fields = ["name", "uid", "user__name"]
    list_select_related = ["calendar__schedule", "user"]
    date_hierarchy = "starts_at"


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    list_display = ["user", "schedule", "created_at"]
    search_fields = ["user__name", "user__email", "schedule__name"]
    list_select_related = ["user", "schedule"]
    exclude = ["token", "token_hash"]
