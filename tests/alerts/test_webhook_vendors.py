"""Senders that look only at the status: captured payloads fire and resolve, and what is wrong is refused."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from hypothesis import given, strategies

from alerts.dialects import DIALECTS, DialectError, NormalisedEvent, address_of
from alerts.dialects.format import Request
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from tests.factories import alerts

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=--------------------------814502934762394851203984"
DIALECT_NAMES = ("datadog", "uptimekuma", "zabbix")


KUMA_IS_DOWN = "API is down: connect ECONNREFUSED 203.0.113.7:443"


@dataclass(frozen=True)
class Captured:
    """What fires, what resolves it, and the alert that both are about."""

    dialect: str
    firing: str
    resolved: str
    title: str
    severity: str
    service: str = ""
    content_type: str = JSON

    def body(self, name: str) -> bytes:
        return (PAYLOADS / self.dialect / name).read_bytes()


CAPTURED = (
    Captured(
        "datadog", "firing.json", "resolved.json", "[Triggered on {host:ip-012345}] Host is down", "P2", "payments"
    ),
    Captured(
        "datadog",
        "default-firing.json",
        "default-resolved.json",
        "[P1] [Triggered on {host:db-1}] Disk is nearly full",
        "",
    ),
    Captured("datadog", "form-firing.txt", "form-resolved.txt", "[Warn] Queue is long", "warning", "indexer", FORM),
    Captured("uptimekuma", "firing.json", "resolved.json", KUMA_IS_DOWN, "critical", "payments"),
    Captured("uptimekuma", "form-firing.txt", "form-resolved.txt", KUMA_IS_DOWN, "critical", "payments", MULTIPART),
    Captured("zabbix", "firing.json", "resolved.json", "High CPU utilization (over 90% for 5m)", "high", "payments"),
)


NO_OBJECTS = (b"", b"{", b"\xff", b"[1]", b'"text"', b"NaN", b"1" * 5000, b'{"a": ' + b"1" * 5000 + b"}")
KUMA_FORM = (PAYLOADS / "uptimekuma/form-firing.txt").read_bytes()


def post(source: AlertSource, body: bytes, content_type: str = JSON) -> Any:
    address = "/" + address_of(DIALECTS[source.dialect], source.token, source.pk)
    return Client().post(address, body, content_type=content_type)


def outcomes(now: datetime) -> list[str]:
    process_raw_events(now.replace(year=2100))
    return [str(outcome["outcome"]) for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes]


def parse(dialect: str, body: Any, content_type: str = JSON) -> list[NormalisedEvent]:
    """The events of a body, sent as request number 7."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECTS[dialect].parse(Request("", text, {"content-type": content_type}, id="7"))


