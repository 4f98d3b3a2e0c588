"""Sitrep as an Alertmanager: Prometheus sends to it, amtool reads from it and silences."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.alertmanager_api.filters import BadMatcher, parse_matchers
from alerts.dialects.alertmanager_api import fingerprint
from alerts.ingest import process_raw_events
from alerts.later import look_at_held
from alerts.models import Alert, AlertSource, MaintenanceWindow, RawEvent
from oncall.models import Page
from tests.factories import accounts, alerts, oncall

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads/alertmanager_api"
LABELS = {"alertname": "DiskFull", "instance": "db-1", "severity": "critical", "service": "payments"}


class Api:
    """A client that has Sitrep's address as that of an Alertmanager."""

    def __init__(self, source: AlertSource) -> None:
        self.source = source

    def send(self, method: str, path: str, body: Any = None) -> Any:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body) if body is not None else ""
        address = f"/alertmanager/{self.source.token}/api/v2{path}"
        return Client().generic(method, address, text, content_type="application/json")

    def fire(self, *alerts: dict[str, Any]) -> None:
        response = self.send("POST", "/alerts", list(alerts))
        assert (response.status_code, response.content) == (200, b""), response.content
        process_raw_events(datetime.now(UTC) + timedelta(seconds=1))

    def read(self, path: str) -> Any:
        response = self.send("GET", path)
        assert response.status_code == 200, response.content
        return response.json()


def alert(ends_in: float | None = 240, **labels: str) -> dict[str, Any]:
    """What Prometheus sends of an alert that ends, as it knows by now, in so many seconds."""
    now = datetime.now(UTC)
    ends = {} if ends_in is None else {"endsAt": (now + timedelta(seconds=ends_in)).isoformat()}
    starts = (now - timedelta(minutes=5)).isoformat()
    annotations = {"summary": "Disk is full", "description": "No byte is left."}
    generator = "http://prometheus.example:9090/graph?g0.expr=up"
    return {
        "labels": LABELS | labels,
        "annotations": annotations,
        "startsAt": starts,
        "generatorURL": generator,
        **ends,
    }


def silence(**fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "matchers": [{"name": "instance", "value": "db-.*", "isRegex": True, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "ada",
        "comment": "New disks",
        **fields,
    }


@pytest.fixture
def api() -> Api:
    return Api(alerts.source(dialect="alertmanager"))


# --- Alerts that are posted -------------------------------------------------------------------------------------------


def test_prometheus_fires_counts_and_resolves(api: Api) -> None:
    api.fire(alert(), alert(instance="db-2"))
    api.fire(alert())
    found = Alert.objects.get(attributes__labels__instance="db-1")
    assert (found.title, found.severity, found.service_named, found.count) == (
        "Disk is full",
        "critical",
        "payments",
        2,
    )
    assert found.expires_at is not None
    api.fire(alert(ends_in=-1))
    assert [each["labels"]["instance"] for each in api.read("/alerts")] == ["db-2"]
    found.refresh_from_db()
    assert (found.status, found.ended_at is not None) == (Alert.Status.RESOLVED, True)


def test_what_was_captured_is_understood(api: Api) -> None:
    for name in ("firing", "resolved", "amtool"):
        response = api.send("POST", "/alerts", (PAYLOADS / f"{name}.json").read_bytes())
        assert (response.status_code, response.content) == (200, b"")
    process_raw_events(datetime(2100, 1, 1, tzinfo=UTC))
    assert Alert.objects.filter(attributes__labels__alertname="Foo", status="firing").exists()


def test_what_is_not_sent_again_is_over_at_its_end(api: Api) -> None:
    api.fire(alert(ends_in=60))
    look_at_held(datetime.now(UTC) + timedelta(seconds=50))
    assert Alert.objects.get().status == Alert.Status.FIRING
    api.fire(alert(ends_in=120))
    look_at_held(datetime.now(UTC) + timedelta(seconds=70))
    assert Alert.objects.get().status == Alert.Status.FIRING
    look_at_held(datetime.now(UTC) + timedelta(seconds=130))
    assert Alert.objects.get().status == Alert.Status.RESOLVED


def test_without_an_end_it_is_over_after_five_minutes(api: Api) -> None:
    api.fire({"labels": LABELS, "startsAt": "0001-01-01T00:00:00.000Z", "endsAt": "0001-01-01T00:00:00.000Z"})
    found = Alert.objects.get()
    assert found.expires_at is not None
    assert abs(found.expires_at - found.started_at - timedelta(minutes=5)) < timedelta(seconds=1)


def test_an_alert_goes_by_the_same_key_through_the_webhook(api: Api) -> None:
    assert fingerprint({"alertname": "HighLatency", "service": "api", "severity": "critical"}) == "6a4f37c34a2d1e4b"
    webhook = (PAYLOADS.parent / "alertmanager/firing.json").read_bytes()
    Client().post(f"/alertmanager/{api.source.token}", webhook, content_type="application/json")
    api.fire({"labels": {"alertname": "HighLatency", "service": "api", "severity": "critical", "empty": ""}})
    assert Alert.objects.get().count == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", {"code": 400}),
        ({"labels": {}}, {"code": 400}),
        ([{}], "at least one label pair required"),
        ([{"labels": {"a": ""}}], "at least one label pair required"),
        ([{"labels": {"a-b": "x"}}], 'invalid label set: invalid name "a-b"'),
        ([{"labels": {"a": 1}}], "labels must be an object of strings"),
        ([7], "an alert must be an object"),
        ([{"labels": {"a": "b"}, "endsAt": "soon"}], "'soon' is not a time."),
        ([alert(ends_in=-3600)], "start time must be before end time"),
    ],
)
def test_what_cannot_be_read_is_refused_as_alertmanager_does(api: Api, body: Any, told: Any) -> None:
    response = api.send("POST", "/alerts", body)
    assert response.status_code == 400
    content = response.json()
    if isinstance(told, str):
        assert content == told
    else:
        assert content["code"] == 400
        assert content["message"].startswith('parsing alerts body from "" failed, because ')
    assert not RawEvent.objects.exists()


