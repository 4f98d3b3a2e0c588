"""Views of lists that people keep."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Role, SavedView, Scope
from accounts.saved_views import remove_view, save_view
from events.errors import Invalid, NotAllowed
from tests.factories import accounts

pytestmark = pytest.mark.django_db


def kept(now: datetime, actor: Actor | None = None, **fields: Any) -> SavedView:
    """A view of the list of alerts."""
    asked: dict[str, Any] = {"list_name": "alerts", "name": "Mine", "query": "status=firing", **fields}
    return save_view(actor=actor or accounts.actor(), now=now, **asked)


def test_a_view_forgets_where_in_the_list_somebody_stood(now: datetime) -> None:
    assert kept(now, query="?status=firing&page=7&cursor=abc&team=web").query == "status=firing&team=web"


def test_saving_the_same_name_again_replaces_the_view(now: datetime) -> None:
    actor = accounts.actor()
    kept(now, actor)
    again = kept(now, actor, query="status=resolved", is_shared=True)
    assert (again.query, again.is_shared) == ("status=resolved", True)
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"name": " "}, "name"), ({"name": "x" * 61}, "name"), ({"list_name": "no list"}, "list_name")],
)
def test_a_view_that_makes_no_sense_is_refused(now: datetime, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        kept(now, **fields)
    assert refused.value.field == field


def test_too_many_filters_are_refused(now: datetime) -> None:
    with pytest.raises(Invalid):
        kept(now, query="&".join(f"team={number:020}" for number in range(100)))


def test_others_see_what_is_shared_and_nothing_else(now: datetime) -> None:
    shared, _own = kept(now, is_shared=True), kept(now, name="Quiet")
    assert list(SavedView.objects.visible_to(accounts.actor())) == [shared]


def test_only_its_owner_and_administrators_forget_a_shared_view(now: datetime) -> None:
    view = kept(now, is_shared=True)
    with pytest.raises(NotAllowed):
        remove_view(actor=accounts.actor(Role.MANAGER), view=view)
    remove_view(actor=accounts.actor(Role.ADMINISTRATOR), view=view)
    assert not SavedView.objects.exists()


def test_nobody_removes_what_they_may_not_see(now: datetime, client: Client) -> None:
    view = kept(now)
    client.force_login(accounts.user(role=Role.ADMINISTRATOR))
    assert client.post(reverse("accounts:view-remove", args=[view.pk])).status_code == 404


def test_saving_leads_back_to_the_list_and_never_away(client: Client) -> None:
    client.force_login(accounts.user())
    asked = {"list": "alerts", "name": "Mine", "query": "status=firing", "next": "/alerts/"}
    assert client.post(reverse("accounts:view-save"), asked).headers["Location"] == "/alerts/?status=firing"
    led = client.post(reverse("accounts:view-save"), {**asked, "next": "https://elsewhere.example/"})
    assert led.headers["Location"] == "/?status=firing"
    view = SavedView.objects.get()
    gone = client.post(reverse("accounts:view-remove", args=[view.pk]), {"next": "/alerts/?page=2"})
    assert gone.headers["Location"] == "/alerts/"


def test_views_are_kept_listed_and_forgotten_by_rest() -> None:
    key = accounts.api_key(accounts.user(), Scope.READ, Scope.ACCOUNTS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    body = {"list_name": "alerts", "name": "Mine", "query": "status=firing"}
    made = client.post("/api/v1/saved-views/", body, content_type="application/json")
    assert made.status_code == 201, made.json()
    assert client.get("/api/v1/saved-views/?list_name=alerts").json()["results"][0]["query"] == "status=firing"
    assert client.delete(f"/api/v1/saved-views/{made.json()['id']}/").status_code == 204
