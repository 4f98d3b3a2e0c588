"""Workflows that run: made in one line, and time passing for them."""

from datetime import datetime
from typing import Any

import time_machine
from django.utils import timezone
from django.utils.text import slugify

from events.actions import deliver_due
from incidents.nudges import nudge_due
from oncall.engine import tick
from workflows.definition import checked, columns_of
from workflows.engine import advance_due
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.times import start_due


def step(kind: str, step_id: str = "", **fields: Any) -> dict[str, Any]:
    """A step; what is no key of a step is a parameter."""
    keys = {"conditions", "on_error", "timeout_minutes", "name", "then", "otherwise", "steps"}
    own = {
        key: fields.pop(key) for key in list(fields) if key in keys and not (kind == "branch" and key == "conditions")
    }
    return {"id": step_id or kind, "kind": kind, "params": fields, **own}


def running(*steps: dict[str, Any], name: str = "Chores", events: list[str] | None = None, **more: Any) -> Workflow:
    """A workflow that is switched on; `trigger`, `conditions` and `once` are those of its definition."""
    trigger = more.pop("trigger", {"kind": "event", "events": events or ["incident.declared"]})
    definition: dict[str, Any] = {"trigger": trigger, "steps": list(steps)}
    definition |= {key: more.pop(key) for key in ("conditions", "once") if key in more}
    now = more.pop("now", None) or timezone.now()
    sound = checked(definition)
    made = Workflow.objects.create(
        name=name,
        slug=slugify(name),
        version=1,
        created_at=now,
        updated_at=now,
        **{"is_enabled": True, **columns_of(sound, now), **more},
    )
    WorkflowVersion.objects.create(workflow=made, number=1, definition=sound, author_name="Test", created_at=now)
    return made


def pass_time(now: datetime) -> None:
    """It is `now`, and everything that is due by then happens: clocks, deliveries, chores, pages."""
    # (what happened outside this waits since the clock on the wall)
    delivered_until = max(now, timezone.now())
    with time_machine.travel(now, tick=False):
        for _round in range(20):
            nudge_due(now)
            start_due(now)
            tick(now)
            if not deliver_due(delivered_until) + advance_due(now, limit=500):
                return


def run_of(made: Workflow) -> WorkflowRun:
    """The newest run of a workflow."""
    return WorkflowRun.objects.filter(workflow=made).latest("pk")
