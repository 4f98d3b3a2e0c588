"""The first five minutes: lines that complete themselves, and lines that people tick."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.actor import Actor
from events.errors import Conflict
from events.models import Event
from incidents.actions import change_severity, note_acknowledged, set_affected_service
from incidents.models import ChecklistItem, Incident, IncidentRole
from incidents.roles import assign_role
from incidents.todo import checklist_of, tick, untick
from tests.factories import accounts, catalog, incidents

pytestmark = pytest.mark.django_db


def done(incident: Incident) -> set[str]:
    incident.refresh_from_db()
    return {line.item.slug for line in checklist_of(incident) if line.is_done}


def test_lines_complete_themselves(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(Actor.of_alert_source(1, "Prometheus"), now=now)
    assert done(incident) == {"declare"}
    note_acknowledged(actor=responder, incident=incident, text="acknowledged", now=now)
    set_affected_service(actor=responder, incident=incident, service=catalog.service(), impact="major_outage", now=now)
    change_severity(actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now)
    assert done(incident) == {"declare", "acknowledge", "assess-scope", "set-severity"}
    for slug in ("lead", "comms", "tech"):
        role = IncidentRole.objects.get(slug=slug)
        assign_role(actor=responder, incident=incident, role=role, user=accounts.user(), now=now)
    assert len(done(incident)) == 5


def test_what_one_ticks_one_can_take_back(responder: Actor, incident: Incident, now: datetime) -> None:
    item = ChecklistItem.objects.get(slug="acknowledge")
    for _again in range(2):
        tick(actor=responder, incident=incident, item=item, now=now)
    [line] = [line for line in checklist_of(incident) if line.item == item]
    assert (line.is_automatic, line.done_by_name, line.done_at) == (False, "Ana Ferreira", now)
    for _again in range(2):
        untick(actor=responder, incident=incident, item=item, now=now)
    assert "acknowledge" not in done(incident)
    names = Event.objects.filter(name__startswith="incident.checklist").values_list("name", flat=True)
    assert sorted(names) == ["incident.checklist_ticked", "incident.checklist_unticked"]


def test_what_has_happened_can_not_be_taken_back(responder: Actor, incident: Incident, now: datetime) -> None:
    with pytest.raises(Conflict, match="what has happened"):
        untick(actor=responder, incident=incident, item=ChecklistItem.objects.get(slug="declare"), now=now)


def test_mild_incidents_have_none(responder: Actor, now: datetime) -> None:
    assert checklist_of(incidents.incident(responder, severity="sev3", now=now)) == []


def test_by_form_and_by_rest(incident: Incident) -> None:
    client = Client()
    client.force_login(accounts.user())
    client.post(f"/incidents/{incident.number}/checklist/tick/", {"item": "acknowledge"})
    assert "acknowledge" in done(incident)
    address = f"/api/v1/incidents/{incident.number}/checklist/"
    lines = client.delete(f"{address}acknowledge/").json()
    assert [line["is_done"] for line in lines if line["item"] == "acknowledge"] == [False]
    client.put(f"{address}acknowledge/")
    assert len(client.get(address).json()) == 5
    client.post(f"/incidents/{incident.number}/checklist/untick/", {"item": "acknowledge"})
    assert "acknowledge" not in done(incident)
