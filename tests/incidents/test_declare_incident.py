"""Declaring an incident."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Invalid, NotAllowed
from events.models import Event
from incidents.actions import declare_incident
from incidents.models import Incident, IncidentType
from tests.factories import accounts, catalog, incidents


def test_an_incident_starts_with_a_reference_a_timeline_and_an_event(responder: Actor, now: datetime) -> None:
    payments = catalog.service(name="Payments")
    incident = declare_incident(
        actor=responder, name=" Card payments fail ", severity=incidents.severity("sev1"), services=[payments], now=now
    )
    assert incident.reference == f"INC-{incident.number}"
    assert (incident.name, incident.status.slug, incident.severity.slug) == (
        "Card payments fail",
        "investigating",
        "sev1",
    )
    assert incident.next_update_due_at == now + timedelta(minutes=15)
    entries = list(incident.timeline.order_by("sequence").values_list("sequence", "kind", "actor_name", "via"))
    assert entries == [(1, "declared", "Ana Ferreira", "web"), (2, "service", "Ana Ferreira", "web")]
    event = Event.objects.get(name="incident.declared")
    assert (event.subject_id, event.actor_name, event.data["severity"]) == (incident.pk, "Ana Ferreira", "sev1")


def test_numbers_count_up_without_holes(responder: Actor, now: datetime) -> None:
    numbers = [incidents.incident(responder, now=now).number for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_a_viewer_may_not_declare(db: None, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        incidents.incident(accounts.actor(Role.VIEWER), now=now)
    assert not Incident.objects.exists()


def test_a_name_is_needed_and_the_error_names_the_field(responder: Actor, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, name="   ", now=now)
    assert refused.value.field == "name"
    assert refused.value.remedy


def test_the_impact_cannot_begin_in_the_future(responder: Actor, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, now=now, started_at=now + timedelta(minutes=1))
    assert refused.value.field == "started_at"


def test_a_private_type_makes_a_private_incident_with_its_declarer_as_member(responder: Actor, now: datetime) -> None:
    incidents.configuration()
    incident = incidents.incident(responder, incident_type=IncidentType.objects.get(slug="security"), now=now)
    assert incident.is_private
    assert list(incident.members.values_list("pk", flat=True)) == [responder.user_id]


def test_a_lead_can_be_named_at_once(responder: Actor, now: datetime) -> None:
    bob = accounts.user(name="Bob Okafor")
    incident = incidents.incident(responder, lead=bob, now=now)
    assert incident.role_assignments.get(ended_at=None).user == bob