# --- All of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("captured", CAPTURED, ids=lambda each: f"{each.dialect}/{each.firing}")
def test_what_was_captured_fires_is_counted_and_resolves(captured: Captured, now: datetime) -> None:
    source = alerts.source(dialect=captured.dialect)
    for name in (captured.firing, captured.firing, captured.resolved, captured.resolved):
        response = post(source, captured.body(name), captured.content_type)
        assert (response.status_code, response.json()["events"]) == (202, 1)
    assert outcomes(now) == ["recorded", "deduplicated", "resolved", "nothing_open"]
    alert = Alert.objects.get()
    assert (alert.title, alert.severity, alert.service_named) == (captured.title, captured.severity, captured.service)


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_an_unknown_token_is_refused(dialect: str) -> None:
    source = alerts.source(dialect=dialect)
    source.token = "x" * 32
    response = post(source, json.dumps(DIALECTS[dialect].sample).encode())
    assert (response.status_code, response.json()["error"]["code"]) == (401, "unknown_token")
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_a_body_over_the_limit_is_refused(dialect: str, settings: Any) -> None:
    settings.MAX_EVENT_BYTES = 100
    response = post(alerts.source(dialect=dialect), json.dumps(DIALECTS[dialect].sample).encode())
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize(
    ("dialect", "body", "content_type", "field"),
    [
        *[(name, body, JSON, None) for name in DIALECT_NAMES for body in NO_OBJECTS],
        ("datadog", b"{}", JSON, "title"),
        ("datadog", b'{"title": "$EVENT_TITLE"}', JSON, "title"),
        ("datadog", b'{"title": {"a": 1}}', JSON, "title"),
        ("datadog", b'{"title": "x", "tags": ["a"]}', JSON, "tags"),
        ("datadog", b"no form", FORM, None),
        ("datadog", b"\xff=1", FORM, None),
        ("uptimekuma", b"{}", JSON, "msg"),
        ("uptimekuma", b'{"heartbeat": {"status": 0}}', JSON, "monitor"),
        ("uptimekuma", b'{"monitor": {"id": 1}}', JSON, "heartbeat"),
        ("uptimekuma", b'{"monitor": {}, "heartbeat": {"status": 0}}', JSON, "heartbeat.monitorID"),
        ("uptimekuma", b'{"monitor": {"id": 1}, "heartbeat": {"status": 4}}', JSON, "heartbeat.status"),
        ("uptimekuma", b'{"monitor": {"id": 1}, "heartbeat": {"status": [0]}}', JSON, "heartbeat.status"),
        (
            "uptimekuma",
            b'{"monitor": {"id": 1}, "heartbeat": {"status": 0, "time": "soon"}}',
            JSON,
            "heartbeat.time",
        ),
        (
            "uptimekuma",
            b'{"monitor": {"id": 1}, "heartbeat": {"status": 0, "time": "9999-12-31T23:59:59-09:00"}}',
            JSON,
            "heartbeat.time",
        ),
        ("uptimekuma", b"no form", MULTIPART, "data"),
        ("uptimekuma", b"no form", "multipart/form-data", "data"),
        ("uptimekuma", KUMA_FORM.replace(b'"data"', b'"payload"'), MULTIPART, "data"),
        ("uptimekuma", KUMA_FORM.replace(b"{", b""), MULTIPART, None),
        ("zabbix", b"{}", JSON, "EVENT.ID"),
        ("zabbix", b'{"EVENT.ID": "{EVENT.ID}", "EVENT.VALUE": "1"}', JSON, "EVENT.ID"),
        ("zabbix", b'{"EVENT.ID": "1", "EVENT.NAME": "x"}', JSON, "EVENT.VALUE"),
        ("zabbix", b'{"EVENT.ID": "1", "EVENT.NAME": "x", "EVENT.VALUE": "2"}', JSON, "EVENT.VALUE"),
        ("zabbix", b'{"EVENT.ID": "1", "EVENT.VALUE": "1", "EVENT.NAME": "*UNKNOWN*"}', JSON, "EVENT.NAME"),
        ("zabbix", b'{"EVENT.ID": "1", "EVENT.VALUE": "1", "EVENT.NAME": {}}', JSON, "EVENT.NAME"),
    ],
)
def test_what_is_malformed_is_refused_with_what_to_mend(
    dialect: str, body: bytes, content_type: str, field: str | None
) -> None:
    response = post(alerts.source(dialect=dialect), body, content_type)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("field")) == (400, "invalid", field)
    assert error["message"]
    assert not RawEvent.objects.exists()


JSON_VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=5),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(max_size=5), inner),
    max_leaves=3,
)


@given(data=strategies.data())
def test_whatever_stands_in_any_place_is_read_or_refused(data: strategies.DataObject) -> None:
    captured = data.draw(strategies.sampled_from([each for each in CAPTURED if each.content_type == JSON]))
    body = json.loads(captured.body(captured.firing))
    holder = body
    while True:
        name = data.draw(strategies.sampled_from(list(holder)))
        if not isinstance(holder[name], dict) or not holder[name] or data.draw(strategies.booleans()):
            break
        holder = holder[name]
    holder[name] = data.draw(JSON_VALUES)
    with suppress(DialectError):
        parse(captured.dialect, body)


