"""Runs and their steps in templates: `{% load workflow_words %}`."""

import json
from typing import Any

from django import template

from workflows.models import StepRun, WorkflowRun

register = template.Library()
LONG = 120
# How states look, by the names that `state_badge` knows.
LOOKS = {
    WorkflowRun.State.WAITING: "pending",
    WorkflowRun.State.CANCELED: "revoked",
    WorkflowRun.State.STOPPED: "failed",
    WorkflowRun.State.NOT_MET: "dropped",
    StepRun.State.SKIPPED: "dropped",
}


@register.filter
def look(state: str) -> str:
    """How the state of a run or a step looks: `{% state_badge run.state|look run.get_state_display %}`."""
    return LOOKS.get(state, state)  # type: ignore[call-overload, no-any-return]  # the choices are texts


@register.filter
def is_long(value: Any) -> bool:
    """Whether a value wants a block of its own."""
    return isinstance(value, (dict, list)) or len(str(value)) > LONG


@register.filter
def as_json(value: Any) -> str:
    """A stored value as people read it."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def seconds_of(row: WorkflowRun | StepRun) -> float | None:
    """How many seconds it took; None while it is under way."""
    if row.started_at is None or row.ended_at is None:
        return None
    return (row.ended_at - row.started_at).total_seconds()
