"""Opsgenie's heartbeats: made, read, changed, switched, pinged and removed by its clients."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Team
from alerts.models import AlertSource, Heartbeat
from tests.factories import alerts

pytestmark = pytest.mark.django_db
BODY = {"name": "Nightly backup", "interval": 10, "intervalUnit": "minutes", "enabled": True}


@pytest.fixture
def source() -> AlertSource:
    return alerts.source(dialect="opsgenie")


def send(source: AlertSource, method: str, path: str = "", body: Any = None) -> Any:
    text = json.dumps(body) if body is not None else ""
    headers = {"Authorization": f"GenieKey {source.token}"}
    address = f"/opsgenie/v2/heartbeats{path}"
    return Client().generic(method, address, text, content_type="application/json", headers=headers)


def test_a_heartbeat_is_made_read_and_listed(source: AlertSource) -> None:
    team = Team.objects.create(name="Databases", slug="databases")
    more = {
        "description": "pg_basebackup",
        "alertMessage": "No backup tonight",
        "alertTags": ["backup"],
        "alertPriority": "P2",
        "ownerTeam": {"name": "databases"},
    }
    created = send(source, "POST", "", {**BODY, **more})
    assert created.status_code == 201
    shape = created.json()["data"]
    assert shape == {**BODY, **more, "expired": False, "ownerTeam": {"id": str(team.pk), "name": "Databases"}}
    assert send(source, "GET", "/Nightly%20backup").json()["data"] == shape
    assert send(source, "GET").json()["data"] == {"heartbeats": [shape]}
    heartbeat = Heartbeat.objects.get()
    assert (heartbeat.interval_seconds, heartbeat.severity, heartbeat.team) == (600, "P2", team)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_a_ping_is_answered_with_pong_and_heard(source: AlertSource, method: str) -> None:
    send(source, "POST", "", BODY)
    response = send(source, method, "/Nightly%20backup/ping")
    assert (response.status_code, response.json()["result"]) == (202, "PONG - Heartbeat received")
    assert Heartbeat.objects.get().last_ping_at is not None
    assert "lastPingTime" in send(source, "GET", "/Nightly%20backup").json()["data"]


def test_a_ping_of_what_there_is_not_is_answered_all_the_same(source: AlertSource) -> None:
    assert send(source, "GET", "/nothing/ping").status_code == 202
    source.token = "wrong"
    assert send(source, "GET", "/nothing/ping").status_code == 401


def test_a_heartbeat_is_changed_switched_and_removed(source: AlertSource) -> None:
    send(source, "POST", "", {**BODY, "alertMessage": "No backup"})
    changed = send(source, "PATCH", "/Nightly%20backup", {"interval": 2, "intervalUnit": "hours", "description": "x"})
    assert (changed.status_code, changed.json()["data"]["enabled"]) == (200, True)
    heartbeat = Heartbeat.objects.get()
    assert (heartbeat.interval_seconds, heartbeat.description, heartbeat.message) == (7200, "x", "No backup")
    for verb, is_enabled in (("disable", False), ("enable", True)):
        response = send(source, "POST", f"/Nightly%20backup/{verb}")
        assert (response.status_code, response.json()["data"]["enabled"]) == (200, is_enabled)
        assert Heartbeat.objects.get().is_enabled is is_enabled
    assert send(source, "DELETE", "/Nightly%20backup").status_code == 200
    assert not Heartbeat.objects.exists()
    for method, path in (("GET", "/gone"), ("DELETE", "/gone"), ("PATCH", "/gone"), ("POST", "/gone/enable")):
        response = send(source, method, path, {} if method == "PATCH" else None)
        assert (response.status_code, response.json()["message"]) == (404, "Heartbeat does not exist")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"interval": None}, "interval"),
        ({"interval": 0}, "interval"),
        ({"interval": "ten"}, "interval"),
        ({"interval": True}, "interval"),
        ({"intervalUnit": "weeks"}, "intervalUnit"),
        ({"interval": 9_999_999, "intervalUnit": "days"}, "interval"),
        ({"enabled": "yes"}, "enabled"),
        ({"alertPriority": "P6"}, "alertPriority"),
        ({"alertTags": ["x" * 51]}, "alertTags"),
        ({"alertTags": ["x"] * 21}, "alertTags"),
        ({"ownerTeam": "x"}, "ownerTeam"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field(
    source: AlertSource, changes: dict[str, Any], field: str
) -> None:
    response = send(source, "POST", "", {**BODY, **changes})
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert not Heartbeat.objects.exists()


def test_heartbeats_of_another_source_are_out_of_reach(source: AlertSource) -> None:
    send(source, "POST", "", BODY)
    other = alerts.source(dialect="opsgenie")
    assert send(other, "GET").json()["data"] == {"heartbeats": []}
    assert send(other, "DELETE", "/Nightly%20backup").status_code == 404
    assert send(source, "POST", "", BODY).status_code in {409, 422}, "the name is taken"