# --- Datadog ----------------------------------------------------------------------------------------------------------


def test_datadogs_facts_are_understood() -> None:
    [event] = parse("datadog", (PAYLOADS / "datadog/firing.json").read_bytes())
    assert event.dedup_key == "9bd4ac313a4d1e8fae2482df7b77628-6513942098733482734"
    assert event.description.startswith("Host ip-012345 does not answer.")
    assert event.source_url == "https://app.datadoghq.com/event/event?id=7319201198711442851"
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, tzinfo=UTC)
    tags = {"host": "ip-012345", "env": "production", "monitor": "", "service": "payments"}
    assert event.attributes["tags"] == tags
    assert event.attributes["alert_metric"] == "system.load.1"
    assert event.attributes["org"] == {"id": "123456", "name": "Example"}
    assert "hostname" not in event.attributes, "it was not filled in"


@pytest.mark.parametrize(
    ("transition", "status"),
    [
        ("Triggered", "firing"),
        ("Re-Triggered", "firing"),
        ("Warn", "firing"),
        ("Re-Warn", "firing"),
        ("No Data", "firing"),
        ("Re-No Data", "firing"),
        ("Renotify", "firing"),
        ("What Datadog may invent", "firing"),
        ("Recovered", "resolved"),
        ("Null", "firing"),
        ("$ALERT_TRANSITION", "firing"),
        (None, "firing"),
    ],
)
def test_each_transition_fires_but_the_recovery(transition: str | None, status: str) -> None:
    [event] = parse("datadog", {"title": "x", "alert_transition": transition})
    assert event.status == status


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"deduplication_key": "a-b", "alert_cycle_key": "c"}, "a-b"),
        ({"deduplication_key": "a-$ALERT_CYCLE_KEY"}, "a"),
        ({"deduplication_key": "-", "alert_cycle_key": "c", "id": "5"}, "c"),
        ({"deduplication_key": "$AGGREG_KEY-$ALERT_CYCLE_KEY", "aggreg_key": "a"}, "a"),
        ({"title": "[P1] [Re-Triggered on {host:a}] Down", "id": "5"}, "[P1] [on {host:a}] Down"),
        ({"title": "[P1] [Recovered on {host:a}] Down", "id": "6"}, "[P1] [on {host:a}] Down"),
        ({"alert_transition": "Triggered", "title": "Down", "id": "5"}, "Down"),
        ({"title": "[Warning lights] on", "id": 5}, "5"),
        ({"title": "Somebody deployed"}, "7"),
    ],
)
def test_datadogs_key_is_the_same_from_trigger_to_recovery(fields: dict[str, Any], key: str) -> None:
    [event] = parse("datadog", {"title": "x", **fields})
    assert event.dedup_key == key


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"alert_priority": "p1", "alert_type": "warning"}, "P1"),
        ({"metadata": {"alert_priority": "P5"}}, "P5"),
        ({"severity": "critical"}, "critical"),
        ({"alert_priority": "", "alert_type": "error"}, "error"),
        ({"alert_type": "info"}, "info"),
        ({"alert_transition": "Re-Warn"}, "warning"),
        ({}, ""),
    ],
)
def test_datadogs_severity_is_the_priority_or_what_the_alert_is(fields: dict[str, Any], severity: str) -> None:
    [event] = parse("datadog", {"title": "x", **fields})
    assert event.severity == severity


def test_what_is_no_monitors_and_went_well_is_no_alert_that_fires() -> None:
    [event] = parse("datadog", {"title": "Deployed", "alert_type": "success", "id": "1"})
    assert event.status == "resolved"


