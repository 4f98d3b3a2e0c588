"""Workflows and their runs in the Django admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.actor import actor_of
from accounts.buttons import press
from events.admin import ReadOnlyAdmin
from workflows.actions import switch_workflow
from workflows.models import Workflow, WorkflowRun
from workflows.runs import cancel_run


@admin.register(Workflow)
class WorkflowAdmin(ReadOnlyAdmin):
    list_display = ["name", "folder", "is_enabled", "trigger_kind", "version", "next_at", "updated_at"]
    list_filter = ["is_enabled", "trigger_kind", "folder", "sees_private", "in_tests"]
    search_fields = ["name", "slug", "description"]
    exclude = ["token", "token_hash"]
    actions = ["switch_on", "switch_off"]

    @admin.action(description="Switch on", permissions=["view"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        now = timezone.now()
        press(
            request, queryset, lambda actor, row: switch_workflow(actor=actor, workflow=row, is_enabled=True, now=now)
        )

    @admin.action(description="Switch off", permissions=["view"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        now = timezone.now()
        press(
            request, queryset, lambda actor, row: switch_workflow(actor=actor, workflow=row, is_enabled=False, now=now)
        )


@admin.register(WorkflowRun)
class WorkflowRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "workflow", "incident", "state", "trigger", "started_by_name", "created_at", "ended_at"]
    list_filter = ["state", "workflow"]
    list_select_related = ["workflow", "incident"]
    search_fields = ["workflow__name", "started_by_name", "=incident__number"]
    show_full_result_count = False
    actions = ["cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowRun]:
        """Runs of incidents that the administrator may not see are not there."""
        return WorkflowRun.objects.visible_to(actor_of(request, via="admin"))

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[WorkflowRun]) -> None:
        press(request, queryset, lambda actor, row: cancel_run(actor=actor, run=row, now=timezone.now()))
