"""Senders that sign: what they send is understood, and only what is signed is believed once a secret is set."""

import hashlib
import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from alerts import actions
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from events.errors import Invalid
from tests.factories import accounts, alerts

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads"
SECRET = "a secret that both know"
RESOURCES = {"firing": "event_alert", "resolved": "issue"}


def post(source: AlertSource, body: bytes, **headers: str) -> Any:
    address = f"/{source.dialect}/{source.token}"
    return Client().post(address, body, content_type="application/json", headers=headers)


def send(source: AlertSource, name: str, **headers: str) -> Any:
    """A captured payload, with the header that says what it is."""
    if source.dialect == "sentry":
        headers = {"Sentry-Hook-Resource": RESOURCES.get(name, "metric_alert"), **headers}
    return post(source, (PAYLOADS / source.dialect / f"{name}.json").read_bytes(), **headers)


def outcomes(now: datetime) -> list[str]:
    process_raw_events(now.replace(year=2100))
    return [str(outcome["outcome"]) for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes]


def signature(body: bytes, before: str = "") -> str:
    return hmac.new(SECRET.encode(), before.encode() + body, hashlib.sha256).hexdigest()


def test_grafana_fires_with_its_panel_and_values_and_resolves(now: datetime) -> None:
    source = alerts.source(dialect="grafana")
    assert [send(source, name).status_code for name in ("firing", "resolved")] == [202, 202]
    assert outcomes(now) == ["recorded", "resolved"]
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == ("Payments answer 500", "critical")
    assert alert.source_url == "http://localhost/d/abcd?orgId=1&viewPanel=efgh"
    assert alert.attributes["values"] == {"A": 12.5}
    assert alert.attributes["labels"]["lbl1"] == "val1"


def test_sentrys_issue_alert_fires_and_the_resolved_issue_ends_it(now: datetime) -> None:
    source = alerts.source(dialect="sentry")
    assert [send(source, name).status_code for name in ("firing", "firing", "resolved")] == [202] * 3
    assert outcomes(now) == ["recorded", "deduplicated", "resolved"]
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == ("ReferenceError: heck is not defined", "error")
    assert (alert.service_named, alert.attributes["rule"]) == ("payments", "Very Important Alert Rule!")
    assert alert.source_url.startswith("https://sentry.io/organizations/test-org/issues/1117540176/")


def test_sentrys_metric_alert_fires_and_resolves(now: datetime) -> None:
    source = alerts.source(dialect="sentry")
    for name in ("metric-firing", "metric-resolved"):
        assert send(source, name).status_code == 202
    assert outcomes(now) == ["recorded", "resolved"]
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == ("Critical: Many errors", "critical")


def test_what_sentry_tells_besides_is_taken_and_makes_no_alert(now: datetime) -> None:
    source = alerts.source(dialect="sentry")
    body = json.dumps({"action": "created", "data": {"installation": {"uuid": "x"}}}).encode()
    assert post(source, body, **{"Sentry-Hook-Resource": "installation"}).status_code == 202
    assert outcomes(now) == []
    assert RawEvent.objects.get().state == RawEvent.State.DONE


@pytest.mark.parametrize(
    ("dialect", "body", "field"),
    [
        ("sentry", b"{", None),
        ("sentry", b"[]", "data"),
        ("sentry", b'{"data": {"event": {}}}', "data.event.issue_id"),
        ("sentry", b'{"data": {"event": 1}}', "data.event"),
        ("sentry", b'{"action": "resolved", "data": {"issue": {}}}', "data.issue.id"),
        ("sentry", b'{"data": {"metric_alert": {}}}', "data.metric_alert.id"),
        ("grafana", b"{", None),
        ("grafana", b'{"alerts": {}}', "alerts"),
        ("grafana", b'{"alerts": [{"labels": {}}]}', "alerts[0].labels"),
    ],
)
def test_nonsense_is_refused_with_what_to_mend(dialect: str, body: bytes, field: str | None) -> None:
    response = post(alerts.source(dialect=dialect), body)
    assert (response.status_code, response.json()["error"].get("field")) == (400, field)
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize(
    ("dialect", "header"), [("grafana", "X-Grafana-Alerting-Signature"), ("sentry", "Sentry-Hook-Signature")]
)
def test_with_a_secret_only_what_is_signed_is_believed(dialect: str, header: str) -> None:
    source = alerts.source(dialect=dialect, signing_secret=SECRET)
    body = (PAYLOADS / dialect / "firing.json").read_bytes()
    for wrong in ({}, {header: "0" * 64}, {header: signature(body + b" ")}, {header: "näh"}):
        response = send(source, "firing", **wrong)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "bad_signature")
        assert response.json()["error"]["field"] == header
    assert not RawEvent.objects.exists()
    assert send(source, "firing", **{header: signature(body)}).status_code == 202


def test_grafana_may_sign_the_time_too() -> None:
    source = alerts.source(dialect="grafana", signing_secret=SECRET)
    body = (PAYLOADS / "grafana" / "firing.json").read_bytes()
    headers = {"X-Grafana-Alerting-Timestamp": "1773480413"}
    signed = {"X-Grafana-Alerting-Signature": signature(body, "1773480413:")}
    assert send(source, "firing", **headers, **signed).status_code == 202
    assert send(source, "firing", **signed).status_code == 401


def test_a_secret_is_refused_where_nobody_signs_and_never_told_by_the_api(client: Client, now: datetime) -> None:
    manager = accounts.user(role=Role.MANAGER)
    fields: dict[str, Any] = {"name": "Scripts", "slug": "scripts", "dialect": "generic", "now": now}
    with pytest.raises(Invalid) as refused:
        actions.save_source(actor=accounts.actor(Role.MANAGER), signing_secret=SECRET, **fields)
    assert refused.value.field == "signing_secret"
    client.force_login(manager)
    body = {"name": "Grafana", "dialect": "grafana", "signing_secret": SECRET}
    made = client.post("/api/v1/alert-sources/", body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["is_signed"] is True
    assert SECRET not in made.content.decode()
    kept = client.patch("/api/v1/alert-sources/grafana/", {"name": "Grafana 2"}, content_type="application/json")
    assert kept.json()["is_signed"] is True
    source = AlertSource.objects.get()
    assert source.signing_secret == SECRET
    changed = client.patch("/api/v1/alert-sources/grafana/", {"signing_secret": ""}, content_type="application/json")
    assert changed.json()["is_signed"] is False
