"""GitHub's webhooks: what is a change, what is an alert, and what is believed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from alerts.dialects import DIALECTS, DialectError, NormalisedEvent
from alerts.dialects.format import Request
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, Change, RawEvent
from tests.factories import alerts, catalog

PAYLOADS = Path(__file__).parent.parent / "payloads" / "github"
EVENTS = {
    **dict.fromkeys(("firing", "resolved"), "deployment_status"),
    **dict.fromkeys(("workflow-firing", "workflow-resolved"), "workflow_run"),
}
SECRET = "a secret that both know"


def payload(name: str, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return {**document, **changes}


def parsed(name: str, **changes: Any) -> list[NormalisedEvent]:
    headers = {"x-github-event": EVENTS.get(name, name)}
    return DIALECTS["github"].parse(Request("", json.dumps(payload(name, **changes)).encode(), headers))


def post(source: AlertSource, name: str, body: bytes = b"", **headers: str) -> Any:
    body = body or json.dumps(payload(name)).encode()
    headers = {"X-GitHub-Event": EVENTS.get(name, name), "X-GitHub-Delivery": "1", **headers}
    kind = headers.pop("kind", "application/json")
    return Client().post(f"/github/{source.token}", body, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    ("name", "summary", "author", "link"),
    [
        ("push", "Codertocat/Hello-World master: Round half to even and 1 more", "Codertocat", "compare"),
        ("pull_request", "Codertocat/Hello-World #2: Update the README with new information.", "Codertocat", "pull/2"),
        ("deployment", "Codertocat/Hello-World master to production", "Codertocat", "deployments"),
    ],
)
def test_changes_say_what_by_whom_and_where(name: str, summary: str, author: str, link: str) -> None:
    [event] = parsed(name)
    assert (event.status, event.title, event.service) == ("noted", summary, "Hello-World")
    assert (event.attributes["kind"], event.attributes["author"]) == (name, author)
    assert link in event.attributes["links"][0]["href"]
    assert event.started_at is not None
    assert event.started_at.year == 2019


def test_a_failed_deployment_fires_and_the_next_that_works_resolves() -> None:
    [failed], [worked] = parsed("firing"), parsed("resolved")
    assert (failed.status, failed.title) == ("firing", "Deployment of Codertocat/Hello-World to production failed")
    assert (failed.description, failed.severity) == ("Health checks failed", "error")
    assert (worked.status, worked.dedup_key) == ("resolved", failed.dedup_key)
    assert worked.ended_at == datetime(2019, 5, 15, 15, 30, 55, tzinfo=UTC)


def test_a_failed_workflow_of_the_default_branch_fires_and_the_next_that_works_resolves() -> None:
    [failed], [worked] = parsed("workflow-firing"), parsed("workflow-resolved")
    assert (failed.status, failed.title) == ("firing", "CI of Codertocat/Hello-World failed")
    assert (worked.status, worked.dedup_key) == ("resolved", failed.dedup_key)


def test_what_says_nothing_is_no_event() -> None:
    run = payload("workflow-firing")["workflow_run"]
    told = payload("firing")["deployment_status"]
    assert parsed("push", ref="refs/heads/topic") == []
    assert parsed("push", deleted=True) == []
    assert parsed("pull_request", action="opened") == []
    assert parsed("workflow-firing", workflow_run={**run, "head_branch": "topic"}) == []
    assert parsed("workflow-firing", workflow_run={**run, "head_repository": {"full_name": "fork/Hello-World"}}) == []
    assert parsed("workflow-firing", workflow_run={**run, "conclusion": "cancelled"}) == []
    assert parsed("firing", deployment_status={**told, "state": "in_progress"}) == []


@pytest.mark.parametrize(
    ("changes", "field"), [({"repository": None}, "repository"), ({"deployment": 1}, "deployment")]
)
def test_what_is_not_of_github_is_refused_with_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DialectError) as refused:
        parsed("firing", **changes)
    assert refused.value.field_name == field


@pytest.mark.django_db
def test_changes_are_noted_with_their_service_and_failures_are_alerts(now: datetime) -> None:
    service = catalog.service(slug="hello-world", name="Hello-World")
    source = alerts.source(dialect="github")
    for name in ("push", "pull_request", "deployment", "firing", "resolved"):
        assert post(source, name).status_code == 202
    process_raw_events(now.replace(year=2100))
    outcomes = [outcome["outcome"] for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes]
    assert outcomes == ["noted", "noted", "noted", "recorded", "resolved"]
    assert {change.service for change in Change.objects.all()} == {service}
    assert sorted(Change.objects.values_list("kind", flat=True)) == ["deployment", "pull_request", "push"]
    assert Alert.objects.get().service == service


@pytest.mark.django_db
def test_a_form_with_the_payload_in_it_is_understood_too(now: datetime) -> None:
    source = alerts.source(dialect="github")
    body = urlencode({"payload": json.dumps(payload("push"))}).encode()
    assert post(source, "push", body, kind="application/x-www-form-urlencoded").status_code == 202
    process_raw_events(now.replace(year=2100))
    assert Change.objects.count() == 1


@pytest.mark.django_db
def test_a_ping_is_answered_and_not_kept() -> None:
    answer = post(alerts.source(dialect="github"), "ping")
    assert (answer.status_code, answer.json()["message"]) == (200, "pong")
    assert not RawEvent.objects.exists()


@pytest.mark.django_db
def test_only_what_is_signed_is_believed_once_there_is_a_secret() -> None:
    source = alerts.source(dialect="github", signing_secret=SECRET)
    body = json.dumps(payload("push")).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert post(source, "push", body, **{"X-Hub-Signature-256": signature}).status_code == 202
    assert post(source, "push", body + b" ", **{"X-Hub-Signature-256": signature}).status_code == 401
    assert post(source, "push", body).status_code == 401
    assert post(source, "ping").status_code == 401
