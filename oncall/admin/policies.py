"""Escalation policies in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.admin.rows import ReadOnlyInline
from oncall.models import EscalationLevel, EscalationPolicy, EscalationTarget, PagingTest
from oncall.paging_tests import run_paging_tests


class LevelInline(ReadOnlyInline):
    model = EscalationLevel
    fields = ["position", "timeout_minutes", "answers_needed", "is_round_robin", "condition"]


class TargetInline(ReadOnlyInline):
    model = EscalationTarget
    fields = ["kind", "schedule", "user", "team", "name"]
    show_change_link = False


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "team", "repeats", "on_exhausted", "next_policy", "low_urgency"]
    list_filter = ["team", "on_exhausted", "low_urgency"]
    search_fields = ["name", "slug"]
    list_select_related = ["team", "next_policy"]
    inlines = [LevelInline]


@admin.register(EscalationLevel)
class EscalationLevelAdmin(ReadOnlyAdmin):
    list_display = ["policy", "position", "timeout_minutes", "answers_needed", "is_round_robin"]
    list_filter = ["policy", "is_round_robin"]
    search_fields = ["policy__name", "targets__schedule__name", "targets__user__name", "targets__team__name"]
    list_select_related = ["policy"]
    inlines = [TargetInline]


@admin.register(PagingTest)
class PagingTestAdmin(ReadOnlyAdmin):
    list_display = ["name", "outcome", "checked_at", "is_active", "author", "created_at"]
    list_filter = ["outcome", "is_active"]
    search_fields = ["name"]
    list_select_related = ["author"]
    actions = ["check_now"]

    @admin.action(description="Check the selected paging tests now", permissions=["view"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[PagingTest]) -> None:
        now = timezone.now()
        press(
            request,
            queryset,
            lambda actor, test: run_paging_tests(actor=actor, tests=[test], now=now),
            done="The selected paging tests are checked.",
        )
