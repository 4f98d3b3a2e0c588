"""Every dialect, by one table: what was captured fires and resolves; each mistake gets the vendor's own error."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alerts.dialects import DIALECTS
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent, Rejection
from tests.factories import alerts

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=--------------------------814502934762394851203984"
OURS = {"error"}
PAGERDUTY = {"status", "message", "errors"}
INCIDENTIO = {"type", "status", "request_id", "errors"}
OPSGENIE = {"message", "took", "requestId"}
# What nobody posts, and what only its vendor can sign: in files of their own.
ELSEWHERE = {"email", "heartbeat", "sns"}


@dataclass(frozen=True)
class Wire:
    """One way in: where it is posted to, what was captured, and with which status what goes wrong is told.

    `errors` are the names in the body of an error, or nothing where it is a text.
    """

    dialect: str
    path: str
    folder: str
    firing: str = "firing.json"
    resolved: str = "resolved.json"
    resolved_path: str = ""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    resolved_headers: dict[str, str] = field(default_factory=dict)
    accepted: int = 202
    malformed: int = 400
    wrong_token: int = 401
    errors: frozenset[str] = frozenset(OURS)
    malformed_errors: frozenset[str] = frozenset()
    # (name, value): what is put into the captured JSON; `<token>` stands for the source's.
    puts: tuple[tuple[str, str], ...] = ()

    def body(self, name: str, token: str) -> bytes:
        captured = (PAYLOADS / self.folder / name).read_bytes()
        if not self.puts:
            return captured
        document = json.loads(captured)
        for each in document if isinstance(document, list) else [document]:
            each.update({key: value.replace("<token>", token) for key, value in self.puts if key in each})
        return json.dumps(document).encode()

    def post(self, token: str, body: bytes, *, resolves: bool = False) -> Any:
        path = (self.resolved_path if resolves else "") or self.path
        headers = {**self.headers, **(self.resolved_headers if resolves else {})}
        sent = {name: value.replace("<token>", token) for name, value in headers.items()}
        return Client().post(path.replace("<token>", token), body, content_type=self.content_type, headers=sent)


BEARER = {"Authorization": "Bearer <token>"}
ALIAS = "d4061866bc333de2350285b0452a21f78349e3d63b4f06b6c956f64f95d7be36"
WIRES = (
    Wire("github", "/github/<token>", "github", headers={"X-GitHub-Event": "deployment_status"}),
    Wire("generic", "/in/<token>", "generic"),
    Wire("generic", "/in/<token>", "cloudevents", content_type="application/cloudevents+json"),
    Wire("alertmanager", "/alertmanager/<token>", "alertmanager"),
    Wire(
        "alertmanager",
        "/alertmanager/<token>/api/v2/alerts",
        "alertmanager_api",
        accepted=200,
        errors=frozenset(),
        malformed_errors=frozenset({"code", "message"}),
    ),
    Wire(
        "pagerduty",
        "/pagerduty/v2/enqueue",
        "pagerduty",
        wrong_token=400,
        errors=frozenset(PAGERDUTY),
        puts=(("routing_key", "<token>"),),
    ),
    Wire(
        "pagerduty",
        "/pagerduty/generic/2010-04-15/create_event.json",
        "pagerduty",
        firing="v1-firing.json",
        resolved="v1-resolved.json",
        accepted=200,
        wrong_token=400,
        errors=frozenset(PAGERDUTY),
        puts=(("service_key", "<token>"),),
    ),
    Wire(
        "opsgenie",
        "/opsgenie/v2/alerts",
        "opsgenie",
        resolved_path=f"/opsgenie/v2/alerts/{ALIAS}/close?identifierType=alias",
        headers={"Authorization": "GenieKey <token>"},
        errors=frozenset(OPSGENIE),
    ),
    Wire(
        "incidentio",
        "/incidentio/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66",
        "incidentio",
        headers=BEARER,
        malformed=422,
        errors=frozenset(INCIDENTIO),
    ),
    Wire(
        "incidentio",
        "/incidentio/v2/alert_events/alertmanager/01GW2G3V0S59R238FAHPDS1R66",
        "alertmanager",
        headers=BEARER,
        malformed=422,
        errors=frozenset(INCIDENTIO),
    ),
    Wire("grafana", "/grafana/<token>", "grafana"),
    Wire("datadog", "/datadog/<token>", "datadog"),
    Wire("datadog", "/datadog/<token>", "datadog", "form-firing.txt", "form-resolved.txt", content_type=FORM),
    Wire(
        "sentry",
        "/sentry/<token>",
        "sentry",
        headers={"Sentry-Hook-Resource": "event_alert"},
        resolved_headers={"Sentry-Hook-Resource": "issue"},
    ),
    Wire("uptimekuma", "/uptime-kuma/<token>", "uptimekuma"),
    Wire(
        "uptimekuma",
        "/uptime-kuma/<token>",
        "uptimekuma",
        "form-firing.txt",
        "form-resolved.txt",
        content_type=MULTIPART,
    ),
    Wire("zabbix", "/zabbix/<token>", "zabbix"),
)
every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: f"{wire.path}-{wire.firing}")


def test_the_table_holds_every_dialect() -> None:
    assert {wire.dialect for wire in WIRES} == DIALECTS.keys() - ELSEWHERE


def test_each_has_a_page_with_what_to_copy() -> None:
    pages = PAYLOADS.parent.parent / "docs/user/alert-sources"
    index = (pages / "README.md").read_text()
    for name in DIALECTS.keys() - ELSEWHERE:
        assert DIALECTS[name].addresses[0].replace("<token>", "TOKEN").replace("<id>", "ID") in index
        assert f"({name}.md)" in index
        assert "https://sitrep.example.com" in (pages / f"{name}.md").read_text() or name == "zabbix"


@every_wire
def test_what_was_captured_fires_and_resolves(wire: Wire, now: datetime) -> None:
    source = alerts.source(dialect=wire.dialect)
    firing = wire.body(wire.firing, source.token)
    if wire.folder == "alertmanager_api":
        # (what fires there says until when, and that has passed)
        firing = firing.replace(b"2026-11-21T08:37:00.632Z", b"2099-11-21T08:37:00.632Z")
    assert wire.post(source.token, firing).status_code == wire.accepted
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.get().status == Alert.Status.FIRING
    resolved = wire.body(wire.resolved, source.token)
    assert wire.post(source.token, resolved, resolves=True).status_code == wire.accepted
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.get().status == Alert.Status.RESOLVED
    assert [len(raw.outcomes) for raw in RawEvent.objects.all()] == [1, 1]


def check(response: Any, status: int, errors: frozenset[str]) -> None:
    """The vendor's status, and its shape of an error."""
    content = json.loads(response.content)
    assert (response.status_code, isinstance(content, str)) == (status, not errors), content
    assert not errors or content.keys() == errors
    assert not RawEvent.objects.exists()


@every_wire
def test_each_mistake_gets_the_vendors_own_error(wire: Wire, settings: Settings) -> None:
    source = alerts.source(dialect=wire.dialect)
    firing = wire.body(wire.firing, source.token)
    wrong = AlertSource(token="0" * 32)
    check(wire.post(wrong.token, wire.body(wire.firing, wrong.token)), wire.wrong_token, wire.errors)
    check(wire.post(source.token, b"{"), wire.malformed, wire.malformed_errors or wire.errors)
    settings.MAX_EVENT_BYTES = 40
    check(wire.post(source.token, firing), 413, wire.errors)
    # Its owner sees what could not be read, where the token could be.
    if wire.dialect != "pagerduty":
        assert set(Rejection.objects.values_list("source", "reason")) == {
            (source.pk, "invalid"),
            (source.pk, "too_large"),
        }
