"""Announcement rules: who hears of which incidents, at which moments, once."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.models import Delivery
from incidents.actions import change_severity, resolve_incident
from incidents.announcements import audiences
from incidents.models import AnnouncementRule, Incident
from incidents.updates import post_update
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db
SEVERE = {"fact": "rank", "operator": "greater", "value": 3}


class Place(ThreadingHTTPServer):
    """A webhook that keeps what it hears; it answers with `statuses` first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hears)
        self.statuses: list[int] = []
        self.heard: list[tuple[str, dict[str, Any]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Hears(BaseHTTPRequestHandler):
    server: Place

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.headers["Idempotency-Key"], body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Place()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def boss() -> User:
    return accounts.user(name="Vera", email="vp@example.com", role=Role.VIEWER)


def rule(*people: User, **fields: Any) -> AnnouncementRule:
    number = AnnouncementRule.objects.count() + 1
    made = AnnouncementRule.objects.create(**{"name": f"Rule {number}", "moments": ["declared"], **fields})
    made.users.set(people)
    return made


def deliver() -> None:
    while deliver_due(timezone.now()):
        pass


def told() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def test_a_rule_tells_people_addresses_and_a_place_once(
    responder: Actor, boss: User, place: Place, now: datetime
) -> None:
    team = accounts.team(boss, accounts.user(email="cto@example.com"))
    leadership = rule(boss, conditions=SEVERE, emails=["board@example.com"], place="#incidents", address=place.address)
    leadership.teams.add(team)
    rule(boss, emails=["Board@example.com"], place="The same", address=place.address)
    incident = incidents.incident(responder, severity="sev1", now=now)
    deliver()
    assert told() == ["board@example.com", "cto@example.com", "vp@example.com"]
    [(key, said)] = place.heard
    assert key.startswith("announced-")
    assert (said["type"], said["moment"], said["severity"]) == ("incident.announced", "declared", "sev1")
    entry = incident.timeline.get(kind="workflow")
    assert entry.text.endswith("by the rule “Rule 1”")
    deliver()
    assert len(mail.outbox) == 3


def test_only_what_its_conditions_and_moments_say(responder: Actor, boss: User, now: datetime) -> None:
    rule(boss, conditions=SEVERE, moments=["severity_changed", "updated", "resolved"])
    incident = incidents.incident(responder, now=now)
    post_update(actor=responder, incident=incident, text="Looking", now=now)
    deliver()
    assert mail.outbox == []
    change_severity(actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now)
    post_update(actor=responder, incident=incident, text="The pool is exhausted", doing="We make it larger", now=now)
    resolve_incident(actor=responder, incident=incident, now=now)
    deliver()
    assert len(mail.outbox) == 3
    assert "[UPDATE 09:26] The pool is exhausted" in str(mail.outbox[1].body)


def test_a_place_that_fails_is_tried_again_and_holds_up_nobody(
    responder: Actor, boss: User, place: Place, now: datetime
) -> None:
    place.statuses = [500]
    rule(boss, place="#incidents", address=place.address)
    incidents.incident(responder, now=now)
    deliver()
    assert told() == ["vp@example.com"]
    waiting = Delivery.objects.get(handler="incidents.tell_announcement", state="pending")
    deliver_due(waiting.due_at + timedelta(seconds=1))
    assert len({key for key, _said in place.heard}) == 1
    assert len(place.heard) == 2


def test_of_a_private_one_only_members_hear_and_only_that_it_is_there(
    responder: Actor, boss: User, place: Place, now: datetime
) -> None:
    member = accounts.user(email="member@example.com")
    rule(boss, member, emails=["board@example.com"], place="#incidents", address=place.address, moments=["updated"])
    incident = incidents.incident(responder, now=now, visibility="private", name="Somebody got in")
    incident.memberships.create(user=member, added_at=now)
    post_update(actor=responder, incident=incident, text="Through the VPN", now=now)
    deliver()
    assert told() == ["member@example.com"]
    assert place.heard == []
    assert "VPN" not in f"{mail.outbox[0].subject}{mail.outbox[0].body}"
    assert "Somebody" not in f"{mail.outbox[0].subject}{mail.outbox[0].body}"


def test_tests_and_what_is_over_are_announced_to_nobody(responder: Actor, boss: User, now: datetime) -> None:
    rule(boss)
    for mode in ("test", "retrospective"):
        incident = incidents.incident(responder, now=now)
        incident.mode = mode
        assert audiences(incident, "declared") == []
    incident.mode = "game_day"
    assert [each.people for each in audiences(incident, "declared")] == [[boss]]


def test_one_that_is_switched_off_tells_nobody(responder: Actor, boss: User, now: datetime) -> None:
    rule(boss, is_enabled=False)
    assert audiences(incidents.incident(responder, now=now), "declared") == []


def test_the_preview_tells_nobody(incident: Incident, boss: User) -> None:
    deliver()
    rule(boss, emails=["board@example.com"])
    client = Client()
    client.force_login(accounts.user(role=Role.ADMINISTRATOR))
    page = client.get("/settings/incidents/announcements/preview/", {"incident": incident.reference}).content.decode()
    assert "Rule 1: Vera, board@example.com" in page
    said = client.get("/api/v1/announcement-rules/preview/", {"incident": incident.number}).json()
    assert [(each["moment"], each["emails"]) for each in said] == [("declared", ["board@example.com"])]
    deliver()
    assert mail.outbox == []