def test_the_template_to_paste_into_datadog_is_understood_when_it_is_filled_in() -> None:
    [(_name, template)] = DIALECTS["datadog"].guides
    filled = {name: name for name in json.loads(template)}
    [event] = parse("datadog", {**filled, "alert_transition": "Recovered", "tags": "service:api"})
    assert (event.title, event.dedup_key, event.status, event.service) == (
        "title",
        "deduplication_key",
        "resolved",
        "api",
    )
    assert (event.description, event.source_url) == ("description", "source_url")


def test_datadogs_form_may_hold_an_object_as_json() -> None:
    body = b"title=x&metadata=%7B%22alert_priority%22%3A%22P3%22%7D&description=%7Bcurly"
    [event] = parse("datadog", body, FORM)
    assert (event.severity, event.description) == ("P3", "{curly")
    assert parse("datadog", b'{"title": "x"}', FORM)[0].title == "x", "some senders name a form and send JSON"


# --- Uptime Kuma ------------------------------------------------------------------------------------------------------


def kuma(name: str) -> list[NormalisedEvent]:
    return parse("uptimekuma", (PAYLOADS / f"uptimekuma/{name}.json").read_bytes())


def test_uptime_kumas_facts_are_understood() -> None:
    [event] = kuma("firing")
    assert (event.dedup_key, event.source_url) == ("monitor-1", "https://api.example.com")
    assert event.started_at == datetime(2024, 5, 1, 10, 0, 0, 123000, tzinfo=UTC)
    assert event.description == "The public API"
    assert event.attributes["tags"] == {"service": "payments", "public": ""}
    assert event.attributes["monitor"]["pathName"] == "Production / API"
    assert [event] == parse("uptimekuma", KUMA_FORM, MULTIPART)


def test_a_monitor_that_tries_again_is_accepted_and_makes_no_alert(now: datetime) -> None:
    source = alerts.source(dialect="uptimekuma")
    response = post(source, (PAYLOADS / "uptimekuma/pending.json").read_bytes())
    assert (response.status_code, response.json()["events"]) == (202, 0)
    assert outcomes(now) == []
    assert RawEvent.objects.get().state == RawEvent.State.DONE
    assert not Alert.objects.exists()


def test_planned_work_ends_the_alert_and_who_is_down_afterwards_fires_again(now: datetime) -> None:
    source = alerts.source(dialect="uptimekuma")
    for name in ("firing", "maintenance", "firing"):
        post(source, (PAYLOADS / f"uptimekuma/{name}.json").read_bytes())
    assert outcomes(now) == ["recorded", "resolved", "recorded"]


@pytest.mark.parametrize(
    ("name", "severity"),
    [("test", "info"), ("certificate", "warning")],
)
def test_a_message_without_a_monitor_is_an_alert_of_its_own(name: str, severity: str, now: datetime) -> None:
    source = alerts.source(dialect="uptimekuma")
    body = (PAYLOADS / f"uptimekuma/{name}.json").read_bytes()
    assert [post(source, body).status_code for _ in range(2)] == [202, 202]
    post(source, json.dumps({"heartbeat": None, "monitor": None, "msg": "another"}).encode())
    assert outcomes(now) == ["recorded", "deduplicated", "recorded"]
    alert = Alert.objects.get(title=json.loads(body)["msg"])
    assert (alert.severity, alert.count) == (severity, 2)


def test_a_monitor_of_no_page_has_no_link() -> None:
    heartbeat = {"monitorID": 2, "status": 0}
    [event] = parse("uptimekuma", {"heartbeat": heartbeat, "monitor": {"id": 2, "name": "db", "url": "https://"}})
    assert (event.title, event.source_url, event.started_at) == ("db is down", "", None)


# --- Zabbix -----------------------------------------------------------------------------------------------------------


def zabbix(name: str, **changes: str) -> list[NormalisedEvent]:
    macros = json.loads((PAYLOADS / f"zabbix/{name}.json").read_text())
    return parse("zabbix", {**macros, **{key.replace("_", "."): value for key, value in changes.items()}})


