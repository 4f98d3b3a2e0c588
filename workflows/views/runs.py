"""Runs: the list of them, one with all of its steps, and what people do with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from incidents.models import Incident
from workflows.definition import walk
from workflows.filters import RunFilter, runs_for_lists
from workflows.models import StepRun, Workflow, WorkflowRun
from workflows.permissions import can_steer_runs
from workflows.runs import cancel_run, rerun_from, start_by_hand
from workflows.triggers import HAPPENINGS
from workflows.words import words_of

MOST_COUNTED = 10_000
TRIGGERS = {
    "person": gettext_lazy("Started by hand"),
    "called": gettext_lazy("Called by another workflow"),
    "time": gettext_lazy("By the clock"),
    "webhook": gettext_lazy("By its webhook"),
}


@dataclass(frozen=True)
class Line:
    """A step of a run as its page shows it; `row` is None for one to which the run has not come."""

    words: str
    kind: str
    turn: str
    row: StepRun | None = None


def trigger_label(trigger: str) -> str:
    """What started a run, for people."""
    if trigger in HAPPENINGS:
        return str(HAPPENINGS[trigger].label)
    return str(TRIGGERS.get(trigger, trigger))


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs, the newest first; those of incidents that the viewer may not see are left out."""
    actor = actor_of(request)
    found = runs_for_lists(actor).order_by("-id")
    listing = list_page(request, found, RunFilter, most_counted=MOST_COUNTED)
    rows = [{"run": run, "trigger": trigger_label(run.trigger)} for run in listing.page]
    return render(request, "workflows/run_list.html", {"list": listing, "rows": rows})


@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: what started it, each of its steps with what went in and came out, what can be done with it."""
    actor = actor_of(request)
    known = WorkflowRun.objects.visible_to(actor).select_related("workflow", "version", "started_by", "caller")
    run = get_object_or_404(known.select_related("incident__severity", "incident__status"), pk=pk)
    rows = list(run.steps.all())
    called = WorkflowRun.objects.visible_to(actor).filter(caller=run).select_related("workflow")
    context: dict[str, Any] = {
        "run": run,
        "lines": lines_of(run.version.definition, rows),
        "trigger": trigger_label(run.trigger),
        "called": called,
        "again_of": again_of(run),
        "may_steer": can_steer_runs(actor),
        "is_newest": run.version.number == run.workflow.version,
    }
    return render(request, "workflows/run.html", context)


def again_of(run: WorkflowRun) -> int | None:
    """The run of which this one is a repetition; None if it is none."""
    word, _dash, rest = run.dedup_key.partition("-")
    number = rest.partition("-")[0]
    return int(number) if word == "again" and number.isdecimal() else None


def lines_of(definition: Mapping[str, Any], rows: list[StepRun]) -> list[Line]:
    """The steps of a run in the order in which it came to them, then those to which it has not come."""
    by_id = {str(step.get("id")): step for _path, step in walk(definition)}
    seen = set()
    lines = []
    for row in rows:
        *turns, step_id = row.path.split(".")
        seen.add(step_id)
        step = by_id.get(step_id)
        turn = ", ".join(str(int(each) + 1) for each in turns[1::2])
        lines.append(Line(row.name or (words_of(step) if step else row.path), row.kind, turn, row))
    passed = _passed_by(definition, rows)
    rest = [step for step_id, step in by_id.items() if step_id not in seen | passed]
    return lines + [Line(str(step.get("name") or words_of(step)), str(step.get("kind")), "") for step in rest]


def _passed_by(definition: Mapping[str, Any], rows: list[StepRun]) -> set[str]:
    """The ids of steps on the sides of branches that were not taken."""
    taken = {row.path.rsplit(".", 1)[-1]: row.output["taken"] for row in rows if "taken" in row.output}
    other = {
        f"{path}.{'otherwise' if taken[str(step.get('id'))] == 'then' else 'then'}."
        for path, step in walk(definition)
        if str(step.get("id")) in taken
    }
    return {str(step.get("id")) for path, step in walk(definition) if path.startswith(tuple(other))}


@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a run where it stands."""
    actor = actor_of(request)
    run = get_object_or_404(WorkflowRun.objects.visible_to(actor), pk=pk)
    cancel_run(actor=actor, run=run, now=timezone.now())
    messages.success(request, _("The run is canceled."))
    return redirect(run)


@require_POST
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Runs it again from one of its steps, `path`, as a new run."""
    actor = actor_of(request)
    run = get_object_or_404(WorkflowRun.objects.visible_to(actor), pk=pk)
    again = rerun_from(actor=actor, run=run, path=request.POST.get("path", ""), now=timezone.now())
    messages.success(request, _("It runs again: this is the new run."))
    return redirect(again)


@require_POST
def workflow_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Starts a workflow that waits for a person, for `incident` (its number) or for none."""
    actor = actor_of(request)
    workflow = get_object_or_404(Workflow, slug=slug)
    number = request.POST.get("incident", "")
    incident = None
    if number:
        known = Incident.objects.visible_to(actor)
        incident = get_object_or_404(known, number=int(number) if number.isdecimal() and len(number) < 10 else 0)
    run = start_by_hand(
        actor=actor,
        workflow=workflow,
        incident=incident,
        now=timezone.now(),
        request_key=request.POST.get("request_key", "")[:80],
    )
    messages.success(request, _("%(name)s has been started.") % {"name": workflow.name})
    if request.POST.get("stay") and incident is not None:
        return redirect(incident)
    return redirect(reverse("workflows:run", args=[run.pk]))
