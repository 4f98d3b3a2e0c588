"""Buttons of the admin's lists of what belongs to incidents: each calls the action, which may refuse."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from events.models import Event
from incidents import entries, todo
from incidents.followers import follow
from incidents.models import ChecklistItem, Incident
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return accounts.user(name="Ana Ferreira", role=Role.ADMINISTRATOR)


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def pressed(client: Client, model: str, action: str, *rows: Any) -> str:
    """What the page says after a button was pressed."""
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/incidents/{model}/", body, follow=True).content.decode()


def test_things_to_do_are_done_taken_up_again_and_taken_off(
    client: Client, boss: User, responder: Actor, incident: Incident, now: datetime
) -> None:
    action = todo.add_action(actor=responder, incident=incident, title="Raise the pool", now=now)
    pressed(client, "incidentaction", "complete", action)
    action.refresh_from_db()
    assert action.done_by_name == boss.display_name
    pressed(client, "incidentaction", "reopen", action)
    action.refresh_from_db()
    assert action.done_at is None
    pressed(client, "incidentaction", "take_off", action)
    assert not incident.actions.exists()
    assert Event.objects.filter(name="incident.action_removed", via="admin").count() == 1


def test_a_tick_is_taken_back(client: Client, responder: Actor, incident: Incident, now: datetime) -> None:
    item = ChecklistItem.objects.get(slug="acknowledge")
    todo.tick(actor=responder, incident=incident, item=item, now=now)
    pressed(client, "checklisttick", "untick", *incident.ticks.all())
    assert not incident.ticks.exists()


def test_followers_are_ended(client: Client, boss: User, incident: Incident, now: datetime) -> None:
    bob = accounts.user()
    row = follow(actor=Actor.of_user(bob, via="web"), incident=incident, user=bob, now=now)
    pressed(client, "incidentfollower", "end", row)
    assert not incident.followers.exists()


def test_entries_are_removed_restored_and_kept_out(
    client: Client, responder: Actor, incident: Incident, now: datetime
) -> None:
    entry = entries.write_entry(actor=responder, incident=incident, text="A guess", now=now)
    declared = incident.timeline.get(sequence=1)
    told = pressed(client, "timelineentry", "remove", entry, declared)
    assert "Sitrep wrote this entry" in told
    entry.refresh_from_db()
    assert entry.removed_at is not None
    pressed(client, "timelineentry", "restore", entry)
    pressed(client, "timelineentry", "keep_out", entry)
    entry = incident.timeline.get(pk=entry.pk)
    assert entry.removed_at is None
    assert not entry.in_postmortem


def test_nothing_of_a_private_incident_can_be_pressed_from_outside(
    client: Client, responder: Actor, now: datetime
) -> None:
    secret = incidents.incident(responder, visibility="private", now=now)
    action = todo.add_action(actor=responder, incident=secret, title="Raise the pool", now=now)
    pressed(client, "incidentaction", "complete", action)
    action.refresh_from_db()
    assert action.done_at is None
