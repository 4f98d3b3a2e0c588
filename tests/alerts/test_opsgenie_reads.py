"""What Opsgenie's clients read: lists by the search language, counts, notes, logs, and one alert whole."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import DjangoAssertNumQueries

from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource
from tests.alerts.opsgenie_client import Opsgenie
from tests.factories import alerts

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> AlertSource:
    return alerts.source(dialect="opsgenie")


@pytest.fixture
def client(source: AlertSource, now: datetime) -> Opsgenie:
    return Opsgenie(source, now)


@pytest.fixture
def five(client: Opsgenie) -> list[str]:
    """Five alerts; the last is closed."""
    bodies: list[dict[str, Any]] = [
        {"message": "Disk full on db-1", "alias": "disk-1", "priority": "P1", "tags": ["disk", "eu"]},
        {"message": "Disk full on db-2", "alias": "disk-2", "priority": "P2", "tags": ["disk"]},
        {"message": "CPU high", "alias": "cpu", "priority": "P1", "details": {"region": "eu-1"}},
        {"message": "Queue long", "alias": "queue", "entity": "indexer", "source": "cron"},
        {"message": "Over already", "alias": "over"},
    ]
    for body in bodies:
        client.send("POST", "", body)
    client.send("POST", "/over/close?identifierType=alias", {})
    process_raw_events(client.later)
    return [str(body["alias"]) for body in bodies]


SEARCHES = [
    ("", "disk-1 disk-2 cpu queue over"),
    ("status: open", "disk-1 disk-2 cpu queue"),
    ("status=closed", "over"),
    ("priority: P1 AND tag: disk", "disk-1"),
    ("priority:(P1 OR P2) NOT tag:eu", "disk-2 cpu"),
    ("priority != P1 status:open", "disk-2 queue"),
    ("message: disk*", "disk-1 disk-2"),
    ('message: "full on db-2"', "disk-2"),
    ("alias: cpu OR alias: que*", "cpu queue"),
    ("details.region: eu-1", "cpu"),
    ("entity: INDEXER", "queue"),
    ("source: cron", "queue"),
    ("(tag: eu OR tag: disk) AND NOT (priority: P1)", "disk-2"),
    ("queue", "queue"),
    ("count > 1", ""),
    ("count >= 1 AND acknowledged: false AND snoozed: false", "disk-1 disk-2 cpu queue over"),
    ("acknowledged: true", ""),
    ("createdAt > 1470394841148", "disk-1 disk-2 cpu queue over"),
    ("createdAt < 01-01-2020", ""),
    ("owner: ada", ""),
    ("teams: payments", ""),
]
UNREADABLE = [
    *("status: broken", "colour: red", "priority: 1", "count > x", "status >", "(status: open", "status: open)"),
    *('message: "open', "AND", "createdAt > soon", "message > x", "acknowledged: maybe", "x " * 60, "(" * 30),
    *("tag: d*", "status: : open", "x" * 1001, f"createdAt > {'9' * 13}9", "id: 99999999999"),
]


def test_the_search_language_finds(client: Opsgenie, five: list[str]) -> None:
    for query, found in SEARCHES:
        rows = client.read(f"?query={quote(query)}&order=asc&sort=tinyId")
        assert [row["alias"] for row in rows] == found.split(), query
        assert client.read(f"/count?query={quote(query)}") == {"count": len(found.split())}, query


def test_a_query_that_cannot_be_read_says_why(client: Opsgenie) -> None:
    for query in UNREADABLE:
        response = client.send("GET", f"?query={quote(query)}")
        assert response.status_code == 422, query
        assert response.json()["errors"]["query"], query


def test_lists_come_by_pages(client: Opsgenie, five: list[str], django_assert_num_queries: Any) -> None:
    response = client.send("GET", "?limit=2&offset=2&order=asc&sort=tinyId&query=").json()
    assert [row["alias"] for row in response["data"]] == five[2:4]
    assert "offset=4&limit=2" in response["paging"]["next"]
    assert "offset=0&limit=2" in response["paging"]["prev"]
    first = client.read("?limit=2&sort=message&order=asc")
    assert [row["message"] for row in first] == ["CPU high", "Disk full on db-1"]
    for wrong in ("limit=101", "limit=0", "offset=-1", "sort=colour", "order=up", "searchIdentifier=x"):
        assert client.send("GET", f"?{wrong}").status_code == 422


def test_a_list_costs_two_statements(
    client: Opsgenie, five: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        assert len(client.read("?limit=50")) == 5


def test_notes_and_logs_come_by_pages(client: Opsgenie, five: list[str]) -> None:
    for number in range(5):
        client.send("POST", "/cpu/notes?identifierType=alias", {"note": f"note {number}"})
    process_raw_events(client.later)
    response = client.send("GET", "/cpu/notes?identifierType=alias&limit=2&order=asc").json()
    assert [note["note"] for note in response["data"]] == ["note 0", "note 1"]
    place = response["data"][-1]["offset"]
    rest = client.read(f"/cpu/notes?identifierType=alias&order=asc&offset={place}")
    assert [note["note"] for note in rest] == ["note 2", "note 3", "note 4"]
    assert client.read("/cpu/notes?identifierType=alias&limit=1")[0]["note"] == "note 4"
    assert client.send("GET", "/cpu/logs?identifierType=alias&offset=nowhere").status_code == 422


def test_an_alert_has_all_that_clients_read(client: Opsgenie) -> None:
    created = {"message": "An example alert message", "alias": "a1", "priority": "P1", "details": {"k": "v"}}
    client.write("POST", "", created)
    firing = Alert.objects.get()
    shape = client.read(f"/{firing.pk}")
    assert shape["id"] == shape["tinyId"] == str(firing.pk)
    assert (shape["status"], shape["count"], shape["priority"]) == ("open", 1, "P1")
    assert shape["integration"]["name"] == client.source.name
    assert shape["details"] == {"k": "v"}
    assert shape["createdAt"].endswith("Z")
    client.do("/close")
    report = client.read(f"/{firing.pk}")["report"]
    assert report["closedBy"] == client.source.name
    assert client.send("GET", "/nothing").status_code == 404