def test_zabbix_facts_are_understood() -> None:
    [event] = zabbix("firing", EVENT_TIMESTAMP="1795248791")
    assert event.dedup_key == "48213"
    assert event.description == "The system might be slow to respond."
    assert event.source_url == "https://zabbix.example.com/tr_events.php?triggerid=23291&eventid=48213"
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, tzinfo=UTC)
    assert event.attributes["tags"] == {"class": "os", "scope": "performance, capacity", "service": "payments"}
    assert (event.attributes["host_name"], event.attributes["event_severity"]) == ("api-1", "High")
    assert "user_fullname" not in event.attributes, "the macro says nothing here"
    assert zabbix("firing")[0].started_at is None, "before 7.0 nobody knows in which zone the time is"


def test_an_update_is_counted_and_changes_nothing(now: datetime) -> None:
    source = alerts.source(dialect="zabbix")
    for name in ("firing", "updated", "resolved", "resolved"):
        post(source, (PAYLOADS / f"zabbix/{name}.json").read_bytes())
    assert outcomes(now) == ["recorded", "deduplicated", "resolved", "nothing_open"]
    alert = Alert.objects.get()
    assert (alert.title, alert.count) == ("High CPU utilization (over 90% for 5m)", 2)


def test_an_update_that_closes_the_problem_leaves_that_to_the_recovery() -> None:
    assert zabbix("updated", EVENT_UPDATE_ACTION="acknowledged, commented and closed") == []
    assert zabbix("updated", EVENT_VALUE="0")[0].status == "resolved"


def test_a_discovery_fires_by_its_subject_alone() -> None:
    [event] = zabbix("discovered")
    assert (event.status, event.title, event.severity) == ("firing", "Discovered: DOWN 192.0.2.40", "")
    assert (event.dedup_key, event.source_url) == ("48300", "https://zabbix.example.com/")
    assert event.attributes["tags"] == {}


@pytest.mark.parametrize(
    ("number", "severity"),
    [("0", "not classified"), ("1", "information"), ("2", "warning"), ("3", "average"), ("5", "disaster"), ("6", "")],
)
def test_zabbix_severities_keep_their_names(number: str, severity: str) -> None:
    assert zabbix("firing", EVENT_NSEVERITY=number)[0].severity == severity


def test_tags_that_were_cut_off_are_no_reason_to_refuse() -> None:
    assert zabbix("firing", EVENT_TAGSJSON='[{"tag":"serv')[0].attributes["tags"] == {}
    assert zabbix("firing", EVENT_TAGSJSON='{"tag": 1}')[0].attributes["tags"] == {}


def test_the_media_type_to_import_sends_what_is_read() -> None:
    [(_name, text)] = DIALECTS["zabbix"].guides
    [media_type] = yaml.safe_load(text)["zabbix_export"]["media_types"]
    parameters = {each["name"]: each["value"] for each in media_type["parameters"]}
    assert parameters["address"] == "<address>"
    assert parameters["EVENT.ID"] == "{EVENT.ID}"
    captured = json.loads((PAYLOADS / "zabbix/firing.json").read_text())
    assert set(captured) == set(parameters) - {"address", "HTTPProxy"}
    assert "request.post(address, JSON.stringify(fields))" in media_type["script"]
    kinds = {(each["event_source"], each["operation_mode"]) for each in media_type["message_templates"]}
    assert {("TRIGGERS", "PROBLEM"), ("TRIGGERS", "RECOVERY"), ("TRIGGERS", "UPDATE")} < kinds


def test_zabbix_macros_may_be_named_as_parameters_are() -> None:
    [event] = parse("zabbix", {"event_id": 7, "event_name": "Disk full", "event_value": 1, "event_nseverity": 4})
    assert (event.dedup_key, event.title, event.severity) == ("7", "Disk full", "high")
