"""Heartbeats on screen and in the API."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from alerts.heartbeats import ping_heartbeats
from alerts.models import Heartbeat
from tests.factories import accounts, alerts, catalog

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Nightly backup",
    "interval_seconds_0": "1",
    "interval_seconds_1": "86400",
    "grace_seconds_0": "90",
    "grace_seconds_1": "1",
    "severity": "critical",
    "is_enabled": "on",
    "tags": "db, night",
}


def client(role: Role = Role.MANAGER) -> Client:
    signed_in = Client()
    signed_in.force_login(accounts.user(role=role))
    return signed_in


def test_a_manager_makes_changes_switches_and_removes_one() -> None:
    manager = client()
    assert "No heartbeat yet" in manager.get("/alerts/heartbeats/").content.decode()
    made = manager.post("/alerts/heartbeats/new/", FORM)["Location"]
    heartbeat = Heartbeat.objects.get()
    assert made == heartbeat.get_absolute_url()
    assert (heartbeat.interval_seconds, heartbeat.grace_seconds, heartbeat.tags) == (86400, 90, ["db", "night"])
    page = manager.get(made).content.decode()
    assert "every 1 day, late after a grace of 1 min 30 s" in page
    assert f"/heartbeat/{heartbeat.token}" in page
    edit = manager.get(f"{made}edit/").content.decode()
    assert 'value="90"' in edit
    assert manager.post(f"{made}edit/", {**FORM, "name": "Backup"}).status_code == 302
    manager.post(f"{made}switch/", {"is_enabled": "false"})
    manager.post(f"{made}rotate-token/")
    changed = Heartbeat.objects.get()
    assert (changed.name, changed.state, changed.token != heartbeat.token) == ("Backup", "disabled", True)
    assert manager.post(f"{made}remove/")["Location"] == "/alerts/heartbeats/"
    assert not Heartbeat.objects.exists()


def test_a_refusal_stands_at_its_field() -> None:
    answer = client().post("/alerts/heartbeats/new/", {**FORM, "interval_seconds_0": "2", "interval_seconds_1": "1"})
    assert answer.status_code == 422
    assert "This is no interval to wait for." in answer.content.decode()


def test_others_see_it_without_its_address() -> None:
    heartbeat = alerts.heartbeat()
    responder = client(Role.RESPONDER)
    page = responder.get(heartbeat.get_absolute_url()).content.decode()
    assert heartbeat.name in page
    assert heartbeat.token not in page
    assert responder.get("/alerts/heartbeats/new/").status_code == 403
    assert responder.post(f"{heartbeat.get_absolute_url()}remove/").status_code == 403


def test_the_mail_address_is_told_where_mail_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat = alerts.heartbeat()
    assert "By mail" not in client().get(heartbeat.get_absolute_url()).content.decode()
    monkeypatch.setattr("django.conf.settings.ALERT_MAIL_PORT", 2525)
    monkeypatch.setattr("django.conf.settings.ALERT_MAIL_DOMAIN", "alerts.example.com")
    assert f"{heartbeat.token}@alerts.example.com" in client().get(heartbeat.get_absolute_url()).content.decode()


def test_the_list_can_be_asked_for_by_state_in_a_constant_number_of_queries(now: datetime) -> None:
    made = [alerts.heartbeat(service=catalog.service()) for _ in range(4)]
    ping_heartbeats(ids=[made[0].pk, made[1].pk], now=timezone.now())
    Heartbeat.objects.filter(pk=made[1].pk).update(late_since=timezone.now())
    Heartbeat.objects.filter(pk=made[2].pk).update(is_enabled=False)
    viewer = client(Role.VIEWER)
    for number, state in enumerate(("on_time", "late", "disabled", "new")):
        found = viewer.get(f"/alerts/heartbeats/?state={state}").context["list"].page.object_list
        assert [heartbeat.pk for heartbeat in found] == [made[number].pk]
    with CaptureQueriesContext(connection) as few:
        viewer.get("/alerts/heartbeats/")
    for _ in range(10):
        alerts.heartbeat(service=catalog.service())
    with CaptureQueriesContext(connection) as many:
        viewer.get("/alerts/heartbeats/")
    assert len(few) == len(many)


def test_the_api_does_all_of_it() -> None:
    api = client()
    body = {"name": "Backup", "interval_seconds": 3600, "tags": ["db"]}
    made = api.post("/api/v1/heartbeats/", body, content_type="application/json")
    assert (made.status_code, made.json()["state"], made.json()["source"]) == (201, "new", "heartbeats")
    address = f"/api/v1/heartbeats/{made.json()['id']}/"
    assert Client().get(made.json()["address"]).status_code == 200
    assert api.get(address).json()["state"] == "on_time"
    assert api.patch(address, {"is_enabled": False}, content_type="application/json").json()["state"] == "disabled"
    assert api.patch(address, {"interval_seconds": 1}, content_type="application/json").status_code == 400
    assert api.post(f"{address}rotate-token/").json()["address"] != made.json()["address"]
    assert [row["name"] for row in api.get("/api/v1/heartbeats/?state=disabled&q=back").json()["results"]] == ["Backup"]
    assert client(Role.VIEWER).get(address).json()["address"] is None
    assert client(Role.RESPONDER).delete(address).status_code == 403
    assert api.delete(address).status_code == 204


def test_it_went_from_late_to_on_time_on_its_page(now: datetime) -> None:
    heartbeat = alerts.heartbeat()
    long_ago = timezone.now() - timedelta(hours=1)
    ping_heartbeats(ids=[heartbeat.pk], now=long_ago)
    Heartbeat.objects.update(late_since=long_ago, due_at=None)
    assert "Late since" in client().get(heartbeat.get_absolute_url()).content.decode()
