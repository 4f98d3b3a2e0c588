"""Changes: told of by PagerDuty's clients or through the API, listed, and shown beside what fired soon after."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from alerts.changes import changes_before, links_in, note_change
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, Change, RawEvent
from events.errors import Invalid, NotAllowed
from events.models import Event
from tests.factories import accounts, alerts, catalog, incidents

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def enqueue(source: AlertSource, **changes: Any) -> Any:
    """As PagerDuty's own client for Python posts it."""
    body = {
        "routing_key": source.token,
        "payload": {"summary": "deploy", "timestamp": "2026-11-21T08:33:12.243413Z", "source": "ci"},
        "links": [{"href": "https://ci.example.com/1", "text": "Build"}],
        **changes,
    }
    return Client().post("/pagerduty/v2/change/enqueue", json.dumps(body), content_type="application/json")


def noted(summary: str, at: datetime, **fields: Any) -> Change:
    return note_change(actor=alerts.SYSTEM, summary=summary, now=at, **fields)


def client(role: Role = Role.RESPONDER) -> Client:
    signed_in = Client()
    signed_in.force_login(accounts.user(role=role))
    return signed_in


def test_pagerdutys_clients_tell_of_changes(now: datetime) -> None:
    service = catalog.service(slug="payments")
    source = alerts.source(dialect="pagerduty")
    answer = enqueue(source)
    assert (answer.status_code, answer.json()) == (202, {"status": "success", "message": "Change event processed"})
    details = {"summary": "Flag on", "custom_details": {"service": "payments", "flag": "fast"}}
    assert enqueue(source, payload=details).status_code == 202
    later = now.replace(year=2100)
    process_raw_events(later)
    first, second = Change.objects.order_by("pk")
    assert (first.summary, first.author, first.kind, first.at.minute) == ("deploy", "ci", "change", 33)
    assert first.links == [{"href": "https://ci.example.com/1", "text": "Build"}]
    assert (second.service, second.details["flag"], second.at) == (service, "fast", later)
    raw = RawEvent.objects.order_by("pk")[0]
    assert raw.outcomes == [{"outcome": "noted", "alert": None, "change": first.pk}]
    assert not Alert.objects.exists()
    assert Event.objects.filter(name="change.noted", actor_kind="alert_source").count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"payload": None}, "'payload' is missing or blank"),
        ({"payload": {}}, "'payload.summary' is missing or blank"),
        ({"payload": {"summary": "x" * 1025}}, "'payload.summary' is too long (maximum is 1024 characters)"),
    ],
)
def test_what_is_no_change_gets_pagerdutys_error(changes: dict[str, Any], message: str) -> None:
    refused = enqueue(alerts.source(dialect="pagerduty"), **changes)
    assert (refused.status_code, refused.json()["errors"]) == (400, [message])


def test_a_key_that_nobody_has_gets_pagerdutys_error() -> None:
    refused = enqueue(alerts.source(dialect="pagerduty"), routing_key="R" * 32)
    assert (refused.status_code, refused.json()["message"]) == (400, "Invalid routing key")


def test_many_changes_cost_no_more_statements_than_a_few(now: datetime) -> None:
    source = alerts.source(dialect="pagerduty")
    counts = []
    for number in (2, 20):
        for _ in range(number):
            enqueue(source)
        with CaptureQueriesContext(connection) as queries:
            process_raw_events(now.replace(year=2100))
        counts.append(len(queries))
    assert counts[1] <= counts[0]


def test_only_links_that_lead_somewhere_are_kept() -> None:
    given = [{"href": "javascript:alert(1)"}, "x", {"href": "https://a.example"}, {"text": "no"}]
    assert links_in(given) == [{"href": "https://a.example", "text": "https://a.example"}]


