"""Something of everything of workflows: steps within steps, two versions, and a run that has ended."""

from datetime import datetime
from typing import Any

from accounts.actor import Actor
from accounts.models import User
from incidents.models import Incident
from workflows.actions import save_workflow
from workflows.engine import advance_one
from workflows.models import WorkflowRun
from workflows.runs import start_by_hand

VENDOR: dict[str, Any] = {
    "trigger": {"kind": "person"},
    "conditions": {"all": [{"fact": "incident.is_open", "operator": "is", "value": "true"}]},
    "steps": [
        {
            "id": "note",
            "kind": "add_note",
            "params": {"text": "The vendor of {{ incident.service_names | join: ', ' }} is called in."},
        },
        {
            "id": "bad",
            "kind": "branch",
            "params": {"conditions": {"all": [{"fact": "incident.rank", "operator": "greater", "value": "2"}]}},
            "then": [
                {
                    "id": "call",
                    "kind": "create_action",
                    "name": "Ring them",
                    "params": {"title": "Call the vendor's hotline about {{ incident.reference }}"},
                },
                {"id": "wait", "kind": "wait", "params": {"minutes": 15}},
            ],
            "otherwise": [{"id": "mail", "kind": "create_action", "params": {"title": "Write to the vendor"}}],
        },
        {"id": "channel", "kind": "create_channel", "params": {}, "on_error": "continue"},
    ],
}


def tell_of_workflows(incident: Incident, now: datetime) -> WorkflowRun:
    """A workflow that people start, in its second version, and a run of it, which is returned."""
    admin = Actor.of_user(User.objects.get(email="admin@example.com"), via="web")
    first = {**VENDOR, "steps": VENDOR["steps"][:1]}
    made = save_workflow(
        actor=admin,
        name="Call in the vendor",
        description="When what is broken is somebody else's.",
        folder="By hand",
        definition=first,
        is_enabled=True,
        now=now,
    )
    made = save_workflow(
        actor=admin,
        workflow=made,
        name=made.name,
        definition=VENDOR,
        note="Ask for a call when it is bad",
        now=now,
    )
    run = start_by_hand(actor=admin, workflow=made, incident=incident, now=now)
    while advance_one(now):
        pass
    return run
