"""Escalation policies in the admin."""

from django.contrib import admin

from events.admin import ReadOnlyAdmin
from oncall.admin.rows import ReadOnlyInline
from oncall.models import EscalationLevel, EscalationPolicy, EscalationTarget, PagingTest


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


@admin.register(PagingTest)
class PagingTestAdmin(ReadOnlyAdmin):
    list_display = ["name", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name"]
