"""Workflows in trouble: managers are told wherever they are, until one is done again; the list finds them."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, Scope
from config.gauges import measure
from incidents.models import Incident
from tests.factories import accounts, incidents
from tests.factories import saved_workflows as factory
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.starting import MOST_AN_HOUR, start_run
from workflows.trouble import STALE_AFTER, keep_trouble

pytestmark = pytest.mark.django_db
State = WorkflowRun.State


def ran(
    workflow: Workflow, state: str, *, ago: timedelta = timedelta(minutes=5), incident: Incident | None = None
) -> WorkflowRun:
    at = timezone.now() - ago
    return WorkflowRun.objects.create(
        workflow=workflow,
        version=workflow.versions.get(),
        incident=incident,
        state=state,
        trigger="person",
        started_by_kind="user",
        started_by_name="Ana",
        dedup_key=f"{WorkflowRun.objects.count()}",
        created_at=at,
        ended_at=at,
    )


def signed_in(role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(accounts.user(role=role))
    return client


def rail(client: Client) -> bool:
    """Whether the rail of a page that has nothing to do with workflows shows that one is in trouble."""
    return 'class="rail-alarm"' in client.get("/action-items/").content.decode()


def test_managers_see_in_the_rail_that_a_workflow_fails_until_it_is_done_again() -> None:
    workflow = factory.workflow()
    ran(workflow, State.FAILED)
    assert keep_trouble(timezone.now()) == 1
    assert rail(signed_in())
    assert not rail(signed_in(Role.RESPONDER))
    ran(workflow, State.NOT_MET)
    assert keep_trouble(timezone.now()) == 1
    ran(workflow, State.DONE)
    assert keep_trouble(timezone.now()) == 0
    assert not rail(signed_in())


def test_what_is_switched_off_or_long_ago_or_canceled_is_no_trouble() -> None:
    ran(factory.workflow(is_enabled=False), State.FAILED)
    ran(factory.workflow(), State.FAILED, ago=timedelta(days=8))
    ran(factory.workflow(), State.CANCELED)
    assert keep_trouble(timezone.now()) == 0


def test_what_was_kept_long_ago_is_not_told() -> None:
    ran(factory.workflow(), State.FAILED)
    keep_trouble(timezone.now() - STALE_AFTER - timedelta(minutes=1))
    assert not rail(signed_in())


def test_a_private_incident_is_not_given_away() -> None:
    secret = incidents.incident(visibility="private")
    workflow = factory.workflow(sees_private=True)
    ran(workflow, State.FAILED, incident=secret)
    assert keep_trouble(timezone.now()) == 0
    client = signed_in()
    assert workflow.name not in client.get("/workflows/?failing=true").content.decode()
    assert "not been done since" not in client.get("/workflows/").content.decode()


def test_the_list_and_the_api_find_those_in_trouble() -> None:
    bad, good = factory.workflow(name="Bad chore"), factory.workflow(name="Good chore")
    ran(bad, State.STOPPED)
    ran(good, State.DONE)
    page = signed_in().get("/workflows/?failing=true").content.decode()
    assert "Bad chore" in page
    assert "Good chore" not in page
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ)
    client = Client(headers={"authorization": f"Bearer {key}"})
    found = client.get("/api/v1/workflows/?failing=true").json()["results"]
    assert [each["slug"] for each in found] == ["bad-chore"]
    other = client.get("/api/v1/workflows/?failing=false").json()["results"]
    assert [each["slug"] for each in other] == ["good-chore"]


def test_one_that_would_run_without_end_is_stopped_and_is_trouble(now: datetime) -> None:
    workflow, incident = factory.workflow(), incidents.incident()
    version = WorkflowVersion.objects.select_related("workflow").get(workflow=workflow)
    actor = accounts.actor()
    for number in range(MOST_AN_HOUR + 3):
        start_run(
            actor=actor, version=version, trigger="x", dedup_key=f"n{number}", now=timezone.now(), incident=incident
        )
    assert WorkflowRun.objects.filter(workflow=workflow, state=State.STOPPED).count() == 1
    assert keep_trouble(timezone.now()) == 1


def test_a_page_pays_no_query_for_it(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = signed_in()
    client.get("/action-items/")
    keep_trouble(timezone.now())
    with CaptureQueriesContext(connection) as calm:
        client.get("/action-items/")
    for _number in range(3):
        ran(factory.workflow(), State.FAILED)
    keep_trouble(timezone.now())
    with django_assert_num_queries(len(calm)):
        client.get("/action-items/")


def test_prometheus_counts_runs_by_what_came_of_them() -> None:
    workflow = factory.workflow()
    ran(workflow, State.DONE, ago=timedelta(hours=2))
    ran(workflow, State.FAILED)
    waiting = ran(workflow, State.WAITING)
    now = timezone.now()
    WorkflowRun.objects.filter(pk=waiting.pk).update(due_at=now - timedelta(seconds=9), ended_at=None)
    measured = {(gauge.name, *labels.values()): value for gauge in measure(now) for labels, value in gauge.samples}
    assert measured["sitrep_workflow_runs", "waiting"] == 1
    assert measured["sitrep_workflow_run_lateness_seconds",] == 9
    assert measured["sitrep_workflow_runs_ended", "failed"] == 1
    assert measured["sitrep_workflow_runs_ended", "done"] == 0
    assert measured["sitrep_workflows_in_trouble",] == 1
