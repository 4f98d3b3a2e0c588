"""CloudEvents 1.0 at the generic address: structured, batched and binary."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, strategies

from alerts.dialects import DIALECTS, DialectError, NormalisedEvent
from alerts.dialects.format import Request
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from tests.factories import alerts

PAYLOADS = Path(__file__).parent.parent / "payloads" / "cloudevents"
STRUCTURED = "application/cloudevents+json; charset=UTF-8"
BATCHED = "application/cloudevents-batch+json"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "com.example.disk.full"}
HEADERS = {f"ce-{name}": value for name, value in EVENT.items()}


def payload(name: str) -> dict[str, Any]:
    return dict(json.loads((PAYLOADS / f"{name}.json").read_text()))


def binary(event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A structured event in binary mode."""
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name not in {"data", "datacontenttype"}}
    return json.dumps(event["data"]).encode(), headers


def post(source: AlertSource, body: Any, content_type: str, headers: dict[str, str] | None = None) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(f"/in/{source.token}", text, content_type=content_type, headers=headers or {})


def outcomes(now: datetime) -> list[str]:
    process_raw_events(now.replace(year=2100))
    return [str(outcome["outcome"]) for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes]


def parse(body: Any, content_type: str = STRUCTURED, **headers: str) -> list[NormalisedEvent]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return DIALECTS["generic"].parse(Request("", text, {"content-type": content_type, **named}))


# --- Each mode --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["structured", "binary", "batched"])
@pytest.mark.parametrize(
    ("names", "alert"),
    [
        (("firing", "resolved"), ("com.example.freezer.warm: freezer-3", "critical", "cold-chain")),
        (("titled-firing", "titled-resolved"), ("Nightly build failed", "warning", "ci")),
    ],
)
def test_an_event_fires_is_counted_and_resolves_in_every_mode(
    names: tuple[str, str], alert: tuple[str, str, str], mode: str, now: datetime
) -> None:
    source = alerts.source()
    for name in (names[0], *names):
        event = payload(name)
        if mode == "structured":
            response = post(source, event, STRUCTURED)
        elif mode == "batched":
            response = post(source, [event], BATCHED)
        else:
            body, headers = binary(event)
            response = post(source, body, "application/json", headers)
        assert (response.status_code, response.json()["events"]) == (202, 1)
    assert outcomes(now) == ["recorded", "deduplicated", "resolved"]
    made = Alert.objects.get()
    assert (made.title, made.severity, made.service_named) == alert
    assert made.attributes["cloudevent"]["id"] in {"A234-1234-1234", "1"}


def test_what_an_event_says_of_itself_is_kept() -> None:
    [event] = parse(payload("firing"))
    assert event.dedup_key == "/warehouses/7 com.example.freezer.warm freezer-3"
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, tzinfo=UTC)
    assert event.description == "Above -15 for 10 minutes"
    assert event.attributes["data"]["temperature"] == -9
    assert event.attributes["cloudevent"]["comexampleextension1"] == "value"
    [titled] = parse(payload("titled-firing"))
    assert (titled.dedup_key, titled.attributes["branch"]) == ("nightly", "main")


def test_a_batch_holds_events_of_all_kinds_and_may_be_empty() -> None:
    first, second = parse((PAYLOADS / "batch.json").read_bytes(), BATCHED)
    assert first.title == "com.example.freezer.warm: freezer-3"
    assert second.title == "Door open", "its data is JSON in base64"
    assert parse([], BATCHED) == []


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        ("com.example.disk.full", "firing", "com.example.disk.full from /s"),
        ("com.example.disk.firing", "firing", "com.example.disk from /s"),
        ("com.example.disk.resolved", "resolved", "com.example.disk from /s"),
        ("resolved", "resolved", "resolved from /s"),
    ],
)
def test_the_last_part_of_a_type_may_say_what_happened(kind: str, status: str, title: str) -> None:
    [event] = parse({**EVENT, "type": kind})
    assert (event.status, event.title) == (status, title)


def test_the_data_may_say_that_it_is_over() -> None:
    [event] = parse({**EVENT, "data": {"status": "resolved"}})
    assert (event.status, event.dedup_key) == ("resolved", parse(EVENT)[0].dedup_key)
    assert parse({**EVENT, "data": {"status": "shipped"}})[0].status == "firing"


def test_things_that_differ_in_source_type_or_subject_are_alerts_of_their_own() -> None:
    changes: list[dict[str, str]] = [{}, {"source": "/t"}, {"type": "com.example.cpu"}, {"subject": "vm-1"}]
    keys = {parse({**EVENT, **change})[0].dedup_key for change in changes}
    assert len(keys) == 4
    assert parse({**EVENT, "id": "2"})[0].dedup_key in keys, "an id is new each time"


@pytest.mark.parametrize(
    ("changes", "description", "attributes"),
    [
        ({"data": "Just text"}, "Just text", {}),
        ({"data": None}, "", {}),
        ({"data": [1, 2]}, "", {"data": [1, 2]}),
        ({"data": "<disk/>", "datacontenttype": "application/xml"}, "<disk/>", {}),
        ({"data_base64": "SGVsbG8=", "datacontenttype": "text/plain; charset=utf-8"}, "Hello", {}),
        ({"data_base64": "AAEC"}, "", {}),
        ({"data_base64": "eyJhIjogMX0=", "datacontenttype": "application/vnd.a+json"}, "", {"data": {"a": 1}}),
    ],
)
def test_data_of_any_kind_is_taken(changes: dict[str, Any], description: str, attributes: dict[str, Any]) -> None:
    [event] = parse({**EVENT, **changes})
    assert event.description == description
    assert {name: value for name, value in event.attributes.items() if name != "cloudevent"} == attributes


