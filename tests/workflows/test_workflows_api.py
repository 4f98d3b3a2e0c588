"""Workflows by REST: written, switched, started, imported; their runs; and the kinds of steps."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, Scope
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from workflows.definition import MASK
from workflows.engine import advance_due
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/workflows/"


class Program(Client):
    """A client with a manager's key."""

    def __init__(self, role: Role = Role.MANAGER, *scopes: str) -> None:
        key = accounts.api_key(accounts.user(role=role), *(scopes or (Scope.READ, Scope.WORKFLOWS)))
        super().__init__(headers={"authorization": f"Bearer {key}"})

    def send(self, address: str, body: Any = None, method: str = "post") -> Any:
        return getattr(self, method)(address, body or {}, content_type="application/json")


def test_a_workflow_is_made_changed_switched_and_removed() -> None:
    program = Program()
    body = {"name": "Chores", "folder": "Response", "definition": factory.definition(), "note": "First"}
    made = program.send(ADDRESS, body)
    assert made.status_code == 201, made.json()
    assert (made.json()["slug"], made.json()["version"], made.json()["is_enabled"]) == ("chores", 1, False)
    assert made.json()["words"].startswith("When an incident is declared")
    address = f"{ADDRESS}chores/"
    other = factory.definition({"id": "note", "kind": "add_note", "params": {"text": "Other"}})
    assert program.send(address, {"definition": other, "based_on": 1}, "patch").json()["version"] == 2
    stale = program.send(address, {"definition": factory.definition(), "based_on": 1}, "patch")
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "stale")
    assert program.send(f"{address}enable/").json()["is_enabled"] is True
    assert program.send(f"{address}disable/").json()["is_enabled"] is False
    assert program.send(f"{address}restore/", {"number": 1}).json()["version"] == 3
    assert [row["number"] for row in program.get(f"{address}versions/").json()] == [3, 2, 1]
    assert program.delete(address).status_code == 204
    assert not Workflow.objects.exists()


def test_what_is_wrong_with_a_definition_is_told_with_its_place() -> None:
    wrong = {"trigger": {"kind": "person"}, "steps": [{"id": "x", "kind": "fly"}]}
    refused = Program().send(ADDRESS, {"name": "Chores", "definition": wrong})
    assert refused.status_code == 400
    assert "steps.0.kind" in refused.json()["error"]["message"]
    checked = Program().send(f"{ADDRESS}check/", {"definition": wrong})
    assert checked.json()["problems"] == ["steps.0.kind: No step is called 'fly'."]


def test_secrets_leave_as_dots_and_come_back_as_they_were() -> None:
    step = {"id": "call", "kind": "http_request", "params": {"url": "https://example.com/", "secret": "s3cret"}}
    workflow = factory.workflow(step)
    program = Program()
    shown = program.get(f"{ADDRESS}{workflow.slug}/").json()["definition"]
    assert shown["steps"][0]["params"]["secret"] == MASK
    sealed = workflow.versions.get().definition
    assert program.send(f"{ADDRESS}{workflow.slug}/", {"definition": shown}, "patch").json()["version"] == 1
    assert workflow.versions.get().definition == sealed


def test_one_that_waits_for_a_person_is_started_once_for_each_request_and_its_run_is_read() -> None:
    workflow, incident = factory.workflow(trigger=factory.BY_HAND), incidents.incident()
    responder = Program(Role.RESPONDER)
    body = {"incident": incident.number, "request_key": "abc"}
    started = responder.send(f"{ADDRESS}{workflow.slug}/start/", body)
    assert started.status_code == 201, started.json()
    assert responder.send(f"{ADDRESS}{workflow.slug}/start/", body).json()["id"] == started.json()["id"]
    while advance_due(timezone.now()):
        pass
    run = responder.get(f"/api/v1/workflow-runs/{started.json()['id']}/").json()
    assert (run["state"], run["incident"], [step["state"] for step in run["steps"]]) == (
        *("done", incident.number),
        ["done"],
    )
    again = responder.send(f"/api/v1/workflow-runs/{run['id']}/again/", {"path": "note"})
    assert again.status_code == 201, again.json()
    canceled = responder.send(f"/api/v1/workflow-runs/{again.json()['id']}/cancel/").json()
    assert canceled["state"] == "canceled"
    assert len(responder.get("/api/v1/workflow-runs/", {"workflow": workflow.slug}).json()["results"]) == 2


def test_runs_of_a_private_incident_do_not_exist_for_others() -> None:
    member = accounts.user(role=Role.MANAGER)
    incident = incidents.incident(actor=Actor.of_user(member, via="web"), visibility="private")
    workflow = factory.workflow(trigger=factory.BY_HAND, sees_private=True)
    own = Client(headers={"authorization": f"Bearer {accounts.api_key(member)}"})
    body = {"incident": incident.number}
    run = own.post(f"{ADDRESS}{workflow.slug}/start/", body, content_type="application/json").json()
    other = Program()
    assert other.get(f"/api/v1/workflow-runs/{run['id']}/").status_code == 404
    assert other.get("/api/v1/workflow-runs/").json()["results"] == []
    assert other.send(f"{ADDRESS}{workflow.slug}/start/", body).status_code == 404


def test_a_key_needs_its_scope_and_its_person_the_role() -> None:
    body = {"name": "Chores", "definition": factory.definition()}
    assert Program(Role.MANAGER, Scope.READ).send(ADDRESS, body).status_code == 403
    assert Program(Role.RESPONDER).send(ADDRESS, body).status_code == 403
    workflow = factory.workflow(trigger={"kind": "webhook"})
    assert Program(Role.RESPONDER).get(f"{ADDRESS}{workflow.slug}/").json()["webhook"] is None
    assert workflow.token in Program().get(f"{ADDRESS}{workflow.slug}/").json()["webhook"]


def test_the_kinds_of_steps_are_told_with_their_parameters() -> None:
    told = {step["kind"]: step for step in Program().get("/api/v1/workflow-steps/").json()}
    assert [param["name"] for param in told["add_note"]["params"]] == ["text"]
    assert told["branch"]["blocks"] == ["then", "otherwise"]
    events = Program().get("/api/v1/workflow-events/").json()
    assert "incident.declared" in [event["name"] for event in events]


def test_the_list_asks_the_same_number_of_queries_however_long_it_is() -> None:
    program = Program()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            program.get(ADDRESS)
        return len(asked)

    factory.workflow()
    queries()
    before = queries()
    for _ in range(3):
        factory.workflow()
    assert queries() == before
