"""Workflows to test with, saved as people save them."""

from itertools import count
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from workflows.actions import save_workflow
from workflows.models import Workflow

numbers = count(1)
NOTE: dict[str, Any] = {"id": "note", "kind": "add_note", "params": {"text": "Noted for {{ incident.reference }}"}}
DECLARED: dict[str, Any] = {"kind": "event", "events": ["incident.declared"]}
BY_HAND: dict[str, Any] = {"kind": "person"}


def definition(*steps: dict[str, Any], trigger: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A definition of these steps, of one note if there are none, that starts when an incident is declared."""
    return {"trigger": trigger or DECLARED, "steps": list(steps) or [NOTE], **more}


def workflow(*steps: dict[str, Any], actor: Actor | None = None, **fields: Any) -> Workflow:
    """A workflow of these steps, switched on; `trigger`, `conditions` and `once` are those of its definition."""
    said = {name: fields.pop(name) for name in ("trigger", "conditions", "once") if name in fields}
    fields.setdefault("name", f"Workflow {next(numbers)}")
    fields.setdefault("is_enabled", True)
    fields.setdefault("now", timezone.now())
    return save_workflow(actor=actor or Actor.system(), definition=definition(*steps, **said), **fields)
