"""Saving workflows: versions, notes, two editors at once, secrets, switches, and who may."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from tests.factories import accounts
from tests.factories import saved_workflows as factory
from workflows import actions
from workflows.definition import MASK
from workflows.filling import filled
from workflows.flow import wait_until
from workflows.models import Workflow, WorkflowRun
from workflows.registry import Failed

pytestmark = pytest.mark.django_db
OTHER = {"id": "note", "kind": "add_note", "params": {"text": "Something else"}}
REQUEST: dict[str, Any] = {
    "id": "call",
    "kind": "http_request",
    "params": {"url": "https://example.com/hook", "secret": "s3cret"},
}


def test_another_definition_is_the_next_version_and_the_same_one_is_not() -> None:
    manager = accounts.actor(Role.MANAGER, name="Mia")
    made = factory.workflow(actor=manager)
    again = actions.save_workflow(
        actor=manager, workflow=made, name="Renamed", definition=factory.definition(), now=timezone.now()
    )
    assert (again.name, again.version) == ("Renamed", 1)
    changed = actions.save_workflow(
        actor=manager,
        workflow=made,
        name="Renamed",
        definition=factory.definition(OTHER),
        note="Say something else",
        now=timezone.now(),
    )
    versions = [(row.number, row.note, row.author_name) for row in changed.versions.order_by("number")]
    assert versions == [(1, "", "Mia"), (2, "Say something else", "Mia")]
    assert list(Event.objects.filter(name__startswith="workflow.").order_by("id").values_list("name", flat=True)) == [
        *("workflow.created", "workflow.changed", "workflow.changed"),
    ]


def test_a_save_on_top_of_a_version_that_its_author_has_not_seen_is_refused() -> None:
    manager, now = accounts.actor(Role.MANAGER), timezone.now()
    made = factory.workflow()
    actions.save_workflow(
        actor=manager, workflow=made, name=made.name, definition=factory.definition(OTHER), based_on=1, now=now
    )
    with pytest.raises(Conflict) as refused:
        actions.save_workflow(
            actor=manager, workflow=made, name=made.name, definition=factory.definition(), based_on=1, now=now
        )
    assert refused.value.code == actions.STALE
    assert Workflow.objects.get().version == 2


def test_what_makes_no_sense_is_refused_with_its_place() -> None:
    with pytest.raises(Invalid, match=r"steps\.0\.params\.text"):
        factory.workflow({"id": "note", "kind": "add_note", "params": {}})
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("minutes", [-1, 10**12, "soon", True])
def test_a_wait_is_a_number_of_minutes_up_to_a_year(minutes: object) -> None:
    with pytest.raises(Invalid, match=r"steps\.0\.params\.minutes: Use a number of minutes"):
        factory.workflow({"id": "wait", "kind": "wait", "params": {"minutes": minutes}})
    with pytest.raises(Invalid, match=r"timeout_minutes: Use a number of minutes"):
        factory.workflow(OTHER | {"timeout_minutes": minutes})


def test_a_wait_that_its_template_makes_endless_fails_and_says_so() -> None:
    with pytest.raises(Failed, match="more than a year"):
        wait_until({"minutes": 1e15}, timezone.now())
    with pytest.raises(Failed, match="not a number"):
        filled({"kind": "wait", "params": {"minutes": "{{ 'inf' }}"}}, {})


def test_names_are_single_and_no_address_is_taken_twice() -> None:
    factory.workflow(name="Runs")
    assert Workflow.objects.get().slug == "runs-2"
    with pytest.raises(Conflict, match="taken"):
        factory.workflow(name="RUNS")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_who_is_no_manager_changes_nothing(role: Role) -> None:
    actor, made = accounts.actor(role), factory.workflow()
    with pytest.raises(NotAllowed):
        factory.workflow(actor=actor)
    with pytest.raises(NotAllowed):
        actions.switch_workflow(actor=actor, workflow=made, is_enabled=False, now=timezone.now())
    with pytest.raises(NotAllowed):
        actions.remove_workflow(actor=actor, workflow=made)


def test_only_administrators_let_a_workflow_run_for_private_incidents_and_change_one_that_does() -> None:
    manager = accounts.actor(Role.MANAGER)
    with pytest.raises(NotAllowed):
        factory.workflow(actor=manager, sees_private=True)
    made = factory.workflow(actor=accounts.actor(Role.ADMINISTRATOR), sees_private=True)
    with pytest.raises(NotAllowed):
        actions.switch_workflow(actor=manager, workflow=made, is_enabled=False, now=timezone.now())


def test_a_clock_is_set_while_the_workflow_is_on_and_not_while_it_is_off() -> None:
    trigger = {"kind": "time", "cron": "0 9 * * 1", "time_zone": "Europe/Berlin"}
    made = factory.workflow(trigger=trigger, is_enabled=False)
    assert made.next_at is None
    on = actions.switch_workflow(actor=accounts.actor(Role.MANAGER), workflow=made, is_enabled=True, now=timezone.now())
    assert on.next_at is not None
    off = actions.switch_workflow(actor=accounts.actor(Role.MANAGER), workflow=on, is_enabled=False, now=timezone.now())
    assert off.next_at is None


def test_restoring_makes_a_new_version_and_loses_none() -> None:
    manager, now = accounts.actor(Role.MANAGER), timezone.now()
    made = factory.workflow()
    actions.save_workflow(actor=manager, workflow=made, name=made.name, definition=factory.definition(OTHER), now=now)
    restored = actions.restore_version(actor=manager, workflow=made, number=1, now=now)
    first, third = restored.versions.get(number=1), restored.versions.get(number=3)
    assert restored.version == 3
    assert third.definition == first.definition
    with pytest.raises(Invalid):
        actions.restore_version(actor=manager, workflow=made, number=9, now=now)


def test_a_webhook_has_a_token_of_its_own_that_can_be_changed() -> None:
    made = factory.workflow(trigger={"kind": "webhook"})
    old = made.token
    assert old
    assert actions.rotate_token(actor=accounts.actor(Role.MANAGER), workflow=made).token not in {"", old}
    with pytest.raises(Conflict):
        actions.rotate_token(actor=accounts.actor(Role.MANAGER), workflow=factory.workflow())


def test_a_secret_is_stored_sealed_and_stays_when_its_dots_are_saved() -> None:
    made = factory.workflow(REQUEST)
    stored = made.versions.get().definition["steps"][0]["params"]["secret"]
    assert set(stored) == {"sealed"}
    masked = {**REQUEST, "params": {**REQUEST["params"], "url": "https://example.com/other", "secret": MASK}}
    saved = actions.save_workflow(
        actor=accounts.actor(Role.MANAGER),
        workflow=made,
        name=made.name,
        definition=factory.definition(masked),
        now=timezone.now(),
    )
    assert saved.versions.get(number=2).definition["steps"][0]["params"]["secret"] == stored


def test_removing_a_workflow_takes_its_runs_along() -> None:
    made = factory.workflow()
    actions.remove_workflow(actor=accounts.actor(Role.MANAGER), workflow=made)
    assert not Workflow.objects.exists()
    assert not WorkflowRun.objects.exists()
