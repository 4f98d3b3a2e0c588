"""The list of workflows, and what somebody can do to one of them from there."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from workflows import actions
from workflows.filters import WorkflowFilter
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.permissions import can_configure
from workflows.trouble import in_trouble_for
from workflows.words import trigger_words

COUNTED_DAYS = 7
SORTABLE = ("name", "updated_at")
State = WorkflowRun.State


@dataclass
class Row:
    """A workflow as the list shows it: when it starts, its last run, and how many there were of late."""

    workflow: Workflow
    trigger: str
    last: WorkflowRun | None
    runs: int
    failed: int
    begins_folder: bool = False


@require_safe
def workflow_list(request: HttpRequest) -> HttpResponse:
    """By folder and name; runs of incidents that the viewer may not see are not counted."""
    actor = actor_of(request)
    last = WorkflowRun.objects.visible_to(actor).exclude(state=State.NOT_MET).filter(workflow=OuterRef("pk"))
    found = Workflow.objects.annotate(last_run=Subquery(last.order_by("-id").values("pk")[:1]))
    listing = list_page(request, found, WorkflowFilter, sortable=SORTABLE, rows=50)
    rows = rows_of(list(listing.page), actor)
    context: dict[str, Any] = {
        "list": listing,
        "rows": rows,
        "days": COUNTED_DAYS,
        "failing": in_trouble_for(actor, timezone.now()) if can_configure(actor) else [],
        "can_configure": can_configure(actor),
    }
    if request.GET.get("sort", "").removeprefix("-") not in SORTABLE:
        for row, before in zip(rows, [None, *rows], strict=False):
            row.begins_folder = before is None or before.workflow.folder != row.workflow.folder
        context["by_folder"] = any(row.workflow.folder for row in rows)
    return render(request, "workflows/list.html", context)


def rows_of(workflows: Sequence[Workflow], actor: Actor) -> list[Row]:
    """What the list shows of each, in three queries; `last_run` is annotated."""
    pks = [workflow.pk for workflow in workflows]
    since = timezone.now() - timedelta(days=COUNTED_DAYS)
    recent = WorkflowRun.objects.visible_to(actor).filter(workflow__in=pks, created_at__gte=since)
    counted: dict[int, dict[str, int]] = defaultdict(lambda: {"runs": 0, "failed": 0})
    tally = recent.exclude(state=State.NOT_MET).order_by().values("workflow")
    for row in tally.annotate(runs=Count("pk"), failed=Count("pk", filter=Q(state__in=WorkflowRun.TROUBLE))):
        counted[row["workflow"]] = {"runs": row["runs"], "failed": row["failed"]}
    lasts = WorkflowRun.objects.defer("facts", "position").in_bulk(
        [pk for workflow in workflows if (pk := getattr(workflow, "last_run", None))]
    )
    definitions = definitions_of(workflows)
    return [
        Row(
            workflow,
            trigger_words(definitions[workflow.pk].get("trigger") or {}) if workflow.pk in definitions else "",
            lasts.get(getattr(workflow, "last_run", None) or 0),
            counted[workflow.pk]["runs"],
            counted[workflow.pk]["failed"],
        )
        for workflow in workflows
    ]


def definitions_of(workflows: Sequence[Workflow]) -> dict[int, dict[str, Any]]:
    """What each workflow's version in force does, by the workflow's id."""
    in_force = Q()
    for workflow in workflows:
        in_force |= Q(workflow=workflow, number=workflow.version)
    if not in_force:
        return {}
    return dict(WorkflowVersion.objects.filter(in_force).values_list("workflow_id", "definition"))


def go_back(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    """To where the button stood: the list or the workflow's page."""
    there = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure())
    return redirect(there if allowed else workflow.get_absolute_url())


@require_POST
def workflow_switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Switches a workflow on or off."""
    workflow = get_object_or_404(Workflow, slug=slug)
    wanted = request.POST.get("is_enabled") == "true"
    actions.switch_workflow(actor=actor_of(request), workflow=workflow, is_enabled=wanted, now=timezone.now())
    said = _("%(name)s is switched on.") if wanted else _("%(name)s is switched off. What runs goes on.")
    messages.success(request, said % {"name": workflow.name})
    return go_back(request, workflow)


@require_POST
def workflow_move(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts a workflow into a folder."""
    workflow = get_object_or_404(Workflow, slug=slug)
    folder = request.POST.get("folder", "")
    actions.move_workflow(actor=actor_of(request), workflow=workflow, folder=folder, now=timezone.now())
    return go_back(request, workflow)


@require_POST
def workflow_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Removes a workflow."""
    workflow = get_object_or_404(Workflow, slug=slug)
    actions.remove_workflow(actor=actor_of(request), workflow=workflow)
    messages.success(request, _("%(name)s is gone.") % {"name": workflow.name})
    return redirect("workflows:list")


@require_POST
def workflow_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """Gives the workflow's webhook another address."""
    workflow = get_object_or_404(Workflow, slug=slug)
    actions.rotate_token(actor=actor_of(request), workflow=workflow)
    messages.success(request, _("The webhook has a new address. The old one no longer works."))
    return redirect(workflow)