def test_responders_note_changes_and_viewers_do_not(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        note_change(actor=Actor.of_user(accounts.user(role=Role.VIEWER), via="web"), summary="x", now=now)
    with pytest.raises(Invalid):
        noted(" ", now)
    assert noted("Failover", now).author == alerts.SYSTEM.name


def test_those_of_the_hour_before_are_shown_the_services_own_first(now: datetime) -> None:
    payments, search = catalog.service(), catalog.service()
    noted("two hours before", now - 120 * MINUTE, service=payments)
    noted("own", now - 50 * MINUTE, service=payments)
    noted("other", now - 5 * MINUTE, service=search)
    noted("after", now + MINUTE, service=payments)
    assert [change.summary for change in changes_before(now, [payments.pk])] == ["own", "other"]
    assert [change.summary for change in changes_before(now, [])] == ["other", "own"]


def test_an_alert_shows_what_changed_before_it() -> None:
    source = alerts.source()
    noted("Rolled out 2026.11.3", timezone.now() - 5 * MINUTE)
    Client().post(f"/in/{source.token}", {"title": "500s"}, content_type="application/json")
    process_raw_events(timezone.now() + MINUTE)
    page = client().get(Alert.objects.get().get_absolute_url()).content.decode()
    assert "Rolled out 2026.11.3" in page


def test_the_list_can_be_searched_and_filtered_in_a_constant_number_of_queries(now: datetime) -> None:
    service = catalog.service(slug="payments")
    noted("Deploy of payments", now, service=service, kind="deployment")
    noted("Flag switched", now - timedelta(days=3), kind="flag")
    viewer = client(Role.VIEWER)

    def found(query: str) -> list[str]:
        return [change.summary for change in viewer.get(f"/alerts/changes/?{query}").context["list"].page.object_list]

    assert found("") == ["Deploy of payments", "Flag switched"]
    assert found("q=flag") == ["Flag switched"]
    assert found("service=payments") == found("kind=deployment") == ["Deploy of payments"]
    assert found("since=2026-03-13T00:00") == ["Deploy of payments"]
    with CaptureQueriesContext(connection) as few:
        found("")
    for number in range(10):
        noted(f"Change {number}", now, service=catalog.service())
    with CaptureQueriesContext(connection) as many:
        found("")
    assert len(few) == len(many)


def test_a_change_has_a_page_with_its_links_and_details(now: datetime) -> None:
    change = noted(
        "Deploy", now, links=[{"href": "https://ci.example.com/7", "text": "Build 7"}], details={"sha": "abc"}
    )
    page = client().get(change.get_absolute_url()).content.decode()
    assert "https://ci.example.com/7" in page
    assert "abc" in page


def test_the_api_lists_gets_and_makes_changes() -> None:
    catalog.service(slug="payments")
    api = client()
    body = {"summary": "Deploy", "service": "payments", "kind": "deployment", "links": [{"href": "https://a.example"}]}
    made = api.post("/api/v1/changes/", body, content_type="application/json")
    assert (made.status_code, made.json()["service"], made.json()["source"]) == (201, "payments", None)
    assert api.get(f"/api/v1/changes/{made.json()['id']}/").json()["summary"] == "Deploy"
    assert [row["id"] for row in api.get("/api/v1/changes/?kind=deployment").json()["results"]] == [made.json()["id"]]
    assert api.post("/api/v1/changes/", {"summary": ""}, content_type="application/json").status_code == 400
    assert client(Role.VIEWER).post("/api/v1/changes/", body, content_type="application/json").status_code == 403


def test_an_incident_shows_what_changed_before_it() -> None:
    now = timezone.now()
    payments = catalog.service()
    noted("Rolled out 2026.11.3", now - 5 * MINUTE, service=payments)
    noted("Long ago", now - 500 * MINUTE, service=payments)
    incident = incidents.incident(services=[payments], now=now)
    page = client().get(incident.get_absolute_url()).content.decode()
    assert "Rolled out 2026.11.3" in page
    assert "Long ago" not in page