def test_a_severity_in_the_extension_of_that_name_counts_unless_the_data_has_one() -> None:
    assert parse({**EVENT, "severitytext": "ERROR"})[0].severity == "ERROR"
    assert parse({**EVENT, "severitytext": "ERROR", "data": {"severity": "low"}})[0].severity == "low"


# --- Binary mode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("%2541", "%41"),
        ('"a b \\" c"', 'a b " c'),
        ("plain", "plain"),
    ],
)
def test_headers_are_unquoted_and_decoded_once(header: str, subject: str) -> None:
    [event] = parse(b"", "", **HEADERS, **{"ce-subject": header})
    assert event.title == f"com.example.disk.full: {subject}"


@pytest.mark.parametrize(
    ("body", "content_type", "description"),
    [(b"", "", ""), (b"{}", "", ""), (b"words", "text/plain", "words"), (b"\x00\x01", "image/png", "")],
)
def test_a_body_is_read_as_its_content_type_says(body: bytes, content_type: str, description: str) -> None:
    [event] = parse(body, content_type, **HEADERS)
    assert (event.title, event.description) == ("com.example.disk.full from /s", description)


@pytest.mark.django_db
def test_long_headers_are_kept_whole(now: datetime) -> None:
    source = alerts.source()
    for end in "ab":
        headers = {**HEADERS, "ce-subject": "%E0%B8%81" * 300 + end}
        assert post(source, b"", "application/json", headers).status_code == 202
    assert outcomes(now) == ["recorded", "recorded"]


def test_without_such_headers_it_is_no_cloudevent() -> None:
    [event] = parse({"title": "Disk full", "specversion": "1.0"}, "application/json")
    assert event.attributes == {"specversion": "1.0"}


# --- What is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "content_type", "field"),
    [
        (b"{", STRUCTURED, None),
        ([], STRUCTURED, None),
        (b"{", BATCHED, None),
        ({}, BATCHED, None),
        ([EVENT, 1], BATCHED, "[1]"),
        ([EVENT, {**EVENT, "id": ""}], BATCHED, "[1].id"),
        ({**EVENT, "id": 1}, STRUCTURED, "id"),
        ({**EVENT, "source": None}, STRUCTURED, "source"),
        ({**EVENT, "type": ""}, STRUCTURED, "type"),
        ({**EVENT, "specversion": "0.3"}, STRUCTURED, "specversion"),
        ({**EVENT, "subject": {}}, STRUCTURED, "subject"),
        ({**EVENT, "time": "yesterday"}, STRUCTURED, "time"),
        ({**EVENT, "data": 1, "data_base64": "AAAA"}, STRUCTURED, "data_base64"),
        ({**EVENT, "data_base64": "!"}, STRUCTURED, "data_base64"),
        ({**EVENT, "data_base64": 5}, STRUCTURED, "data_base64"),
        ({**EVENT, "data": {"title": "x", "status": "broken"}}, STRUCTURED, "data.status"),
        ([{**EVENT, "data": {"title": "x", "attributes": []}}], BATCHED, "[0].data.attributes"),
        (b"Obj", "application/cloudevents+avro", "Content-Type"),
    ],
)
def test_what_is_malformed_is_refused_with_what_to_mend(body: Any, content_type: str, field: str | None) -> None:
    response = post(alerts.source(), body, content_type)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("field")) == (400, "invalid", field)
    assert not RawEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "body", "field"),
    [
        ({"ce-id": ""}, b"{}", "ce-id"),
        ({"ce-specversion": "2.0"}, b"{}", "ce-specversion"),
        ({"ce-subject": "%C0%A0"}, b"{}", "ce-subject"),
        ({"ce-time": "soon"}, b"{}", "ce-time"),
        ({}, b"{", None),
    ],
)
def test_binary_mode_names_the_header(changes: dict[str, str], body: bytes, field: str | None) -> None:
    response = post(alerts.source(), body, "application/json", {**HEADERS, **changes})
    assert (response.status_code, response.json()["error"].get("field")) == (400, field)


@pytest.mark.django_db
def test_an_unknown_token_and_a_body_over_the_limit(settings: Any) -> None:
    source = alerts.source()
    settings.MAX_EVENT_BYTES = 100
    assert post(source, payload("firing"), STRUCTURED).status_code == 413
    source.token = "unknown"
    assert post(source, EVENT, STRUCTURED).status_code == 401
    assert not RawEvent.objects.exists()


JSON_VALUES = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=5),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(max_size=5), inner),
    max_leaves=3,
)


@given(name=strategies.sampled_from([*payload("firing"), "data_base64", "severitytext"]), value=JSON_VALUES)
def test_whatever_stands_in_an_attribute_is_read_or_refused(name: str, value: Any) -> None:
    with suppress(DialectError):
        assert len(parse({**payload("firing"), name: value})) == 1
