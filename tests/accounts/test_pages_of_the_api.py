"""Pages of the REST API: following `next` and `previous` meets every row once, also those that are equal or empty."""

from datetime import datetime, timedelta

import pytest
from rest_framework.test import APIClient

from accounts.actor import Actor
from incidents.models import Incident
from tests.factories import incidents
from tests.factories.accounts import api_key, user

pytestmark = pytest.mark.django_db
SORTS = ["number", "-number", "name", "-name", "declared_at", "-declared_at", "resolved_at", "-resolved_at"]


@pytest.fixture
def api(now: datetime) -> APIClient:
    """Sees seven incidents: three are called the same, four are not resolved, all are declared at the same time."""
    bob = user()
    for number, name in enumerate("aaabcde"):
        made = incidents.incident(Actor.of_user(bob, via="web"), name=name, now=now)
        resolved_at = now + timedelta(minutes=number % 2) if number > 3 else None
        Incident.objects.filter(pk=made.pk).update(resolved_at=resolved_at, declared_at=now)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(bob)}")
    return client


@pytest.mark.parametrize("sort", SORTS)
def test_every_row_is_met_once_there_and_back(api: APIClient, sort: str) -> None:
    whole = [row["number"] for row in api.get(f"/api/v1/incidents/?sort={sort}").json()["results"]]
    assert len(whole) == 7
    page = api.get(f"/api/v1/incidents/?sort={sort}&page_size=2").json()
    pages = [page]
    while page["next"]:
        page = api.get(page["next"]).json()
        pages.append(page)
    assert [row["number"] for each in pages for row in each["results"]] == whole
    back = [page["results"]]
    while page["previous"]:
        page = api.get(page["previous"]).json()
        back.insert(0, page["results"])
    assert [row["number"] for rows in back for row in rows] == whole


@pytest.mark.parametrize("cursor", ["nonsense", "cD1hYmM=", "cD0lNUIlMjJhYmMlMjIlMkMrMSU1RA=="])
def test_what_is_no_cursor_is_not_found(api: APIClient, cursor: str) -> None:
    answer = api.get(f"/api/v1/incidents/?sort=declared_at&cursor={cursor}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("sort", ["bogus", "-bogus", "name,bogus", "password"])
def test_an_order_that_there_is_not_is_refused(api: APIClient, sort: str) -> None:
    answer = api.get("/api/v1/incidents/", {"sort": sort})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["field"] == "sort"
    assert "declared_at" in error["remedy"]
