"""Whom routes notify: people, teams, chats and webhooks; by the outbox, which tries again."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from accounts.models import Membership
from alerts.ingest import process_raw_events
from alerts.models import Alert, RawEvent
from alerts.routes import Notice
from events.actions import deliver_due
from events.models import Delivery, Event
from incidents.models import IncidentType
from tests.factories import accounts, alerts, incidents, oncall

pytestmark = pytest.mark.django_db


class Receiver(ThreadingHTTPServer):
    """A webhook, and a chat service (ntfy) beside it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receives)
        self.statuses: list[int] = []
        self.hooks: list[tuple[str, dict[str, Any]]] = []
        self.chats: list[str] = []

    def address(self, scheme: str, path: str) -> str:
        return f"{scheme}://127.0.0.1:{self.server_port}/{path}"


class Receives(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/hook":
            self.server.hooks.append((self.headers["Idempotency-Key"], json.loads(body)))
        else:
            self.server.chats.append(body.decode())
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fire(now: datetime, **event: Any) -> Alert:
    """An alert that comes in and is told of."""
    body = json.dumps({"title": "Disk full", "dedup_key": "disk", "severity": "critical", **event}).encode()
    RawEvent.objects.create(source=alerts.source(), received_at=now, due_at=now, body=body)
    process_raw_events(now)
    deliver_due(Event.objects.latest("id").occurred_at)
    return Alert.objects.latest("id")


def test_a_webhook_a_chat_and_a_team_are_told(receiver: Receiver, now: datetime) -> None:
    team, member, other = accounts.team(name="Web"), accounts.user(), accounts.user()
    Membership.objects.create(team=team, user=member)
    for user in (member, other):
        oncall.contact_method(user)
    hook, chat = receiver.address("http", "hook"), receiver.address("ntfy", "topic")
    notices = [Notice("webhook", name="Hook", address=hook), Notice("chat", name="Room", address=chat)]
    route = alerts.route(notices=[*notices, Notice("team", team=team)])
    alert = fire(now)
    [(key, said)] = receiver.hooks
    assert key == f"noticed-{Event.objects.filter(name='alert.noticed').earliest('id').pk}"
    assert (said["type"], said["title"], said["priority"], said["route"]) == (
        "alert.routed",
        "Disk full",
        1,
        route.name,
    )
    assert said["link"].endswith(alert.get_absolute_url())
    assert "Disk full" in receiver.chats[0]
    assert [message.to for message in mail.outbox] == [[member.email]]
    told = alert.entries.filter(kind="told").order_by("text").values_list("text", "author")
    assert list(told) == [("Told Hook", route.name), ("Told Room", route.name), ("Told Web", route.name)]


def test_a_place_that_fails_is_tried_again_with_the_same_key(receiver: Receiver, now: datetime) -> None:
    receiver.statuses = [500]
    alerts.route(notices=[Notice("webhook", name="Hook", address=receiver.address("http", "hook"))])
    alert = fire(now)
    delivery = Delivery.objects.get(handler="alerts.tell_of_alert")
    assert (delivery.state, delivery.last_error) == ("pending", "NotTold: Hook: answered 500")
    assert not alert.entries.exists()
    deliver_due(delivery.due_at + timedelta(seconds=1))
    assert len({key for key, _said in receiver.hooks}) == 1
    assert alert.entries.get().text == "Told Hook"


def test_a_place_where_nobody_listens_is_told_in_the_history(receiver: Receiver, now: datetime) -> None:
    receiver.statuses = [410]
    alerts.route(notices=[Notice("webhook", name="Hook", address=receiver.address("http", "hook"))])
    entry = fire(now).entries.get()
    assert (entry.kind, entry.text) == ("not_told", "Hook could not be told: answered 410")


def test_of_a_private_incident_nothing_is_told_but_that_there_is_an_alert(receiver: Receiver, now: datetime) -> None:
    severity = incidents.severity()
    IncidentType.objects.update(private_by_default=True)
    notice = Notice("webhook", name="Hook", address=receiver.address("http", "hook"))
    alerts.route(declares_incident=True, severity=severity, notices=[notice])
    alert = fire(now, description="Ana's salary", service="payroll")
    assert alert.incident is not None
    assert alert.incident.is_private
    [(_key, said)] = receiver.hooks
    assert (said["title"], said["detail"], said["facts"]) == ("An alert of a private incident", "", {})
    assert "payroll" not in json.dumps(said)
    assert "disk" not in json.dumps(said)
