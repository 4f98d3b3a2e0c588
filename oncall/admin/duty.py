"""Handovers, surveys, hours and pay, boards, in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.board import remove_board_address
from oncall.models import BoardAddress, DutyStatement, Handover, RateTable, ShiftSurvey
from oncall.pay import approve_statements


@admin.register(Handover)
class HandoverAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "at", "note_by", "mailed_at"]
    list_filter = ["schedule"]
    search_fields = ["note", "schedule__name"]
    list_select_related = ["schedule", "note_by"]
    date_hierarchy = "at"


@admin.register(ShiftSurvey)
class ShiftSurveyAdmin(ReadOnlyAdmin):
    """Who was asked when; what they said stays between them and the results, which name nobody."""

    list_display = ["schedule", "user", "shift_end", "asked_at", "answered_at"]
    list_filter = ["schedule"]
    search_fields = ["user__name", "schedule__name"]
    list_select_related = ["schedule", "user"]
    exclude = ["score", "what_hurt"]
    date_hierarchy = "shift_end"


@admin.register(RateTable)
class RateTableAdmin(ReadOnlyAdmin):
    list_display = ["name", "currency", "weekday", "night", "weekend", "holiday", "per_page", "rest_hours"]
    search_fields = ["name"]


@admin.register(DutyStatement)
class DutyStatementAdmin(ReadOnlyAdmin):
    list_display = ["user", "schedule", "starts_on", "amount", "currency", "pages", "broken_rests", "status"]
    list_filter = ["status", "schedule", "starts_on"]
    search_fields = ["user__name", "schedule__name"]
    list_select_related = ["schedule", "user"]
    date_hierarchy = "starts_on"
    actions = ["approve"]

    @admin.action(description="Approve the selected statements", permissions=["view"])
    def approve(self, request: HttpRequest, queryset: QuerySet[DutyStatement]) -> None:
        now = timezone.now()
        press(request, queryset, lambda actor, row: approve_statements(actor=actor, statements=[row], now=now))


@admin.register(BoardAddress)
class BoardAddressAdmin(ReadOnlyAdmin):
    list_display = ["name", "team", "created_by", "created_at"]
    search_fields = ["name", "team__name"]
    list_select_related = ["team", "created_by"]
    exclude = ["token", "token_hash"]
    actions = ["remove"]

    @admin.action(description="Take the selected addresses away", permissions=["view"])
    def remove(self, request: HttpRequest, queryset: QuerySet[BoardAddress]) -> None:
        press(request, queryset, lambda actor, row: remove_board_address(actor=actor, address=row))