def test_one_that_is_wrong_does_not_keep_the_others_from_firing(api: Api) -> None:
    response = api.send("POST", "/alerts", [alert(), {"labels": {}}])
    assert (response.status_code, response.json()) == (400, "at least one label pair required")
    process_raw_events(datetime.now(UTC) + timedelta(seconds=1))
    assert Alert.objects.count() == 1


def test_a_token_that_is_nobodys_and_a_body_that_is_too_large(api: Api, settings: Settings) -> None:
    stranger = Api(alerts.source(dialect="generic"))
    for path in ("/alerts", "/status", "/silences", f"/silence/{uuid4()}"):
        assert stranger.send("GET", path).status_code == 401
    stranger.source.token = "x" * 32
    response = stranger.send("POST", "/alerts", [alert()])
    assert (response.status_code, response.json()) == (401, "No alert source has this token.")
    settings.MAX_EVENT_BYTES = 50
    for path in ("/alerts", "/silences"):
        assert api.send("POST", path, [alert()]).status_code == 413


def test_no_other_method_is_heard(api: Api) -> None:
    assert api.send("DELETE", "/alerts").status_code == 405
    assert api.send("POST", "/status").status_code == 405


# --- Reads ------------------------------------------------------------------------------------------------------------


def test_the_status_is_that_of_an_alertmanager(api: Api) -> None:
    status = api.read("/status")
    assert status.keys() == {"cluster", "versionInfo", "config", "uptime"}
    assert status["versionInfo"].keys() == {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}
    assert api.source.slug in status["config"]["original"]
    assert api.read("/receivers") == [{"name": api.source.slug, "labels": {}}]


def test_alerts_are_told_as_they_were_sent(api: Api) -> None:
    api.fire(alert())
    [told] = api.read("/alerts")
    assert told["labels"] == LABELS
    assert told["annotations"]["summary"] == "Disk is full"
    assert told["fingerprint"] == fingerprint(LABELS)
    assert told["receivers"] == [{"name": api.source.slug}]
    assert told["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert told["generatorURL"].startswith("http://prometheus.example")
    assert told["startsAt"] < told["updatedAt"] < told["endsAt"]


def test_alerts_are_found_by_their_labels(api: Api) -> None:
    api.fire(alert(), alert(instance="db-2"), alert(instance="web-1", alertname="Slow"))
    for query, found in [
        ('filter=alertname="DiskFull"', ["db-1", "db-2"]),
        ('filter=instance=~"db-.*"&filter=instance!=db-2', ["db-1"]),
        ('filter={alertname!~"Disk.*"}', ["web-1"]),
        ('filter=missing=""', ["db-1", "db-2", "web-1"]),
        ("active=false", []),
        ("receiver=nobody", []),
        (f"receiver={api.source.slug}", ["db-1", "db-2", "web-1"]),
    ]:
        assert [each["labels"]["instance"] for each in api.read(f"/alerts?{query}")] == found, query
    groups = api.read("/alerts/groups")
    assert [(group["labels"], len(group["alerts"])) for group in groups] == [
        ({"alertname": "DiskFull"}, 2),
        ({"alertname": "Slow"}, 1),
    ]
    for wrong in ("filter=1a=b", "filter=a=~(", "active=maybe", "receiver=("):
        assert api.send("GET", f"/alerts?{wrong}").status_code == 400, wrong


def test_a_list_costs_two_statements(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    api.fire(*(alert(instance=f"db-{number}") for number in range(9)))
    with django_assert_num_queries(2):
        assert len(api.read("/alerts")) == 9


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a="b"', [("a", "b", False, True)]),
        (' a =~ "b|c" ', [("a", "b|c", True, True)]),
        ('{a!="b", c!~d}', [("a", "b", False, False), ("c", "d", True, False)]),
        (r'a="say \"x\"\n"', [("a", 'say "x"\n', False, True)]),
        ("a=", [("a", "", False, True)]),
        ("{}", []),
    ],
)
def test_matchers_are_read_as_alertmanager_does(text: str, found: list[tuple[str, str, bool, bool]]) -> None:
    read = [(each["name"], each["value"], each["isRegex"], each["isEqual"]) for each in parse_matchers(text)]
    assert read == found


