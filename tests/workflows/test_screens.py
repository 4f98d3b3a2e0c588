"""The screens of workflows: the list, one workflow, its versions, and its runs."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from workflows.engine import advance_due
from workflows.models import StepRun, Workflow, WorkflowRun
from workflows.runs import start_by_hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """A manager, signed in."""
    signed_in = Client()
    signed_in.force_login(accounts.user(role=Role.MANAGER))
    return signed_in


def done_run(workflow: Workflow, **fields: object) -> WorkflowRun:
    """A run of the workflow, taken to its end."""
    now = timezone.now()
    started = start_by_hand(actor=Actor.system(), workflow=workflow, now=now, **fields)  # type: ignore[arg-type]
    while advance_due(now):
        pass
    return WorkflowRun.objects.get(pk=started.pk)


def test_the_list_tells_what_starts_each_workflow_and_how_it_ran(client: Client) -> None:
    incidents.configuration()
    factory.workflow(name="Page for SEV1", folder="Incidents")
    done_run(factory.workflow(name="Wake them", trigger=factory.BY_HAND), incident=incidents.incident())
    page = client.get(reverse("workflows:list")).content.decode()
    for words in ("Page for SEV1", "When an incident is declared", "Incidents", "Wake them", "No folder", "Done"):
        assert words in page
    assert "Page for SEV1" not in client.get(reverse("workflows:list"), {"trigger": "person"}).content.decode()


def test_each_page_of_a_workflow_opens(client: Client) -> None:
    workflow = factory.workflow(trigger=factory.BY_HAND)
    run = done_run(workflow, incident=incidents.incident())
    for name, args in (
        ("detail", [workflow.slug]),
        ("edit", [workflow.slug]),
        ("json", [workflow.slug]),
        ("versions", [workflow.slug]),
        ("version", [workflow.slug, 1]),
        ("run", [run.pk]),
        ("runs", []),
        ("new", []),
        ("create", []),
        ("import", []),
        ("export", []),
    ):
        answer = client.get(reverse(f"workflows:{name}", args=args))
        assert answer.status_code == 200, name


def test_the_lists_ask_the_same_number_of_queries_however_long_they_are(client: Client) -> None:
    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse(f"workflows:{name}"))
        return len(asked)

    incident = incidents.incident()
    done_run(factory.workflow(trigger=factory.BY_HAND), incident=incident)
    before = {name: queries(name) for name in ("list", "runs")}
    for _ in range(3):
        done_run(factory.workflow(trigger=factory.BY_HAND), incident=incident)
    assert {name: queries(name) for name in ("list", "runs")} == before


def test_a_run_tells_each_step_with_what_went_in_and_came_out(client: Client) -> None:
    incident = incidents.incident()
    run = done_run(factory.workflow(trigger=factory.BY_HAND), incident=incident)
    page = client.get(run.get_absolute_url()).content.decode()
    assert run.state == WorkflowRun.State.DONE
    for words in (f"Noted for {incident.reference}", "What went in", "Run again from here", "Done"):
        assert words in page


def test_a_step_that_waits_tells_until_when_on_the_clock_of_whoever_looks(client: Client) -> None:
    made = factory.workflow({"id": "wait", "kind": "wait", "params": {"minutes": 30}}, trigger={"kind": "person"})
    run = done_run(made)
    page = client.get(run.get_absolute_url()).content.decode()
    assert run.due_at is not None
    assert f'Until <local-time datetime="{run.due_at:%Y-%m-%dT%H:%M:%SZ}"' in page


def test_a_run_goes_again_from_a_step_and_is_canceled(client: Client) -> None:
    run = done_run(factory.workflow(trigger=factory.BY_HAND), incident=incidents.incident())
    answer = client.post(reverse("workflows:run-again", args=[run.pk]), {"path": "note"})
    again = WorkflowRun.objects.exclude(pk=run.pk).get()
    assert answer.headers["Location"] == again.get_absolute_url()
    client.post(reverse("workflows:run-cancel", args=[again.pk]))
    again.refresh_from_db()
    assert again.state == WorkflowRun.State.CANCELED
    assert StepRun.objects.filter(run=again).count() == 0


def test_runs_of_a_private_incident_are_there_for_its_members_only(client: Client) -> None:
    member = accounts.user(role=Role.MANAGER)
    incident = incidents.incident(actor=Actor.of_user(member, via="web"), visibility="private", name="Board mail leak")
    workflow = factory.workflow(trigger=factory.BY_HAND, sees_private=True)
    run = done_run(workflow, incident=incident)
    assert client.get(run.get_absolute_url()).status_code == 404
    assert client.post(reverse("workflows:run-cancel", args=[run.pk])).status_code == 404
    for name, args in (("list", []), ("runs", []), ("detail", [workflow.slug])):
        page = client.get(reverse(f"workflows:{name}", args=args)).content.decode()
        assert run.get_absolute_url() not in page
        assert incident.name not in page
    client.force_login(member)
    assert client.get(run.get_absolute_url()).status_code == 200


def test_viewers_read_workflows_and_change_nothing() -> None:
    client = Client()
    client.force_login(accounts.user(role=Role.VIEWER))
    workflow = factory.workflow(trigger={"kind": "webhook"})
    page = client.get(workflow.get_absolute_url()).content.decode()
    assert workflow.token not in page
    assert client.get(reverse("workflows:edit", args=[workflow.slug])).status_code == 403
    for name in ("switch", "move", "remove", "rotate", "start"):
        assert client.post(reverse(f"workflows:{name}", args=[workflow.slug])).status_code in {403, 409}
    assert Workflow.objects.get().is_enabled


def test_a_workflow_is_switched_moved_and_removed_by_buttons(client: Client) -> None:
    workflow = factory.workflow()
    client.post(reverse("workflows:switch", args=[workflow.slug]), {"is_enabled": "false"})
    client.post(reverse("workflows:move", args=[workflow.slug]), {"folder": "Chores"})
    workflow.refresh_from_db()
    assert (workflow.is_enabled, workflow.folder) == (False, "Chores")
    client.post(reverse("workflows:remove", args=[workflow.slug]))
    assert not Workflow.objects.exists()


def test_only_managers_see_the_address_of_a_webhook_and_can_change_it(client: Client) -> None:
    workflow = factory.workflow(trigger={"kind": "webhook"})
    assert workflow.token in client.get(workflow.get_absolute_url()).content.decode()
    client.post(reverse("workflows:rotate", args=[workflow.slug]))
    assert Workflow.objects.get().token not in {"", workflow.token}
