"""Trying a workflow: what it would do for an incident, with nothing written and nobody told."""

from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Scope
from events.errors import NotAllowed
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from workflows.models import Workflow
from workflows.trial import Fate, Trial, try_workflow

pytestmark = pytest.mark.django_db
RANK_IS_HIGH = {"all": [{"fact": "incident.rank", "operator": "greater", "value": "3"}]}


def trial(definition: dict[str, Any], actor: Actor | None = None, **fields: Any) -> Trial:
    """What a definition would do for a SEV2 incident."""
    incident = fields.pop("incident", None) or incidents.incident(name="Pool exhausted")
    return try_workflow(
        actor=actor or Actor.system(),
        definition=definition,
        incident=incident,
        now=timezone.now(),
        workflow=Workflow(name="Draft", **fields),
    )


def rows() -> dict[str, int]:
    """How many rows each table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def test_each_step_tells_what_it_would_do_and_no_row_changes() -> None:
    incident = incidents.incident(name="Pool exhausted")
    steps = [
        factory.NOTE,
        {"id": "action", "kind": "create_action", "params": {"title": "Raise the pool of {{ incident.name }}"}},
        {"id": "severity", "kind": "set_severity", "params": {"severity": "sev1"}},
        {"id": "mail", "kind": "notify", "params": {"people": {"addresses": ["a@example.com"]}, "text": "Look"}},
        {"id": "done", "kind": "resolve", "params": {}},
    ]
    before = rows()
    found = trial(factory.definition(*steps), incident=incident)
    assert rows() == before
    assert mail.outbox == []
    assert found.would_run
    assert [step.state for step in found.steps] == [Fate.WOULD] * 5
    assert "Raise the pool of Pool exhausted" in found.steps[1].words
    assert found.steps[0].inputs == {"text": f"Noted for {incident.reference}"}


def test_what_is_skipped_and_why_is_told() -> None:
    steps = [
        {"id": "channel", "kind": "create_channel", "params": {}},
        {**factory.NOTE, "conditions": RANK_IS_HIGH},
    ]
    channel, note = trial(factory.definition(*steps)).steps
    assert (channel.state, note.state) == (Fate.SKIPPED, Fate.NOT_MET)
    assert channel.detail
    assert [each.holds for each in note.asked] == [False]


def test_conditions_that_do_not_hold_are_pointed_out() -> None:
    found = trial(factory.definition(conditions=RANK_IS_HIGH))
    assert not found.would_run
    assert [(each.words, each.holds) for each in found.asked] == [("the rank of its severity is greater than 3", False)]


def test_of_a_branch_one_side_is_tried_and_of_a_loop_its_turns() -> None:
    other = {**factory.NOTE, "id": "other"}
    branch = {
        "id": "b",
        "kind": "branch",
        "params": {"conditions": RANK_IS_HIGH},
        "then": [factory.NOTE],
        "otherwise": [other],
    }
    said = {"id": "said", "kind": "add_note", "params": {"text": "{{ it }} is number {{ loop.index }}"}}
    loop = {"id": "l", "kind": "loop", "params": {"over": "event.name", "as": "it"}, "steps": [said]}
    found = trial(factory.definition(branch, loop))
    assert [step.number for step in found.steps] == ["1", "1.else.1", "2", "2.(1).1"]
    assert found.steps[-1].inputs == {"text": "incident.declared is number 1"}


def test_private_incidents_are_out_of_reach_of_what_may_not_run_for_them() -> None:
    secret = incidents.incident(visibility="private")
    assert "private" in trial(factory.definition(), incident=secret).reason
    assert trial(factory.definition(), incident=secret, sees_private=True).would_run


def test_viewers_may_not_try() -> None:
    with pytest.raises(NotAllowed):
        trial(factory.definition(), accounts.actor(Role.VIEWER))


def test_a_program_tries_a_stored_workflow_and_a_draft_of_it() -> None:
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ, Scope.WORKFLOWS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    workflow, incident = factory.workflow(), incidents.incident()
    address = f"/api/v1/workflows/{workflow.slug}/try/"
    asked = {"incident": incident.number}
    stored = client.post(address, asked, content_type="application/json").json()
    assert [step["state"] for step in stored["steps"]] == ["would"]
    draft = factory.definition(factory.NOTE, {"id": "c", "kind": "create_channel", "params": {}})
    tried = client.post(address, {**asked, "definition": draft}, content_type="application/json").json()
    assert [step["state"] for step in tried["steps"]] == ["would", "skipped"]
    secret = incidents.incident(visibility="private")
    assert client.post(address, {"incident": secret.number}, content_type="application/json").status_code == 404
