"""Values of an incident edited where they stand: who comes second is told, what is refused says why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import User
from incidents import actions, membership, roles
from incidents.models import Incident, IncidentRole, IncidentService, IncidentStatus, Qualification, Severity
from tests.factories import accounts, catalog, incidents

Set = Callable[..., Any]


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def burning(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


@pytest.fixture
def put(ana: User, burning: Incident, client: Client) -> Set:
    """Sets a value as Ana's page does, and returns status and answer."""
    client.force_login(ana)

    def send(field: str, value: object, **more: object) -> tuple[int, Any]:
        told = {"field": field, "value": value, **more}
        answer = client.post(f"/incidents/{burning.number}/set/", told, headers={"Accept": "application/json"})
        return answer.status_code, answer.json()

    return send


def test_a_value_is_set_and_undone_by_the_same_call(put: Set, burning: Incident) -> None:
    before = burning.severity.slug
    other = Severity.objects.exclude(slug=before).first()
    assert other is not None
    assert put("severity", other.slug, was=before) == (
        200,
        {"value": other.slug, "shown": other.name, "can_undo": True},
    )
    status, answer = put("severity", before, was=other.slug)
    assert (status, answer["value"]) == (200, before)


def test_who_comes_second_changes_nothing_and_is_told_both(put: Set, burning: Incident, now: datetime) -> None:
    bob = accounts.actor(name="Bob Okafor")
    actions.edit_incident(actor=bob, incident=burning, name="Bob's name", now=now)
    status, answer = put("name", "Ana's name", was=burning.name)
    assert status == 409
    assert answer["error"]["code"] == "stale"
    assert (answer["error"]["now"], answer["error"]["by"]) == ("Bob's name", "Bob Okafor")
    burning.refresh_from_db()
    assert burning.name == "Bob's name"
    assert put("name", "Ana's name", was="Bob's name")[0] == 200, "who has seen it may change it"


def test_two_who_want_the_same_are_no_conflict(put: Set, burning: Incident, now: datetime) -> None:
    actions.edit_incident(actor=accounts.actor(), incident=burning, users_affected=1500, now=now)
    assert put("users_affected", "1500", was="")[0] == 200


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "  ", "blank"),
        ("users_affected", "many", "integer"),
        ("severity", "sev99", "no such severity"),
        ("status", "on-fire", "no such status"),
        ("role.lead", "999999", "no such role or person"),
        ("service.nothing", "major_outage", "no such service"),
        ("time.started", "yesterday", "not a time"),
        ("number", "7", "can't be edited"),
        ("declared_by_name", "Eve", "can't be edited"),
    ],
)
def test_what_is_refused_says_why(put: Set, field: str, value: str, says: str) -> None:
    status, answer = put(field, value)
    assert status == 400
    assert says in answer["error"]["message"]


def test_roles_services_and_times_are_edited_too(put: Set, burning: Incident, now: datetime) -> None:
    bob = accounts.user(name="Bob Okafor")
    service = catalog.service()
    assert put("role.lead", bob.pk, was="")[1]["shown"] == "Bob Okafor"
    assert put(f"service.{service.slug}", "major_outage", was="")[1]["value"] == "major_outage"
    assert IncidentService.objects.get(incident=burning).impact == "major_outage"
    began = burning.declared_at.isoformat()
    assert "why" in put("time.started", began, was="")[1]["error"]["message"]
    assert put("time.started", began, was="", reason="The graph says so")[0] == 200
    burning.refresh_from_db()
    assert burning.started_at == burning.declared_at


def test_somebody_else_took_the_role_meanwhile(put: Set, burning: Incident, ana: User, now: datetime) -> None:
    dan = accounts.user(name="Dan Novak")
    lead = IncidentRole.objects.get(slug="lead")
    roles.assign_role(actor=Actor.of_user(dan, via="web"), incident=burning, role=lead, user=dan, now=now)
    status, answer = put("role.lead", ana.pk, was="")
    assert (status, answer["error"]["shown"]) == (409, "Dan Novak")


def test_a_viewer_is_refused_and_a_private_incident_is_not_there(
    ana: User, burning: Incident, client: Client, now: datetime
) -> None:
    address, told = f"/incidents/{burning.number}/set/", {"field": "name", "value": "Mine"}
    client.force_login(accounts.user(role="viewer"))
    assert client.post(address, told).status_code == 403
    membership.set_visibility(actor=Actor.of_user(ana, via="web"), incident=burning, visibility="private", now=now)
    client.force_login(accounts.user(role="owner"))
    assert client.post(address, told).status_code == 404


def test_a_role_for_somebody_without_its_qualification_is_set_with_a_warning(put: Set) -> None:
    rung = Qualification.objects.create(slug="captain", name="Captain", rank=9)
    IncidentRole.objects.filter(slug="comms").update(qualification=rung)
    bob = accounts.user(name="Bob Okafor")
    status, answer = put("role.comms", bob.pk, was="")
    assert (status, answer["shown"]) == (200, "Bob Okafor")
    assert answer["warnings"] == ["Bob Okafor is not qualified as Captain, which Communications Lead asks for."]
    assert "warnings" not in put("role.comms", "", was=bob.pk)[1]


def test_what_is_archived_is_refused_with_the_reason(put: Set, burning: Incident) -> None:
    IncidentStatus.objects.filter(slug="monitoring").update(is_active=False)
    status, answer = put("status", "monitoring", was=burning.status.slug)
    assert (status, answer["error"]["message"]) == (400, "Monitoring is not in use any more.")
