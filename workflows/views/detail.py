"""The page of one workflow: what it does, its versions, its runs; and each version by itself."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from workflows import actions
from workflows.definition import masked
from workflows.differences import changes
from workflows.filters import runs_for_lists
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.permissions import can_configure, can_start
from workflows.subjects import address
from workflows.views.lists import COUNTED_DAYS
from workflows.views.runs import trigger_label
from workflows.views.trying import to_try_with
from workflows.words import opening, steps_in_words

RUNS_SHOWN = 10
VERSIONS_SHOWN = 20
State = WorkflowRun.State


@require_safe
def workflow_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """What it does in words, how it has run of late, who has changed it."""
    actor = actor_of(request)
    workflow = get_object_or_404(Workflow, slug=slug)
    version = actions.current_version(workflow)
    definition = version.definition if version else {}
    since = timezone.now() - timedelta(days=COUNTED_DAYS)
    runs = WorkflowRun.objects.visible_to(actor).filter(workflow=workflow)
    lately = runs.filter(created_at__gte=since).exclude(state=State.NOT_MET)
    may_change = can_configure(actor, sees_private=workflow.sees_private)
    context: dict[str, Any] = {
        "workflow": workflow,
        "version": version,
        "opening": opening(definition),
        "words": steps_in_words(definition),
        "counted": lately.aggregate(runs=Count("pk"), failed=Count("pk", filter=Q(state__in=WorkflowRun.TROUBLE))),
        "days": COUNTED_DAYS,
        "runs": [
            {"run": run, "trigger": trigger_label(run.trigger)}
            for run in runs_for_lists(actor).filter(workflow=workflow).order_by("-id")[:RUNS_SHOWN]
        ],
        "versions": versions_of(workflow)[:VERSIONS_SHOWN],
        "can_configure": may_change,
        "may_start": can_start(actor, workflow) and workflow.is_enabled,
        "try_with": to_try_with(actor, definition, workflow),
    }
    if may_change and workflow.token:
        context["webhook"] = address(reverse("workflows:workflow-hook", args=[workflow.token]))
    return render(request, "workflows/detail.html", context)


def versions_of(workflow: Workflow) -> Any:
    """Its versions, the newest first, without what they do."""
    return workflow.versions.select_related("author").defer("definition").order_by("-number")


@require_safe
def version_list(request: HttpRequest, slug: str) -> HttpResponse:
    """All versions of a workflow."""
    workflow = get_object_or_404(Workflow, slug=slug)
    may = can_configure(actor_of(request), sees_private=workflow.sees_private)
    context = {"workflow": workflow, "versions": versions_of(workflow), "can_configure": may}
    return render(request, "workflows/versions.html", context)


@require_safe
def version_detail(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version: what it did, and what it changed; `?against=3` compares it with another one."""
    workflow = get_object_or_404(Workflow, slug=slug)
    version = get_object_or_404(workflow.versions.select_related("author"), number=number)
    asked = request.GET.get("against", "")
    other_number = int(asked) if asked.isdecimal() and len(asked) < 10 else number - 1
    other = WorkflowVersion.objects.filter(workflow=workflow, number=other_number).first()
    context = {
        "workflow": workflow,
        "version": version,
        "other": other,
        "changes": changes(masked(other.definition), masked(version.definition)) if other else [],
        "opening": opening(version.definition),
        "words": steps_in_words(version.definition),
        "versions": versions_of(workflow).exclude(number=number),
        "can_configure": can_configure(actor_of(request), sees_private=workflow.sees_private),
    }
    return render(request, "workflows/version.html", context)


@require_POST
def version_restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Makes what an earlier version did the newest version."""
    workflow = get_object_or_404(Workflow, slug=slug)
    restored = actions.restore_version(actor=actor_of(request), workflow=workflow, number=number, now=timezone.now())
    messages.success(
        request,
        _("Version %(version)s does what version %(number)s did.") % {"version": restored.version, "number": number},
    )
    return redirect(restored)
