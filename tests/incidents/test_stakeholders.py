"""The brief: an incident in plain words, for those who do not work on it."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import Role
from incidents.entries import add_note
from incidents.models import Incident
from incidents.todo import add_action
from incidents.updates import post_update
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(accounts.user(role=Role.VIEWER))
    return client


def test_it_tells_what_matters_without_the_chatter(
    viewer: Client, responder: Actor, incident: Incident, now: datetime
) -> None:
    Incident.objects.filter(pk=incident.pk).update(impact="Cards are refused at the till")
    add_note(actor=responder, incident=incident, text="Grepping the logs again", now=now)
    add_action(actor=responder, incident=incident, title="Roll back", now=now)
    post_update(actor=responder, incident=incident, text="A pool is exhausted", doing="We make it larger", now=now)
    page = viewer.get(f"/incidents/{incident.number}/brief/").content.decode()
    for words in ("Cards are refused", "A pool is exhausted", "We make it larger", "Roll back", "Next update"):
        assert words in page
    assert "Grepping" not in page
    said = viewer.get(f"/api/v1/incidents/{incident.number}/brief/").json()
    assert (said["impact"], said["doing"], said["to_do"]) == (
        *("Cards are refused at the till", "We make it larger"),
        ["Roll back"],
    )
    assert said["next_update_due_at"] == (now + timedelta(minutes=30)).isoformat().replace("+00:00", "Z")


def test_it_costs_the_same_however_much_there_is_to_tell(
    viewer: Client,
    responder: Actor,
    incident: Incident,
    now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        post_update(actor=responder, incident=incident, text=f"Update {number}", now=now)
        add_action(actor=responder, incident=incident, title=f"Action {number}", now=now)
    with django_assert_max_num_queries(20):
        viewer.get(f"/incidents/{incident.number}/brief/")


def test_a_private_one_is_not_there(viewer: Client, responder: Actor, now: datetime) -> None:
    private = incidents.incident(responder, now=now, visibility="private")
    assert viewer.get(f"/incidents/{private.number}/brief/").status_code == 404
    assert viewer.get(f"/api/v1/incidents/{private.number}/brief/").status_code == 404
