"""People, teams and keys in the Django admin: to read and search; buttons call the actions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions import change_user, revoke_api_key
from accounts.buttons import press
from accounts.models import ApiKey, Membership, SavedView, Team, User
from events.admin import ReadOnlyAdmin


class MembershipInline(admin.TabularInline[Membership, Any]):
    model = Membership
    fields = ["team", "user", "role"]
    readonly_fields = ["team", "user", "role"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["name", "email", "role", "time_zone", "is_active", "last_login", "date_joined"]
    list_filter = ["role", "is_active", "teams"]
    search_fields = ["name", "email"]
    exclude = ["password"]
    inlines = [MembershipInline]
    actions = ["activate", "deactivate"]

    @admin.action(description="Let the selected people in again", permissions=["view"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, is_active=True)

    @admin.action(description="Shut the selected people out: no sign-in, no pages, no API keys", permissions=["view"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, is_active=False)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], *, is_active: bool) -> None:
        press(
            request,
            queryset,
            lambda actor, row: change_user(actor=actor, user=row, now=timezone.now(), is_active=is_active),
        )


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ["name", "slug", "description"]
    search_fields = ["name", "slug", "members__name"]
    inlines = [MembershipInline]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix", "user__name", "user__email"]
    list_select_related = ["user"]
    exclude = ["secret_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke the selected keys for good", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        press(
            request,
            queryset,
            lambda actor, row: revoke_api_key(actor=actor, api_key=row, now=timezone.now()),
            done="The selected keys work no more.",
        )


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    list_display = ["name", "list_name", "owner", "is_shared", "query"]
    list_filter = ["list_name", "is_shared"]
    search_fields = ["name", "owner__name"]
    list_select_related = ["owner"]
