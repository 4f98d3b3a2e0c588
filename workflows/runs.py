"""What people do with runs: cancel one, run it again from a step, start a workflow by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid, NotFound, require
from events.poke import poke
from incidents.models import Incident
from incidents.permissions import can_view
from workflows import walking
from workflows.engine import finish
from workflows.models import StepRun, Workflow, WorkflowRun, WorkflowVersion
from workflows.permissions import can_start, can_steer_runs
from workflows.starting import ADVANCE, start_run

State = WorkflowRun.State
StepState = StepRun.State


@transaction.atomic
def start_by_hand(
    *,
    actor: Actor,
    workflow: Workflow,
    now: datetime,
    incident: Incident | None = None,
    facts: Mapping[str, Any] | None = None,
    request_key: str = "",
) -> WorkflowRun:
    """Starts a workflow that people start, for an incident or for none. The same `request_key` starts it once."""
    if incident is not None and not can_view(actor, incident):
        raise NotFound("There is no such incident.")
    if workflow.trigger_kind != Workflow.TriggerKind.PERSON:
        raise Conflict(f"“{workflow}” is not started by people.", remedy="Choose one that is.")
    if not workflow.is_enabled:
        raise Conflict(f"“{workflow}” is switched off.", remedy="Ask a manager to switch it on.")
    require(can_start(actor, workflow, incident), "You may not start this workflow.")
    version = WorkflowVersion.objects.select_related("workflow").get(workflow=workflow, number=workflow.version)
    run = start_run(
        actor=actor,
        version=version,
        trigger="person",
        dedup_key=f"person-{request_key or uuid4()}",
        now=now,
        incident=incident,
        facts={"event": {"name": "person", "by": actor.name, "data": dict(facts or {})}},
    )
    publish("workflow.run_started", subject=workflow, actor=actor, data={"run": run.pk})
    return run


@transaction.atomic
def cancel_run(*, actor: Actor, run: WorkflowRun, now: datetime) -> WorkflowRun:
    """Ends a run where it stands, with those that it has called. One that is over stays as it is."""
    run = _locked(actor, run)
    if not run.is_open:
        return run
    for called in WorkflowRun.objects.filter(caller=run, state__in=WorkflowRun.OPEN):
        cancel_run(actor=actor, run=called, now=now)
    why = f"Canceled by {actor.name}."
    run.steps.filter(state__in=[StepState.RUNNING, StepState.WAITING]).update(
        state=StepState.SKIPPED, detail=why, ended_at=now
    )
    finish(run, state=State.CANCELED, error=why, now=now)
    poke(ADVANCE)
    publish("workflow.run_canceled", subject=run.workflow, actor=actor, data={"run": run.pk})
    return run


@transaction.atomic
def rerun_from(*, actor: Actor, run: WorkflowRun, path: str, now: datetime) -> WorkflowRun:
    """Runs it again from one of its steps on, as a new run that knows what the steps before it returned.

    Raises Conflict while it runs, and Invalid for a step that it has not come to.
    """
    run = _locked(actor, run)
    if run.is_open:
        raise Conflict("This run is not over.", remedy="Cancel it first.")
    rows = list(run.steps.order_by("id"))
    target = next((row for row in rows if row.path == path), None)
    if target is None:
        raise Invalid(f"The run has not come to {path}.", field="path", remedy="Choose one of its steps.")
    before = [row for row in rows if row.pk < target.pk]
    try:
        position = walking.position_of(run.version.definition, path, {row.path: row.output for row in before})
    except LookupError as error:
        raise Invalid(str(error), field="path") from error
    again = start_run(
        actor=actor,
        version=run.version,
        trigger=run.trigger,
        dedup_key=f"again-{run.pk}-{uuid4()}",
        now=now,
        incident=run.incident,
        facts=run.facts,
    )
    if not again.is_open:
        return again
    again.position, again.started_at = position, now
    again.save(update_fields=["position", "started_at"])
    StepRun.objects.bulk_create(_copy(row, again) for row in before)
    publish("workflow.run_started", subject=run.workflow, actor=actor, data={"run": again.pk, "again": run.pk})
    return again


def _copy(row: StepRun, run: WorkflowRun) -> StepRun:
    names = ("path", "kind", "name", "state", "inputs", "output", "detail", "attempts", "started_at", "ended_at")
    return StepRun(run=run, **{name: getattr(row, name) for name in names})


def _locked(actor: Actor, run: WorkflowRun) -> WorkflowRun:
    """The run, locked, if the actor may decide about it."""
    found = WorkflowRun.objects.select_for_update(of=("self",)).select_related("workflow", "version", "incident")
    locked = found.get(pk=run.pk)
    if locked.incident is not None and not can_view(actor, locked.incident):
        raise NotFound("There is no such run.")
    require(can_steer_runs(actor), "Viewers may not steer runs.")
    return locked
