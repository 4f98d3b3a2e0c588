"""Steps that speak to the world outside, and what each says of itself."""

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine
from django.core import mail
from pytest_django import Settings

from accounts.actor import Actor
from tests.factories import accounts, incidents, oncall
from tests.factories.workflows import pass_time, run_of, running, step
from workflows import runs
from workflows.models import StepRun, WorkflowRun, WorkflowVersion
from workflows.registry import Group, steps

pytestmark = pytest.mark.django_db
STATUS = {"/ok": 200, "/busy": 503, "/wrong": 422}


class Vendor(ThreadingHTTPServer):
    """A server that keeps what it is sent and answers by the path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.heard: list[tuple[str, dict[str, str], bytes]] = []


class Answers(BaseHTTPRequestHandler):
    server: Vendor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((self.path, dict(self.headers), body))
        answer = b'{"ticket": {"id": 17}}'
        self.send_response(STATUS[self.path])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def vendor(settings: Settings) -> Generator[Vendor]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    server = Vendor()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ana(now: datetime) -> Generator[Actor]:
    with time_machine.travel(now, tick=False):
        yield accounts.actor(name="Ana Ferreira")


def request(vendor: Vendor, path: str, **params: Any) -> dict[str, Any]:
    return step("http_request", "call", url=f"http://127.0.0.1:{vendor.server_port}{path}", **params)


def test_a_request_is_filled_in_signed_and_its_answer_is_there_for_later_steps(
    vendor: Vendor, ana: Actor, now: datetime
) -> None:
    made = running(
        request(
            vendor,
            "/ok",
            body='{"title": "{{ incident.name }}"}',
            headers="X-Kind: {{ incident.severity }}",
            secret_headers="Authorization: Bearer very-secret",
            secret="sign-with-me",
        ),
        step("add_note", text="Ticket {{ steps.call.json.ticket.id }}, {{ steps.call.status }}"),
    )
    incident = incidents.incident(ana, now=now)
    pass_time(now)
    [(path, headers, body)] = vendor.heard
    assert (path, json.loads(body)) == ("/ok", {"title": incident.name})
    assert (headers["X-Kind"], headers["Authorization"]) == ("sev2", "Bearer very-secret")
    row = StepRun.objects.get(run=run_of(made), path="call")
    assert headers["Idempotency-Key"] == row.key
    at, _, given = headers["X-Sitrep-Signature"].removeprefix("t=").partition(",v1=")
    assert given == hmac.new(b"sign-with-me", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert incident.timeline.get(kind="note").text == "Ticket 17, 200"
    # What is secret is neither stored in the clear nor shown.
    assert "very-secret" not in json.dumps([row.inputs, row.output, made.versions.get().definition])
    assert row.inputs["secret_headers"] == "••••••"


def test_a_server_that_is_busy_is_asked_again_under_the_same_key(vendor: Vendor, ana: Actor, now: datetime) -> None:
    made = running(request(vendor, "/busy", body="{}"))
    incidents.incident(ana, now=now)
    pass_time(now)
    pass_time(now + timedelta(minutes=1))
    assert len(vendor.heard) == 2
    assert len({headers["Idempotency-Key"] for _path, headers, _body in vendor.heard}) == 1
    assert run_of(made).is_open


def test_a_request_that_is_refused_fails_at_once(vendor: Vendor, ana: Actor, now: datetime) -> None:
    made = running(request(vendor, "/wrong", body="{}"))
    incidents.incident(ana, now=now)
    pass_time(now)
    assert len(vendor.heard) == 1
    assert run_of(made).error.startswith("It answered 422")


def test_no_request_goes_into_the_private_network(
    vendor: Vendor, ana: Actor, now: datetime, settings: Settings
) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    made = running(request(vendor, "/ok", body="{}"))
    incidents.incident(ana, now=now)
    pass_time(now)
    assert vendor.heard == []
    assert "private network" in run_of(made).error


def test_a_place_hears_of_a_private_incident_only_that_it_is_there(vendor: Vendor, ana: Actor, now: datetime) -> None:
    place = step(
        "tell_place", name="Board", address=f"http://127.0.0.1:{vendor.server_port}/ok", text="{{ incident.summary }}"
    )
    running(place, sees_private=True)
    shown = incidents.incident(ana, now=now, name="Checkout is down", summary="All of it")
    incidents.incident(ana, now=now, name="Somebody got in", summary="Through the door", visibility="private")
    pass_time(now)
    said = [json.loads(body) for _path, _headers, body in vendor.heard]
    assert [(each["title"], each["text"]) for each in said] == [
        (f"{shown.reference} SEV2: Checkout is down", "All of it"),
        ("There is news in a private incident", ""),
    ]


def test_people_are_told_once_each_however_they_are_named(ana: Actor, now: datetime) -> None:
    user = accounts.user(name="Lena", email="lena@example.com")
    oncall.contact_method(user)
    accounts.team(user, slug="core")
    people = {"persons": ["LENA@example.com"], "teams": ["core", "nobody"], "addresses": ["boss@example.org"]}
    made = running(step("notify", people=people, text="Look."))
    incidents.incident(ana, now=now)
    pass_time(now)
    assert sorted(message.to[0] for message in mail.outbox) == ["boss@example.org", "lena@example.com"]
    row = StepRun.objects.get(run=run_of(made))
    assert row.detail == "Notified Lena and boss@example.org (no team nobody)."


def test_every_step_has_a_group_words_and_known_kinds_of_parameters() -> None:
    for each in steps():
        assert each.group in Group
        params = {param.name: param.default for param in each.params}
        said = each.words(params)
        assert said, each.kind
        assert not said.endswith("."), each.kind


def test_a_webhook_starts_a_run_once_per_key(client: Any, ana: Actor, now: datetime) -> None:
    made = running(step("wait", minutes=5), trigger={"kind": "webhook"}, token_hash=hashlib.sha256(b"tok").hexdigest())
    headers = {"Idempotency-Key": "one"}
    first = client.post("/hooks/workflows/tok", {"a": 1}, content_type="application/json", headers=headers)
    again = client.post("/hooks/workflows/tok", {"a": 1}, content_type="application/json", headers=headers)
    assert (first.status_code, first.json()) == (202, again.json())
    assert WorkflowRun.objects.get(workflow=made).facts["webhook"]["body"] == {"a": 1}
    assert client.post("/hooks/workflows/other", {}).status_code == 404
    long = client.post("/hooks/workflows/tok", "x" * 70_000, content_type="text/plain")
    assert long.status_code == 413
    assert client.get("/hooks/workflows/tok").status_code == 405


def test_a_person_starts_only_what_waits_for_people(ana: Actor, now: datetime) -> None:
    by_hand = running(step("add_note", text="Done for {{ event.by }}"), name="By hand", trigger={"kind": "person"})
    incident = incidents.incident(ana, now=now)
    run = runs.start_by_hand(actor=ana, workflow=by_hand, incident=incident, now=now, request_key="a")
    assert runs.start_by_hand(actor=ana, workflow=by_hand, incident=incident, now=now, request_key="a") == run
    pass_time(now)
    assert incident.timeline.get(kind="note").text == "Done for Ana Ferreira"
    assert WorkflowVersion.objects.get(workflow=by_hand).number == 1
