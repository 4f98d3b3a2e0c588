"""A private incident leaves no trace for people outside: lists, pages, search, API, home, postmortems."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, NotFound
from incidents import entries, membership, roles
from incidents.models import Incident, IncidentRole
from tests.factories import accounts, catalog, incidents

SECRET = "Zebra breach"
PLACES = [
    "/",
    "/incidents/",
    "/incidents/?q=Zebra",
    "/search/?q=Zebra",
    "/search/?q=INC-{number}",
    "/api/v1/incidents/",
    "/api/v1/incidents/?q=Zebra",
    "/alerts/?status=firing",
    "/api/v1/alerts/",
    "/postmortems/",
    "/action-items/",
    "/services/zebra-service/",
]


@pytest.fixture
def private(responder: Actor, now: datetime) -> Incident:
    service = catalog.service(name="Zebra service", slug="zebra-service")
    return incidents.incident(responder, name=SECRET, visibility="private", services=[service], now=now)


def client_of(role: Role) -> tuple[Client, User]:
    user = accounts.user(role=role)
    client = Client()
    client.force_login(user)
    return client, user


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.OWNER])
@pytest.mark.parametrize("place", PLACES)
def test_those_outside_find_no_trace(private: Incident, role: Role, place: str) -> None:
    client, _ = client_of(role)
    response = client.get(place.format(number=private.number))
    assert response.status_code == 200
    assert SECRET not in response.content.decode()
    assert f'"{private.reference}"' not in response.content.decode()


@pytest.mark.parametrize(
    "address",
    ["/incidents/{n}/", "/incidents/{n}/timeline/", "/api/v1/incidents/{n}/", "/api/v1/incidents/{n}/timeline/"],
)
def test_those_outside_get_the_same_answer_as_for_one_that_does_not_exist(private: Incident, address: str) -> None:
    client, _ = client_of(Role.OWNER)
    there, nowhere = client.get(address.format(n=private.number)), client.get(address.format(n=999_999))
    assert there.status_code == nowhere.status_code == 404


def test_a_member_sees_it_everywhere(private: Incident, responder: Actor) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    for place in ("/incidents/", "/search/?q=Zebra", "/api/v1/incidents/", f"/incidents/{private.number}/"):
        assert SECRET in client.get(place).content.decode(), place


def test_an_outsider_cannot_write_to_it(private: Incident, now: datetime) -> None:
    with pytest.raises(NotFound):
        entries.add_note(actor=accounts.actor(Role.OWNER), incident=private, text="hello", now=now)
    client, _ = client_of(Role.OWNER)
    assert client.post(f"/incidents/{private.number}/notes/", {"text": "hello"}).status_code == 404


def test_the_administrator_in_the_django_admin_is_outside_too(private: Incident) -> None:
    client, _ = client_of(Role.OWNER)
    for place in ("/admin/incidents/incident/", "/admin/incidents/timelineentry/", "/admin/events/event/"):
        response = client.get(place)
        assert response.status_code == 200
        assert SECRET not in response.content.decode()


def test_members_come_and_go_but_one_stays(private: Incident, responder: Actor, now: datetime) -> None:
    bob = accounts.user()
    membership.add_member(actor=responder, incident=private, user=bob, now=now)
    assert Incident.objects.visible_to(Actor.of_user(bob, via="web")).filter(pk=private.pk).exists()
    membership.remove_member(actor=responder, incident=private, user=bob, now=now)
    assert not Incident.objects.visible_to(Actor.of_user(bob, via="web")).filter(pk=private.pk).exists()
    with pytest.raises(Conflict):
        membership.remove_member(
            actor=responder, incident=private, user=User.objects.get(pk=responder.person_id), now=now
        )


def test_making_an_incident_private_keeps_its_people(responder: Actor, incident: Incident, now: datetime) -> None:
    bob = accounts.user()
    roles.assign_role(
        actor=responder,
        incident=incident,
        role=IncidentRole.objects.get(slug="lead"),
        user=bob,
        now=now,
    )
    membership.set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    assert set(incident.members.values_list("pk", flat=True)) == {responder.user_id, bob.pk}
