"""Things to do now: added, given to somebody, done, and off the list."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from events.actions import deliver_due
from events.errors import Invalid, NotAllowed, NotFound
from events.models import Event
from incidents.actions import resolve_incident
from incidents.models import Incident, IncidentAction
from incidents.todo import (
    add_action,
    assign_action,
    complete_action,
    open_actions_of,
    remove_action,
    reopen_action,
)
from tests.factories import accounts, incidents, oncall

pytestmark = pytest.mark.django_db


def test_each_verb_is_told_once(responder: Actor, incident: Incident, now: datetime) -> None:
    dan = accounts.user(name="Dan")
    action = add_action(actor=responder, incident=incident, title="  Roll  back ", now=now)
    for _again in range(2):
        assign_action(actor=responder, action=action, assignee=dan, now=now)
    for _again in range(2):
        complete_action(actor=responder, action=action, now=now)
    action.refresh_from_db()
    assert (action.done_at, action.done_by_name) == (now, "Ana Ferreira")
    for _again in range(2):
        reopen_action(actor=responder, action=action, now=now)
    for _again in range(2):
        remove_action(actor=responder, action=action, now=now)
    told = incident.timeline.filter(kind="action").order_by("sequence").values_list("text", flat=True)
    assert list(told) == [
        "to do: Roll back",
        "gave “Roll back” to Dan",
        "done: Roll back",
        "not done after all: Roll back",
        "took “Roll back” off the list",
    ]
    names = Event.objects.filter(name__startswith="incident.action_").order_by("id").values_list("name", flat=True)
    assert [name.removeprefix("incident.action_") for name in names] == [
        *("added", "assigned", "done", "reopened", "removed")
    ]


def test_words_are_needed_and_viewers_add_none(responder: Actor, incident: Incident, now: datetime) -> None:
    with pytest.raises(Invalid, match="nothing to do") as refused:
        add_action(actor=responder, incident=incident, title=" ", now=now)
    assert refused.value.field == "title"
    with pytest.raises(NotAllowed):
        add_action(actor=accounts.actor(Role.VIEWER), incident=incident, title="Look", now=now)


def test_of_a_private_incident_only_members_do_things(responder: Actor, now: datetime) -> None:
    private = incidents.incident(responder, now=now, visibility="private")
    outsider = accounts.user()
    with pytest.raises(Invalid, match="may not see"):
        add_action(actor=responder, incident=private, title="Look", now=now, assignee=outsider)
    action = add_action(actor=responder, incident=private, title="Look", now=now)
    with pytest.raises(NotFound):
        complete_action(actor=Actor.of_user(outsider, via="web"), action=action, now=now)


def test_whoever_is_given_something_is_told(responder: Actor, incident: Incident, now: datetime) -> None:
    dan = accounts.user(name="Dan", email="dan@example.com")
    oncall.contact_method(dan)
    action = add_action(actor=responder, incident=incident, title="Roll back", now=now, assignee=dan)
    assign_action(actor=Actor.of_user(dan, via="web"), action=action, assignee=None, now=now)
    assign_action(actor=Actor.of_user(dan, via="web"), action=action, assignee=dan, now=now)
    deliver_due(timezone.now())
    assert [message.to for message in mail.outbox] == [["dan@example.com"]]
    assert "Roll back" in mail.outbox[0].subject


def test_home_shows_what_is_mine_while_the_incident_is_open(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    dan = accounts.user()
    mine = add_action(actor=responder, incident=incident, title="Roll back", now=now, assignee=dan)
    add_action(actor=responder, incident=incident, title="Somebody else's", now=now)
    actor, client = Actor.of_user(dan, via="web"), Client()
    client.force_login(dan)
    assert list(open_actions_of(actor)) == [mine]
    assert "Roll back" in client.get("/").content.decode()
    resolve_incident(actor=responder, incident=incident, now=now)
    assert not open_actions_of(actor).exists()


def by_form(client: Client, number: int) -> list[int]:
    client.post(f"/incidents/{number}/todo/", {"title": "Roll back"})
    pk = IncidentAction.objects.latest("id").pk
    steps = [("done", {}), ("reopen", {}), ("assign", {"assignee": ""}), ("remove", {})]
    return [
        client.post(f"/incidents/{number}/todo/{verb}/", {"action": pk, **more}).status_code for verb, more in steps
    ]


def by_rest(client: Client, number: int) -> list[int]:
    address = f"/api/v1/incidents/{number}/actions/"
    pk = client.post(address, {"title": "Roll back"}, "application/json").json()["id"]
    assert client.get(address).json()["results"][0]["title"] == "Roll back"
    steps = [("done", {}), ("reopen", {}), ("assign", {"assignee": None})]
    codes = [client.post(f"{address}{pk}/{verb}/", more, "application/json").status_code for verb, more in steps]
    return [*codes, client.delete(f"{address}{pk}/").status_code]


@pytest.mark.parametrize(("way", "answers"), [(by_form, 302), (by_rest, 200)], ids=["form", "rest"])
def test_form_and_rest_leave_the_same_rows(
    way: Callable[[Client, int], list[int]], answers: int, incident: Incident
) -> None:
    client = Client()
    client.force_login(accounts.user())
    codes = way(client, incident.number)
    assert codes[:3] == [answers] * 3
    told = incident.timeline.filter(kind="action").order_by("sequence").values_list("text", flat=True)
    assert list(told) == [
        "to do: Roll back",
        "done: Roll back",
        "not done after all: Roll back",
        "took “Roll back” off the list",
    ]


def test_another_incidents_action_is_not_found(incident: Incident, now: datetime) -> None:
    other = add_action(actor=Actor.system(), incident=incidents.incident(now=now), title="Look", now=now)
    client = Client()
    client.force_login(accounts.user())
    assert client.post(f"/incidents/{incident.number}/todo/done/", {"action": other.pk}).status_code == 404
    address = f"/api/v1/incidents/{incident.number}/actions/{other.pk}/done/"
    assert client.post(address).status_code == 404
