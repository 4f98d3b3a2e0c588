"""Incidents in the admin: state is read-only, buttons call actions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from incidents import entries
from incidents.actions import mitigate_incident, reopen_incident, resolve_incident
from incidents.models import (
    Incident,
    IncidentUpdate,
    RoleAssignment,
    TimelineEntry,
)
from incidents.pausing import pause_incident, resume_incident
from incidents.triage import accept_incident, cancel_incident, close_incident, decline_incident


class ReasonActionForm(ActionForm):
    """Asks for the reason that declining and canceling need, and whether ends are meant where streams are open."""

    reason = forms.CharField(required=False, label="Reason:")
    confirmed = forms.BooleanField(required=False, label="Open streams end with it:")


def is_confirmed(request: HttpRequest) -> bool:
    return "confirmed" in request.POST


class RolesInline(admin.TabularInline[RoleAssignment, Incident]):
    model = RoleAssignment
    extra = 0
    can_delete = False
    fields = ["role", "user", "started_at", "ended_at"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """An administrator sees here what they see elsewhere: private incidents only as a member."""

    list_display = ["reference", "name", "severity", "status", "mode", "visibility", "declared_at", "resolved_at"]
    list_filter = ["severity", "status", "mode", "visibility", "incident_type"]
    list_select_related = ["severity", "status"]
    search_fields = ["name", "summary", "=number"]
    date_hierarchy = "declared_at"
    inlines = [RolesInline]
    action_form = ReasonActionForm
    actions = ["accept", "decline", "cancel", "mitigate", "resolve", "close", "reopen", "pause", "go_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return Incident.objects.visible_to(actor_of(request, via="admin")).select_related("severity", "status")

    @admin.action(description="Accept: it is an incident", permissions=["view"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: accept_incident(actor=actor, incident=row, now=timezone.now()))

    @admin.action(description="Decline: it is no incident (with a reason)", permissions=["view"])
    def decline(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        reason, now = request.POST.get("reason", ""), timezone.now()
        press(request, queryset, lambda actor, row: decline_incident(actor=actor, incident=row, reason=reason, now=now))

    @admin.action(description="Cancel: declared by mistake (with a reason)", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        said: dict[str, Any] = {"reason": request.POST.get("reason", ""), "confirmed": is_confirmed(request)}
        now = timezone.now()
        press(request, queryset, lambda actor, row: cancel_incident(actor=actor, incident=row, now=now, **said))

    @admin.action(description="Close: all follow-up is done", permissions=["view"])
    def close(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        sure, now = is_confirmed(request), timezone.now()
        press(request, queryset, lambda actor, row: close_incident(actor=actor, incident=row, now=now, confirmed=sure))

    @admin.action(description="Mitigate: the impact is over", permissions=["view"])
    def mitigate(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: mitigate_incident(actor=actor, incident=row, now=timezone.now()))

    @admin.action(description="Resolve", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        sure, now = is_confirmed(request), timezone.now()
        press(
            request, queryset, lambda actor, row: resolve_incident(actor=actor, incident=row, now=now, confirmed=sure)
        )

    @admin.action(description="Reopen", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: reopen_incident(actor=actor, incident=row, now=timezone.now()))

    @admin.action(description="Pause: its timers stand still (with a reason)", permissions=["view"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        reason, now = request.POST.get("reason", ""), timezone.now()
        press(request, queryset, lambda actor, row: pause_incident(actor=actor, incident=row, reason=reason, now=now))

    @admin.action(description="Continue: its timers run on", permissions=["view"])
    def go_on(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        press(request, queryset, lambda actor, row: resume_incident(actor=actor, incident=row, now=timezone.now()))


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnlyAdmin):
    list_display = ["incident", "sequence", "kind", "actor_name", "via", "occurred_at", "text"]
    list_filter = ["kind", "via"]
    list_select_related = ["incident"]
    search_fields = ["text", "actor_name", "=incident__number"]
    show_full_result_count = False
    actions = ["remove", "restore", "keep_out"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return TimelineEntry.objects.filter(incident__in=visible).select_related("incident")

    @admin.action(description="Remove what people wrote", permissions=["view"])
    def remove(self, request: HttpRequest, queryset: QuerySet[TimelineEntry]) -> None:
        press(request, queryset, lambda actor, row: entries.remove_entry(actor=actor, entry=row, now=timezone.now()))

    @admin.action(description="Restore what was removed", permissions=["view"])
    def restore(self, request: HttpRequest, queryset: QuerySet[TimelineEntry]) -> None:
        press(request, queryset, lambda actor, row: entries.restore_entry(actor=actor, entry=row, now=timezone.now()))

    @admin.action(description="Keep out of the postmortem", permissions=["view"])
    def keep_out(self, request: HttpRequest, queryset: QuerySet[TimelineEntry]) -> None:
        kept: dict[str, Any] = {"in_postmortem": False, "now": timezone.now()}
        press(request, queryset, lambda actor, row: entries.edit_entry(actor=actor, entry=row, **kept))


@admin.register(IncidentUpdate)
class IncidentUpdateAdmin(ReadOnlyAdmin):
    list_display = ["incident", "author_name", "created_at", "text"]
    list_select_related = ["incident"]
    search_fields = ["text", "author_name", "=incident__number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        visible = Incident.objects.visible_to(actor_of(request, via="admin"))
        return IncidentUpdate.objects.filter(incident__in=visible).select_related("incident")
