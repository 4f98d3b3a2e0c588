"""What each dialect makes of what senders send."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.dialects import DIALECTS, DialectError, NormalisedEvent
from alerts.dialects.format import Request

PAYLOADS = Path(__file__).parent.parent / "payloads"


def parse(dialect: str, body: object) -> list[NormalisedEvent]:
    return DIALECTS[dialect].parse(Request("", json.dumps(body).encode()))


def test_a_title_is_enough_to_fire() -> None:
    [event] = parse("generic", {"title": "Disk full"})
    assert (event.status, event.title, event.severity) == ("firing", "Disk full", "")
    assert parse("generic", {"title": "Disk full"})[0].dedup_key == event.dedup_key
    assert parse("generic", {"title": "Disk full", "service": "db"})[0].dedup_key != event.dedup_key


def test_a_key_is_enough_to_resolve() -> None:
    [event] = parse("generic", {"dedup_key": "disk", "status": "resolved"})
    assert (event.status, event.dedup_key) == ("resolved", "disk")


def test_unknown_fields_become_attributes() -> None:
    [event] = parse("generic", {"title": "x", "region": "eu-1", "attributes": {"rack": 7}})
    assert event.attributes == {"region": "eu-1", "rack": 7}


def test_a_list_is_many_events() -> None:
    assert [event.title for event in parse("generic", [{"title": "a"}, {"title": "b"}])] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"[]", ""),
        (b'"text"', ""),
        (b"[" * 100_000, ""),
        (b'{"description": "no title"}', "title"),
        (b'{"title": "x", "status": "broken"}', "status"),
        (b'{"title": {"a": 1}}', "title"),
        (b'{"title": "x", "attributes": []}', "attributes"),
        (b'{"title": "x", "started_at": "yesterday"}', "started_at"),
        (b'[{"title": "x"}, {}]', "[1].title"),
    ],
)
def test_the_generic_dialect_says_what_to_mend(body: bytes, field: str) -> None:
    with pytest.raises(DialectError) as refused:
        DIALECTS["generic"].parse(Request("", body))
    assert refused.value.field_name == field
    assert refused.value.message


def test_two_long_keys_do_not_become_the_same() -> None:
    keys = {parse("generic", {"title": "x", "dedup_key": "k" * 300 + end})[0].dedup_key for end in "ab"}
    assert len(keys) == 2
    assert all(len(key) <= 255 for key in keys)


def test_alertmanager_fires_with_labels_annotations_and_times() -> None:
    body = (PAYLOADS / "alertmanager" / "firing.json").read_bytes()
    [event] = DIALECTS["alertmanager"].parse(Request("", body))
    assert event.status == "firing"
    assert event.dedup_key == "6a4f37c34a2d1e4b"
    assert (event.title, event.severity, event.service) == ("p99 over 2s", "critical", "api")
    assert event.started_at == datetime(2026, 11, 21, 8, 13, 11, 265480, tzinfo=UTC)
    assert event.attributes["labels"]["alertname"] == "HighLatency"


def test_alertmanager_resolves_the_same_key() -> None:
    [event] = DIALECTS["alertmanager"].parse(Request("", (PAYLOADS / "alertmanager" / "resolved.json").read_bytes()))
    assert (event.status, event.dedup_key) == ("resolved", "6a4f37c34a2d1e4b")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "alerts"),
        ({"alerts": [1]}, "alerts[0]"),
        ({"alerts": [{"status": "firing", "labels": {}}]}, "alerts[0].labels"),
        ({"alerts": [{"status": "on fire", "labels": {"a": "b"}}]}, "alerts[0].status"),
        ({"alerts": [{"status": "firing", "labels": {"a": "b"}, "startsAt": "soon"}]}, "alerts[0].startsAt"),
    ],
)
def test_alertmanager_says_what_to_mend(body: object, field: str) -> None:
    with pytest.raises(DialectError) as refused:
        parse("alertmanager", body)
    assert refused.value.field_name == field
