"""People and teams in the REST API."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Role, Scope
from tests.factories.accounts import api_key, team, user

pytestmark = pytest.mark.django_db


def of(role: Role) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(role=role))}")
    return client


def test_me_is_the_person_behind_the_key() -> None:
    ana = user(email="ana@example.com")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    assert client.get("/api/v1/me/").json()["email"] == "ana@example.com"
    assert APIClient().get("/api/v1/me/").status_code == 401


def test_a_person_is_added_and_changed_and_no_password_is_ever_told() -> None:
    client = of(Role.OWNER)
    made = client.post("/api/v1/users/", {"email": "ana@example.com", "name": "Ana", "role": "manager"})
    assert made.status_code == 201, made.json()
    assert "password" not in made.json()
    address = f"/api/v1/users/{made.json()['id']}/"
    changed = client.patch(address, {"role": "viewer", "time_zone": "Asia/Bangkok"}).json()
    assert (changed["role"], changed["time_zone"], changed["name"]) == ("viewer", "Asia/Bangkok", "Ana")
    assert client.patch(address, {"is_active": False}).json()["is_active"] is False
    assert client.patch(address, {"time_zone": "Berlin"}).json()["error"]["field"] == "time_zone"


def test_both_halves_of_a_change_happen_or_neither() -> None:
    bob = user()
    answer = of(Role.OWNER).patch(f"/api/v1/users/{bob.pk}/", {"role": "manager", "time_zone": "Berlin"})
    assert answer.status_code == 400
    bob.refresh_from_db()
    assert bob.role == Role.RESPONDER


def test_a_team_is_made_and_changed_by_its_address() -> None:
    client, ana = of(Role.MANAGER), user(name="Ana")
    made = client.post("/api/v1/teams/", {"name": "Payments", "members": [ana.pk]})
    assert made.status_code == 201, made.json()
    assert made.json()["memberships"] == [{"user": ana.pk, "name": "Ana", "role": "member"}]
    changed = client.patch("/api/v1/teams/payments/", {"description": "Money"}).json()
    assert (changed["description"], len(changed["memberships"])) == ("Money", 1)
    assert client.post("/api/v1/teams/", {"name": "payments"}).status_code == 409
    assert of(Role.RESPONDER).patch("/api/v1/teams/payments/", {"name": "x"}).status_code == 403


def test_people_are_filtered_by_role_team_and_state() -> None:
    client = of(Role.VIEWER)
    ana, bob = user(role=Role.MANAGER), user(is_active=False)
    made = team(ana)
    for asked, found in (({"role": "manager"}, ana), ({"team": made.slug}, ana), ({"active": "false"}, bob)):
        assert [row["id"] for row in client.get("/api/v1/users/", asked).json()["results"]] == [found.pk]


@pytest.mark.parametrize("path", ["users/", "teams/", "api-keys/"])
def test_a_list_needs_as_many_queries_for_ten_rows_as_for_two(path: str) -> None:
    client = of(Role.OWNER)

    def grow(number: int) -> None:
        for _ in range(number):
            person = user()
            team(person)
            api_key(person)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/v1/{path}").status_code == 200
        return len(captured)

    grow(2)
    queries()
    few = queries()
    grow(8)
    assert queries() == few


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize(("body", "field"), [("{}", "name"), ('{{"x": [{}]}}', "name.x"), ('{{{}: "x"}}', "name")])
def test_text_that_nothing_can_keep_is_refused_at_its_field(text: str, body: str, field: str) -> None:
    sent = f'{{"name": {body.format(json.dumps(text))}}}'
    answer = of(Role.OWNER).post("/api/v1/teams/", sent, content_type="application/json")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_a_key_without_the_scope_is_told_which_one_it_lacks() -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(), Scope.READ)}")
    answer = client.post("/api/v1/incidents/", {"name": "x"})
    assert answer.status_code == 403
    assert Scope.INCIDENTS in answer.json()["error"]["message"]
