"""Schedules and what changes them, in the admin."""

from django.contrib import admin

from events.admin import ReadOnlyAdmin
from oncall.admin.rows import ReadOnlyInline
from oncall.models import Override, Rotation, RotationMember, Schedule


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
