"""Steps that are about the way itself: waiting, branching, going through a list, calling another workflow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from events.conditions import MISSING, holds, look_up
from workflows import walking
from workflows.definition import MOST_MINUTES
from workflows.facts import condition_words, named, not_so
from workflows.models import StepRun, Workflow, WorkflowRun, WorkflowVersion
from workflows.registry import Context, Failed, Outcome, Skip
from workflows.starting import delayed, start_run
from workflows.subjects import plain

MOST_ITEMS = 100
# A called run wakes its caller when it ends; this is the guarantee behind it.
LOOK_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Ask:
    """What a step of the flow is given. `is_over` tells whether a stretch of waiting is, and sets the run's clock."""

    run: WorkflowRun
    row: StepRun
    params: Mapping[str, Any]
    facts: Mapping[str, Any]
    context: Context
    is_over: Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Hold:
    """The run waits here until it is due."""

    output: Mapping[str, Any]
    due_at: datetime | None
    detail: str


@dataclass(frozen=True)
class Enter:
    """The run goes on at another position."""

    position: walking.Position
    outcome: Outcome


@dataclass(frozen=True)
class Go:
    """The run goes on after the step."""

    outcome: Outcome


Flow = Callable[[Ask], Hold | Enter | Go]


def _wait(ask: Ask) -> Hold | Enter | Go:
    if ask.row._state.adding:
        until = wait_until(ask.params, ask.context.now)
        kept = delayed(until, ask.run.incident)
    else:
        kept = ask.row.output
    if not ask.is_over(kept):
        return Hold(kept, ask.run.due_at, _held(ask))
    return Go(Outcome("The wait is over.", kept))


def _held(ask: Ask) -> str:
    incident, due_at = ask.run.incident, ask.run.due_at
    if due_at is None or (incident is not None and incident.paused_at is not None):
        return "Waits while the incident is paused."
    return f"Until {instant_in_words(due_at)}."


def instant_in_words(at: datetime) -> str:
    """An instant as people read it where no clock of theirs is known."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def wait_until(params: Mapping[str, Any], now: datetime) -> datetime:
    """When a wait that begins now ends. Raises Failed for an instant that can't be read and for more than a year."""
    text = str(params.get("until") or "").strip()
    if not text:
        minutes = float(params.get("minutes") or 0)
        if minutes > MOST_MINUTES:
            raise Failed(f"{minutes:g} minutes are more than a year.")
        return now + timedelta(minutes=minutes)
    try:
        until = parse_datetime(text)
    except ValueError:
        until = None
    if until is None:
        raise Failed(f"{text[:80]!r} is not an instant (such as 2026-03-14T09:00:00+01:00).")
    return until if until.tzinfo else until.replace(tzinfo=UTC)


def _branch(ask: Ask) -> Hold | Enter | Go:
    condition = ask.params.get("conditions") or {}
    is_so = holds(condition, ask.facts)
    block = "then" if is_so else "otherwise"
    said = f"So: {condition_words(condition)}." if is_so else not_so(condition, ask.facts)
    outcome = Outcome(said, {"taken": block})
    step = walking.current(ask.run.version.definition, ask.run.position)
    return Enter(walking.branched(ask.run.position, block), outcome) if step.get(block) else Go(outcome)


def _loop(ask: Ask) -> Hold | Enter | Go:
    items = items_of(ask.params, ask.facts)
    outcome = Outcome(items_in_words(ask.params, ask.facts, items), {"items": items})
    name = str(ask.params.get("as") or "it")
    return Enter(walking.looped(ask.run.position, at=ask.row.path, name=name, of=len(items)), outcome)


def items_of(params: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Any]:
    """What a loop goes through: the list that a fact is, at most a hundred items. Raises Failed for what is no list."""
    name = str(params.get("over") or "")
    value = look_up(facts, name)
    found = [] if value is MISSING or value is None else plain(value)
    if isinstance(found, str):
        found = [each.strip() for each in found.split(",") if each.strip()]
    if not isinstance(found, list):
        raise Failed(f"{name} is not a list.")
    return found[:MOST_ITEMS]


def items_in_words(params: Mapping[str, Any], facts: Mapping[str, Any], items: list[Any]) -> str:
    """How many a loop goes through; of none, why."""
    if items:
        return f"{len(items)} to go through."
    name = str(params.get("over") or "")
    if look_up(facts, name) is MISSING:
        return f"Nothing to go through: nothing is called {name} here."
    return f"Nothing to go through: {named(name)} is empty."


def _call(ask: Ask) -> Hold | Enter | Go:
    if ask.row.output.get("run"):
        return _called(ask)
    version = version_called(str(ask.params.get("workflow") or ""))
    run = start_run(
        actor=ask.context.actor,
        version=version,
        trigger="called",
        dedup_key=f"call-{ask.run.pk}-{ask.row.path}",
        now=ask.context.now,
        incident=ask.run.incident,
        facts=ask.run.facts,
        chain=ask.context.chain,
        caller=ask.run,
    )
    output = {"run": run.pk, "state": run.state}
    if not ask.params.get("wait", True):
        return Go(Outcome(f"Started “{version.workflow}”.", output))
    if not run.is_open:
        raise Failed(run.error or f"“{version.workflow}” did not run.")
    return Hold(output, ask.context.now + LOOK_AGAIN, f"Waits for “{version.workflow}”.")


def _called(ask: Ask) -> Hold | Enter | Go:
    run = WorkflowRun.objects.select_related("workflow").get(pk=ask.row.output["run"])
    if run.is_open:
        return Hold(ask.row.output, ask.context.now + LOOK_AGAIN, f"Waits for “{run.workflow}”.")
    if run.state in {WorkflowRun.State.FAILED, WorkflowRun.State.CANCELED}:
        raise Failed(f"“{run.workflow}” ended: {run.get_state_display()}. {run.error}".strip())
    return Go(Outcome(f"“{run.workflow}” is done.", {"run": run.pk, "state": run.state}))


def version_called(slug: str) -> WorkflowVersion:
    """What a workflow is now; raises Skip where there is none, or it is switched off."""
    workflow = Workflow.objects.filter(slug=slug).first()
    if workflow is None:
        raise Skip(f"There is no workflow {slug}.")
    if not workflow.is_enabled:
        raise Skip(f"“{workflow}” is switched off.")
    return WorkflowVersion.objects.select_related("workflow").get(workflow=workflow, number=workflow.version)


FLOW: dict[str, Flow] = {"wait": _wait, "branch": _branch, "loop": _loop, "call_workflow": _call}
