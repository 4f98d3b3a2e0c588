"""Status pages through the REST API."""

from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import Role, Scope, User
from incidents.models import Incident
from statuspage.models import Component, ComponentSpan, PublicIncident, StatusPage
from tests.factories.accounts import actor, api_key, user
from tests.factories.catalog import service
from tests.factories.incidents import incident
from tests.factories.statuspage import page, public_incident

pytestmark = pytest.mark.django_db


def client(role: Role = Role.RESPONDER, *scopes: str, owner: User | None = None) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(owner or user(role=role), *scopes)}")
    return made


def test_a_manager_makes_changes_and_lists_pages() -> None:
    manager = client(Role.MANAGER)
    made = manager.post("/api/v1/status-pages/", {"name": "Example", "slug": "example"})
    assert (made.status_code, made.json()["slug"]) == (201, "example")
    changed = manager.patch(f"/api/v1/status-pages/{made.json()['id']}/", {"time_zone": "Asia/Bangkok"})
    assert (changed.json()["name"], changed.json()["time_zone"]) == ("Example", "Asia/Bangkok")
    assert [row["name"] for row in manager.get("/api/v1/status-pages/?q=exam").json()["results"]] == ["Example"]


def test_a_taken_address_is_a_conflict_that_names_its_field() -> None:
    page(slug="example")
    answer = client(Role.MANAGER).post("/api/v1/status-pages/", {"name": "Second", "slug": "example"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "slug")


def test_components_are_made_changed_and_removed() -> None:
    example, payments, manager = page(), service(), client(Role.MANAGER)
    given = {"page": example.pk, "name": "Checkout", "services": [payments.pk]}
    made = manager.post("/api/v1/components/", given).json()
    assert (made["status"], made["services"], made["position"]) == ("operational", [payments.pk], 1)
    changed = manager.patch(f"/api/v1/components/{made['id']}/", {"name": "Till"}).json()
    assert (changed["name"], changed["services"]) == ("Till", [payments.pk])
    assert manager.delete(f"/api/v1/components/{made['id']}/").status_code == 204
    assert not Component.objects.exists()


def test_a_responder_changes_what_the_page_says_of_a_component() -> None:
    api = page("API").components.get()
    answer = client().post(f"/api/v1/components/{api.pk}/status/", {"status": "major_outage"})
    assert answer.json()["status"] == "major_outage"
    assert ComponentSpan.objects.filter(component=api).count() == 2


def test_a_public_incident_from_first_to_last_message(now: datetime) -> None:
    example, responder = page("API"), client()
    api, source = example.components.get(), incident(now=now)
    given: dict[str, Any] = {
        "page": example.pk,
        "incident": source.number,
        "name": "Errors",
        "body": "Looking.",
        "components": [{"component": api.pk, "status": "partial_outage"}],
    }
    made = responder.post("/api/v1/public-incidents/", given)
    body = made.json()
    assert (made.status_code, body["incident"], body["impact"], body["status"]) == (
        201,
        source.number,
        "major",
        "investigating",
    )
    path = f"/api/v1/public-incidents/{body['id']}/updates/"
    assert responder.post(path, {"body": "Found.", "status": "identified"}).status_code == 201
    ended = responder.post(path, {"body": "Fixed.", "status": "resolved"}).json()
    assert [update["body"] for update in ended["updates"]] == ["Fixed.", "Found.", "Looking."]
    assert ended["status"] == "resolved"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/api/v1/status-pages/", {"name": "Second", "slug": "second"}),
        ("post", "/api/v1/components/", {"page": "PAGE", "name": "Second"}),
        ("post", "/api/v1/components/COMPONENT/status/", {"status": "major_outage"}),
        ("post", "/api/v1/public-incidents/", {"page": "PAGE", "name": "x", "body": "x"}),
        ("post", "/api/v1/public-incidents/INCIDENT/updates/", {"body": "x"}),
    ],
)
def test_viewers_and_keys_without_the_scope_change_nothing(
    method: str, path: str, body: dict[str, Any], now: datetime
) -> None:
    example = page("API")
    ids = {
        "PAGE": example.pk,
        "COMPONENT": example.components.get().pk,
        "INCIDENT": public_incident(example, now=now).pk,
    }
    for word, pk in ids.items():
        path = path.replace(word, str(pk))
        body = {key: pk if value == word else value for key, value in body.items()}
    for caller in [client(Role.VIEWER), client(Role.OWNER, Scope.READ)]:
        assert getattr(caller, method)(path, body).status_code == 403
    assert (StatusPage.objects.count(), Component.objects.count(), PublicIncident.objects.count()) == (1, 1, 1)


def test_who_is_not_a_member_finds_no_trace_of_a_private_incident(now: datetime) -> None:
    ana = user()
    acting = actor()
    secret = incident(acting, name="Breach", visibility=Incident.Visibility.PRIVATE, now=now)
    example = page()
    published = public_incident(example, actor=acting, incident=secret, name="x", confirm_private=True, now=now)
    outsider = client(owner=ana)
    assert outsider.get(f"/api/v1/public-incidents/{published.pk}/").json()["incident"] is None
    assert outsider.get(f"/api/v1/public-incidents/?incident={secret.number}").json()["results"] == []
    message = {"page": example.pk, "name": "x", "body": "x"}
    refused = outsider.post("/api/v1/public-incidents/", {**message, "incident": secret.number})
    unknown = outsider.post("/api/v1/public-incidents/", {**message, "incident": 99999})
    assert refused.status_code == unknown.status_code == 400
    said, said_of_unknown = (answer.json()["error"]["fields"]["incident"][0] for answer in (refused, unknown))
    assert said.replace(str(secret.number), "N") == said_of_unknown.replace("99999", "N")
    member = client(owner=User.objects.get(pk=int(acting.key)))
    assert member.get(f"/api/v1/public-incidents/{published.pk}/").json()["incident"] == secret.number


def test_lists_are_filtered_sorted_and_cut_into_pages(now: datetime) -> None:
    example = page("API")
    for number in range(3):
        public_incident(example, name=f"Number {number}", status=["identified", "resolved"][number % 2], now=now)
    reader = client(Role.VIEWER)
    found = reader.get("/api/v1/public-incidents/?status=identified&sort=name").json()["results"]
    assert [row["name"] for row in found] == ["Number 0", "Number 2"]
    first = reader.get("/api/v1/public-incidents/?page_size=2").json()
    assert len(first["results"]) == 2
    assert len(reader.get(first["next"]).json()["results"]) == 1


def test_a_list_takes_the_same_queries_for_any_number_of_rows(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    example = page("API")
    for number in range(12):
        public_incident(example, name=f"Number {number}", components={example.components.get(): "operational"}, now=now)
    reader = client()
    with django_assert_max_num_queries(6):
        assert len(reader.get("/api/v1/public-incidents/").json()["results"]) == 12
