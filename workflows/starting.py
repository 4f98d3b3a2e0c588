"""How runs begin: once for each cause, never in a circle, and not without end for one incident."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from events.errors import Conflict
from events.poke import poke
from incidents.models import Incident
from workflows.models import Workflow, WorkflowRun, WorkflowVersion

ADVANCE = "workflows.advance"
# How many workflows may lead to each other, and how often one runs for the same incident within an hour.
LONGEST_CHAIN = 5
MOST_AN_HOUR = 30
State = WorkflowRun.State


@transaction.atomic
def start_run(
    *,
    actor: Actor,
    version: WorkflowVersion,
    trigger: str,
    dedup_key: str,
    now: datetime,
    incident: Incident | None = None,
    facts: Mapping[str, Any] | None = None,
    chain: Sequence[int] = (),
    caller: WorkflowRun | None = None,
    delay: timedelta = timedelta(0),
) -> WorkflowRun:
    """Begins a run, due after the delay, and returns it; the same `dedup_key` of a workflow has one run for good.

    `chain` are the ids of the workflows whose doing led to it. One that it has set off itself is stored as canceled,
    one that would run without end as stopped; it says why. Raises Conflict for an incident that it may not run for.
    """
    workflow = version.workflow
    refusal = not_for(workflow, incident)
    if refusal:
        raise Conflict(refusal, remedy="Change what the workflow runs for.")
    state, refused, key = _refused(workflow, incident, chain, dedup_key, now)
    told = dict(facts or {})
    if delay:
        told["delay"] = delayed(now + delay, incident)
    run, created = WorkflowRun.objects.get_or_create(
        workflow=workflow,
        dedup_key=key[:200],
        defaults={
            "version": version,
            "incident": incident,
            "state": state,
            "trigger": trigger[:100],
            "facts": told,
            "started_by_kind": actor.kind,
            "started_by_name": actor.name[:200],
            "started_by_id": actor.user_id,
            "chain": list(chain),
            "caller": caller,
            "due_at": None if refused else now + delay,
            "created_at": now,
            "ended_at": now if refused else None,
            "error": refused,
        },
    )
    if created and not refused and not delay:
        poke(ADVANCE)
    return run


def not_for(workflow: Workflow, incident: Incident | None) -> str:
    """Why a workflow does not run for an incident; "" if it does."""
    if incident is None:
        return ""
    if incident.is_private and not workflow.sees_private:
        return f"{workflow} does not run for private incidents."
    if incident.mode in {Incident.Mode.TEST, Incident.Mode.GAME_DAY} and not workflow.in_tests:
        return f"{workflow} does not run for tests and game days."
    return ""


def _refused(
    workflow: Workflow, incident: Incident | None, chain: Sequence[int], dedup_key: str, now: datetime
) -> tuple[WorkflowRun.State, str, str]:
    """As what it is stored, why it is not run, and the key under which that is told: once an hour if too often."""
    if workflow.pk in chain:
        return State.CANCELED, "Not run: what it did itself led to this.", dedup_key
    if len(chain) >= LONGEST_CHAIN:
        return State.STOPPED, f"Not run: {len(chain)} workflows have led to each other already.", dedup_key
    if incident is not None:
        lately = WorkflowRun.objects.filter(
            incident=incident, workflow=workflow, created_at__gt=now - timedelta(hours=1)
        )
        if lately.count() >= MOST_AN_HOUR:
            hour = now.strftime("%Y%m%d%H")
            return (
                State.STOPPED,
                f"Not run: it ran {MOST_AN_HOUR} times for this incident within an hour.",
                f"often-{incident.pk}-{hour}",
            )
    return State.WAITING, "", dedup_key


def delayed(until: datetime, incident: Incident | None) -> dict[str, Any]:
    """A stretch of waiting as it is kept: its end, and how long the incident had stood still when it began."""
    return {"until": until.isoformat(), "paused_seconds": incident.paused_seconds if incident else 0}


def ends_at(delay: Mapping[str, Any], incident: Incident | None) -> datetime:
    """When a stretch of waiting is over: what the incident stood still meanwhile does not count."""
    until = datetime.fromisoformat(delay["until"])
    paused = incident.paused_seconds - delay.get("paused_seconds", 0) if incident else 0
    return until + timedelta(seconds=max(paused, 0))


def chain_of(actor_kind: str, actor_key: str) -> list[int]:
    """The workflows behind what an actor did: those that led to its run, and its own."""
    workflow_id, _, run_id = actor_key.partition("/")
    if actor_kind != "workflow" or not workflow_id.isdigit():
        return []
    run = WorkflowRun.objects.filter(pk=int(run_id or 0)).values_list("chain", flat=True).first()
    return [*(run or []), int(workflow_id)]