@pytest.mark.parametrize("text", ["a", "=b", "{a=b", 'a="b', "1=2", 'a="b"c', "a==b,,"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse_matchers(text)


# --- Silences ---------------------------------------------------------------------------------------------------------


def test_a_silence_mutes_is_listed_and_expires(api: Api) -> None:
    user = accounts.user()
    oncall.contact_method(user)
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(user)))
    created = api.send("POST", "/silences", silence())
    assert created.status_code == 200
    number = created.json()["silenceID"]
    api.fire(alert(), alert(instance="web-1"))
    assert Page.objects.count() == 1, "only web-1 pages"
    [told] = api.read("/alerts?active=false")
    assert told["status"]["state"] == "suppressed"
    assert told["status"]["silencedBy"] == [number]
    assert [each["labels"]["instance"] for each in api.read("/alerts?silenced=false")] == ["web-1"]

    [listed] = api.read("/silences")
    assert (listed["id"], listed["status"], listed["createdBy"]) == (number, {"state": "active"}, "ada")
    assert listed["matchers"] == silence()["matchers"]
    assert api.read(f"/silence/{number}") == listed
    assert api.send("DELETE", f"/silence/{number}").content == b""
    assert api.read(f"/silence/{number}")["status"] == {"state": "expired"}
    assert api.read("/silences?expired=false") == []
    look_at_held(datetime.now(UTC) + timedelta(seconds=1))
    assert Page.objects.count() == 2, "what fires still pages now"


def test_a_silence_is_changed_under_its_number_and_made_anew_once_it_is_over(api: Api) -> None:
    number = api.send("POST", "/silences", silence()).json()["silenceID"]
    later = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    changed = api.send("POST", "/silences", silence(id=number, endsAt=later, comment="Longer")).json()
    assert changed == {"silenceID": number}
    assert api.read(f"/silence/{number}")["comment"] == "Longer"
    api.send("DELETE", f"/silence/{number}")
    assert api.send("POST", "/silences", silence(id=number)).json()["silenceID"] != number
    assert api.send("POST", "/silences", silence(id=str(uuid4()))).status_code == 404


def test_a_silence_of_another_source_is_out_of_reach(api: Api) -> None:
    other = Api(alerts.source(dialect="alertmanager"))
    number = other.send("POST", "/silences", silence()).json()["silenceID"]
    assert api.read("/silences") == []
    assert api.send("GET", f"/silence/{number}").status_code == 404
    assert api.send("DELETE", f"/silence/{number}").status_code == 404
    assert api.send("GET", "/silence/nothing").status_code == 404
    api.fire(alert())
    assert api.read("/alerts")[0]["status"]["state"] == "active", "it mutes its own source only"


@pytest.mark.parametrize(
    "changes",
    [
        {"matchers": []},
        {"matchers": None},
        {"matchers": [{"name": "", "value": "x", "isRegex": False}]},
        {"matchers": [{"name": "a", "value": "(", "isRegex": True}]},
        {"matchers": [{"name": "a", "value": "", "isRegex": False}]},
        {"endsAt": "2020-01-01T00:00:00Z"},
        {"endsAt": None},
        {"startsAt": "soon"},
        {"comment": None},
        {"createdBy": 7},
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any]) -> None:
    response = api.send("POST", "/silences", silence(**changes))
    assert response.status_code == 400
    assert response.json()
    assert not MaintenanceWindow.objects.exists()
