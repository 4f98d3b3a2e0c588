"""How people are reached, in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from oncall.contact_methods import set_contact_method_enabled
from oncall.models import ContactMethod, NotificationRule, OnCallProfile


@admin.register(ContactMethod)
class ContactMethodAdmin(ReadOnlyAdmin):
    list_display = ["user", "kind", "address", "label", "is_enabled", "verified_at", "proved_at", "broken_reason"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["user__name", "user__email", "address"]
    list_select_related = ["user"]
    exclude = ["secret", "code_hash"]
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


@admin.register(NotificationRule)
class NotificationRuleAdmin(ReadOnlyAdmin):
    list_display = ["user", "urgency", "position", "delay_minutes", "contact_method"]
    list_filter = ["urgency"]
    search_fields = ["user__name", "user__email"]
    list_select_related = ["user", "contact_method"]


@admin.register(OnCallProfile)
class OnCallProfileAdmin(ReadOnlyAdmin):
    list_display = ["user", "country", "quiet_from", "quiet_until", "digest_at"]
    search_fields = ["user__name", "user__email"]
    list_select_related = ["user"]
