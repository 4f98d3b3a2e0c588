"""Places and people that are told, not asked: chats, signed webhooks, shadows, administrators."""

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from accounts.models import Role
from events.actions import deliver_due
from events.models import Delivery
from oncall.engine import tick
from oncall.models import Escalation, EscalationTarget, Shadow
from tests.factories import oncall
from tests.oncall.ladders import MINUTE, NOON, Kind, ladder, ledger, reachable, rung, running, started

pytestmark = pytest.mark.django_db
SECRET = "shared-with-the-receiver"


class Receiver(ThreadingHTTPServer):
    """What stands at the other end: a webhook that checks signatures, and a chat service (ntfy) beside it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receives)
        self.statuses: list[int] = []
        self.hooks: list[tuple[str, dict[str, Any]]] = []
        self.chats: list[str] = []


class Receives(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if self.path == "/hook":
            parts = dict(part.split("=", 1) for part in self.headers["X-Sitrep-Signature"].split(","))
            expected = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, parts["v1"]):
                status = 401
            self.server.hooks.append((self.headers["Idempotency-Key"], json.loads(body)))
        else:
            self.server.chats.append(body.decode())
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver(settings: Settings) -> Generator[Receiver]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def hook(receiver: Receiver) -> dict[str, Any]:
    address = f"http://127.0.0.1:{receiver.server_port}/hook"
    return {"kind": Kind.WEBHOOK, "name": "ticket system", "address": address, "secret": SECRET}


def deliver(minutes: int = 0) -> None:
    """Runs the handlers that are due that much later."""
    Delivery.objects.filter(state="pending").update(due_at=NOON)
    deliver_due(NOON + minutes * MINUTE)


def told(escalation: Escalation) -> list[str]:
    return [text for text in ledger(escalation) if "told" in text.lower()]


def test_a_webhook_is_told_with_a_signature_and_the_ledger_says_so(receiver: Receiver) -> None:
    escalation = running(ladder(rung(reachable("Ana"), hook(receiver))), facts={"service": "payments"})
    deliver()
    (_key, said) = receiver.hooks[0]
    assert said["type"] == "escalation.told"
    assert (said["title"], said["level"], said["facts"]) == (escalation.title, 1, {"service": "payments"})
    assert said["link"].endswith(f"/oncall/escalations/{escalation.pk}/")
    assert told(escalation) == ["Told ticket system: answered 200"]


def test_a_place_that_fails_is_told_again_under_the_same_key_and_one_that_is_gone_is_not(receiver: Receiver) -> None:
    escalation = running(ladder(rung(hook(receiver))))
    receiver.statuses = [503, 200]
    deliver()
    assert told(escalation) == []
    deliver()
    assert len({key for key, _said in receiver.hooks}) == 1
    assert told(escalation) == ["Told ticket system: answered 200"]
    other = running(ladder(rung(hook(receiver))))
    receiver.statuses = [410]
    deliver()
    assert told(other) == ["ticket system could not be told: answered 410"]
    assert not Delivery.objects.filter(handler="oncall.tell_places").exclude(state="done").exists()


def test_a_chat_is_told_by_its_apprise_address(receiver: Receiver) -> None:
    chat = {"kind": Kind.CHAT, "name": "#payments", "address": f"ntfy://127.0.0.1:{receiver.server_port}/payments"}
    escalation = running(ladder(rung(chat)))
    deliver()
    assert "Payment API returning 500 errors" in receiver.chats[0]
    assert "Told #payments" in told(escalation)[0]


def test_of_a_private_escalation_a_place_learns_only_that_it_is_there(receiver: Receiver) -> None:
    running(ladder(rung(hook(receiver))), is_private=True, facts={"service": "payroll"}, detail="Names and sums")
    deliver()
    said = receiver.hooks[0][1]
    assert (said["title"], said["detail"], said["facts"]) == ("A private escalation", "", {})


def test_a_target_that_was_saved_again_is_found_by_its_name_and_one_that_is_gone_is_said_to_be(
    receiver: Receiver,
) -> None:
    escalation = started(ladder(rung(hook(receiver), minutes=1), repeats=1))
    target = EscalationTarget.objects.get()
    fields = {name: getattr(target, name) for name in ("kind", "name", "address", "secret", "level")}
    target.delete()
    again = EscalationTarget.objects.create(**fields)
    tick(NOON)
    deliver()
    assert len(receiver.hooks) == 1
    again.delete()
    tick(NOON + MINUTE)
    deliver(1)
    assert told(escalation)[-1] == "ticket system could not be told: the policy does not name it any more"


def test_who_shadows_is_mailed_and_never_paged() -> None:
    ana, kim = reachable("Ana"), reachable("Kim")
    schedule = oncall.schedule(ana)
    Shadow.objects.create(schedule=schedule, user=kim, starts_at=NOON - MINUTE, ends_at=NOON + MINUTE)
    escalation = running(ladder(rung(schedule)))
    deliver()
    assert [message.to for message in mail.outbox] == [[kim.email]]
    assert f"/oncall/escalations/{escalation.pk}/" in mail.outbox[0].body
    assert not escalation.pages.filter(user=kim).exists()


def test_administrators_are_told_of_an_escalation_that_can_not_be_walked() -> None:
    admin = reachable("Zoe", role=Role.ADMINISTRATOR)
    escalation = started(ladder(rung(reachable("Ana"))))
    Escalation.objects.filter(pk=escalation.pk).update(path={**escalation.path, "zone": "No/Such_Zone"})
    tick(NOON)
    deliver()
    assert [message.to for message in mail.outbox] == [[admin.email]]
    assert f"/oncall/escalations/{escalation.pk}/" in mail.outbox[0].body
