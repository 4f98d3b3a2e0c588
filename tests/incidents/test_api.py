"""Incidents over REST: scopes, roles, filters, pages, errors, and a constant number of queries."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.actor import Actor
from accounts.models import Role, Scope, User
from incidents.entries import add_note
from incidents.models import Incident
from tests.factories import accounts, catalog, incidents

Queries = Callable[[int], AbstractContextManager[Any]]


def client_with(user: User, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {accounts.api_key(user, *scopes)}")
    return client


@pytest.fixture
def api(responder: Actor) -> APIClient:
    return client_with(User.objects.get(pk=responder.person_id))


def test_declaring_answers_the_incident(api: APIClient) -> None:
    incidents.configuration()
    catalog.service(slug="payments")
    response = api.post(
        "/api/v1/incidents/", {"name": "Card payments fail", "severity": "sev1", "services": ["payments"]}
    )
    assert response.status_code == 201
    body = response.json()
    assert (body["severity"], body["status"], body["services"][0]["service"]) == ("sev1", "investigating", "payments")
    assert body["reference"] == f"INC-{body['number']}"
    assert Incident.objects.get().timeline.get(sequence=1).via == "api"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"severity": "sev1"}, "name"),
        ({"name": "x"}, "severity"),
        ({"name": "x", "severity": "sev9"}, "severity"),
        ({"name": "x", "severity": "sev1", "services": ["nope"]}, "services"),
        ({"name": "x", "severity": "sev1", "mode": "panic"}, "mode"),
    ],
)
def test_a_wrong_field_is_named(api: APIClient, body: dict[str, object], field: str) -> None:
    incidents.configuration()
    response = api.post("/api/v1/incidents/", body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid"
    assert field in response.json()["error"]["fields"]


def test_a_domain_error_has_code_field_and_remedy(api: APIClient, incident: Incident) -> None:
    response = api.post(f"/api/v1/incidents/{incident.number}/timeline/", {"text": "  "})
    assert response.status_code == 400
    response = api.post("/api/v1/incidents/", {"name": "x", "severity": "sev1", "started_at": "2099-01-01T00:00:00Z"})
    error = response.json()["error"]
    assert (response.status_code, error["field"]) == (400, "started_at")


def test_every_verb_has_an_address(api: APIClient, incident: Incident) -> None:
    base = f"/api/v1/incidents/{incident.number}"
    bob = accounts.user()
    catalog.service(slug="search")
    for path, body in [
        ("severity", {"severity": "sev1"}),
        ("status", {"status": "identified"}),
        ("roles", {"role": "lead", "user": bob.pk}),
        ("services", {"service": "search", "impact": "major_outage"}),
        ("mitigate", {}),
        ("resolve", {}),
        ("reopen", {}),
        ("visibility", {"visibility": "private"}),
        ("members", {"user": accounts.user().pk}),
    ]:
        response = api.post(f"{base}/{path}/", body)
        assert response.status_code == 200, (path, response.content)
    assert api.post(f"{base}/updates/", {"text": "Found it", "next_update_minutes": 20}).status_code == 201
    assert api.patch(f"{base}/", {"name": "Cards fail"}).json()["name"] == "Cards fail"
    timeline = api.get(f"{base}/timeline/").json()["results"]
    assert [entry["sequence"] for entry in timeline] == list(range(len(timeline), 0, -1))
    assert api.get(f"{base}/updates/").json()["results"][0]["text"] == "Found it"


def test_a_key_needs_the_scope(responder: Actor, incident: Incident) -> None:
    user = User.objects.get(pk=responder.person_id)
    reader = client_with(user, Scope.READ)
    assert reader.get("/api/v1/incidents/").status_code == 200
    assert reader.post(f"/api/v1/incidents/{incident.number}/resolve/").status_code == 403


def test_a_key_does_not_lift_its_person_above_their_role(incident: Incident) -> None:
    viewer = client_with(accounts.user(role=Role.VIEWER))
    response = viewer.post(f"/api/v1/incidents/{incident.number}/resolve/")
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "not_allowed"


def test_without_a_key_there_is_no_answer(incident: Incident) -> None:
    response = Client().get("/api/v1/incidents/")
    assert response.status_code == 401
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("severity=sev1", 1),
        ("severity=sev1&severity=sev2", 3),
        ("status=resolved", 0),
        ("open=true", 3),
        ("service=payments", 1),
        ("q=database", 1),
        ("q=INC-2", 1),
        ("mode=test", 0),
    ],
)
def test_lists_filter(api: APIClient, responder: Actor, now: datetime, query: str, count: int) -> None:
    payments = catalog.service(slug="payments")
    incidents.incident(responder, severity="sev1", services=[payments], now=now)
    incidents.incident(responder, name="Database slow", now=now)
    incidents.incident(responder, now=now)
    assert len(api.get(f"/api/v1/incidents/?{query}").json()["results"]) == count


def test_lists_page_by_cursor_and_sort(api: APIClient, responder: Actor, now: datetime) -> None:
    for number in range(5):
        incidents.incident(responder, name=f"Incident {number}", now=now)
    first = api.get("/api/v1/incidents/?page_size=2&sort=name").json()
    second = api.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == [f"Incident {n}" for n in range(4)]


@pytest.mark.parametrize("address", ["/api/v1/incidents/", "/incidents/"])
def test_a_list_costs_the_same_however_long(
    responder: Actor, now: datetime, address: str, django_assert_max_num_queries: Queries
) -> None:
    lead = accounts.user()
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    for _ in range(12):
        incidents.incident(responder, services=[catalog.service()], lead=lead, now=now)
    with django_assert_max_num_queries(24):
        assert client.get(address).status_code == 200


def test_an_incident_page_costs_the_same_however_long_its_timeline(
    responder: Actor, incident: Incident, now: datetime, django_assert_max_num_queries: Queries
) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    for number in range(120):
        add_note(actor=responder, incident=incident, text=f"note {number}", now=now)
    with django_assert_max_num_queries(48):
        response = client.get(incident.get_absolute_url())
    assert response.content.decode().count('class="entry entry-note') == 100
    assert "before=" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"severity": "sev1"}, "severity"),
        ({"revenue_lost": "-5"}, "revenue_lost"),
        ({"call_url": "ftp://example.com/x"}, "call_url"),
        ({"tickets": 10**12}, "tickets"),
    ],
)
def test_a_fact_that_can_not_be_is_refused_at_its_field(
    api: APIClient, responder: Actor, now: datetime, body: dict[str, object], field: str
) -> None:
    incident = incidents.incident(responder, now=now)
    answer = api.patch(f"/api/v1/incidents/{incident.number}/", body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert field == error.get("field") or field in error["fields"]


def test_a_refused_slug_names_those_that_there_are(api: APIClient) -> None:
    incidents.configuration()
    answer = api.post("/api/v1/incidents/", {"name": "x", "severity": "sev9"})
    (reason,) = answer.json()["error"]["fields"]["severity"]
    assert reason.startswith("There is no “sev9”. Use sev1, sev2")


def test_a_reply_to_what_is_not_there_is_refused_at_its_field(api: APIClient, responder: Actor, now: datetime) -> None:
    incident = incidents.incident(responder, now=now)
    answer = api.post(f"/api/v1/incidents/{incident.number}/timeline/", {"text": "Yes", "reply_to": 99})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "reply_to")
