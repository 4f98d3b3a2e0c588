"""Opsgenie's clients: what they write is done, asked for, read back, and refused in the vendor's words."""

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import Team, User
from alerts.models import Alert, AlertSource, RawEvent
from incidents.actions import resolve_incident
from oncall.models import Escalation, Page
from tests.alerts.opsgenie_client import Opsgenie
from tests.factories import accounts, alerts, incidents, oncall
from tests.factories.workflows import pass_time

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads/opsgenie"
ALIAS = "d4061866bc333de2350285b0452a21f78349e3d63b4f06b6c956f64f95d7be36"


def payload(name: str) -> dict[str, Any]:
    return dict(json.loads((PAYLOADS / f"{name}.json").read_text()))


@pytest.fixture
def source() -> AlertSource:
    return alerts.source(dialect="opsgenie")


@pytest.fixture
def client(source: AlertSource, now: datetime) -> Opsgenie:
    return Opsgenie(source, now)


@pytest.fixture
def ada() -> User:
    user = accounts.user(name="Ada", email="ada@example.com")
    oncall.contact_method(user)
    return user


@pytest.fixture
def escalating(ada: User) -> None:
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(ada)))


# --- What Alertmanager and the SDK really send ------------------------------------------------------------------------


def test_alertmanagers_receiver_fires_updates_and_resolves(client: Opsgenie, escalating: None) -> None:
    created = client.write("POST", "", payload("firing"))
    assert (created["isSuccess"], created["action"], created["alias"]) == (True, "Create", ALIAS)
    again = client.write("POST", "", payload("firing"))
    assert again["alertId"] == created["alertId"]
    for name in ("message", "description"):
        done = client.do(f"/{name}", payload(name), method="PUT", alias=ALIAS)
        assert (done["isSuccess"], done["alertId"]) == (True, created["alertId"])
    alert = Alert.objects.get()
    assert (alert.title, alert.priority, alert.count) == ("[FIRING:2] HighLatency (critical)", 2, 2)
    assert alert.tags == ["x", "y"]
    assert {"field": "team", "text": "a"} in alert.unresolved
    assert {"field": "team", "text": "b"} in alert.unresolved
    closed = client.do("/close", payload("resolved"), alias=ALIAS)
    assert (closed["isSuccess"], closed["action"], closed["status"]) == (True, "Close", "Closed alert")
    assert Alert.objects.get().status == Alert.Status.RESOLVED
    assert Escalation.objects.get().status == Escalation.Status.RESOLVED


@pytest.mark.parametrize("way", ["GenieKey", "basic", "pair", "query"])
def test_the_key_may_be_where_clients_put_it(source: AlertSource, client: Opsgenie, way: str) -> None:
    encoded = base64.b64encode(source.token.encode()).decode()
    pair = base64.b64encode(f":{source.token}".encode()).decode()
    header = {"basic": f"basic {encoded}", "pair": f"Basic {pair}", "query": ""}.get(way, f"GenieKey {source.token}")
    path = f"?apiKey={source.token}" if way == "query" else ""
    assert client.send("POST", path, payload("sdk-create"), Authorization=header).status_code == 202
    assert client.send("GET", path, Authorization=header).status_code == 200
    raw = RawEvent.objects.get()
    assert source.token not in json.dumps([raw.headers, raw.query, raw.address])


# --- Every verb -------------------------------------------------------------------------------------------------------


@pytest.fixture
def firing(client: Opsgenie, escalating: None) -> Alert:
    client.write("POST", "", {**payload("sdk-create"), "responders": []})
    return Alert.objects.get()


def test_what_pages_is_acknowledged_and_taken_back(client: Opsgenie, firing: Alert) -> None:
    assert client.do("/acknowledge", {"note": "mine", "user": "Grace"})["status"] == "Acknowledged alert"
    assert client.read("/a1?identifierType=alias")["acknowledged"] is True
    assert client.do("/unacknowledge")["isSuccess"] is True
    assert client.read(f"/{firing.pk}")["acknowledged"] is False
    [note] = client.read(f"/{firing.pk}/notes")
    assert (note["note"], note["owner"]) == ("mine", "Grace")


def test_snoozing_escalating_and_assigning(client: Opsgenie, firing: Alert, ada: User) -> None:
    until = client.later + timedelta(hours=2)
    assert client.do("/snooze", {"endTime": until.isoformat()})["status"] == "Snoozed alert"
    assert client.read(f"/{firing.pk}")["snoozed"] is True
    bob = accounts.user(name="Bob")
    oncall.contact_method(bob)
    policy = oncall.policy(oncall.level(bob))
    assert client.do("/escalate", {"escalation": {"name": policy.name.upper()}})["isSuccess"] is True
    assert Escalation.objects.get().policy == policy
    assert client.do("/assign", {"owner": {"username": "ada@example.com"}})["isSuccess"] is True
    alert = Alert.objects.get()
    assert (alert.assigned_to, client.read(f"/{firing.pk}")["owner"]) == (ada, "ada@example.com")


def test_what_an_alert_of_an_incident_is_escalated_to_pages_for_that(client: Opsgenie, firing: Alert) -> None:
    incident = incidents.incident(visibility="private")
    Alert.objects.filter(pk=firing.pk).update(incident=incident, escalation=None)
    bob = accounts.user(name="Bob")
    oncall.contact_method(bob)
    policy = oncall.policy(oncall.level(bob))
    assert client.do("/escalate", {"escalation": {"name": policy.name}})["isSuccess"] is True
    escalation = incident.escalations.get()
    assert (escalation.policy, escalation.is_private) == (policy, True)
    pass_time(client.later)
    assert incident.members.filter(pk=bob.pk).exists()
    resolve_incident(actor=Actor.system(), incident=incident, now=client.later)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.RESOLVED


def test_more_responders_are_paged_beside_whoever_has_it(client: Opsgenie, firing: Alert, ada: User) -> None:
    bob, eve = accounts.user(name="Bob"), accounts.user(name="Eve")
    for user in (bob, eve):
        oncall.contact_method(user)
    schedule = oncall.schedule(eve)
    assert client.do("/responders", {"responder": {"type": "user", "username": bob.email}})["isSuccess"] is True
    assert client.do("/responders", {"responder": {"type": "schedule", "name": schedule.name}})["isSuccess"] is True
    assert set(Page.objects.values_list("user__name", flat=True)) == {"Ada", "Bob", "Eve"}
    told = client.read(f"/{firing.pk}/recipients")
    assert {each["user"]["username"] for each in told} == {ada.email, bob.email, eve.email}


def test_a_team_is_added_and_its_policy_says_who_is_asked(client: Opsgenie, firing: Alert) -> None:
    team = Team.objects.create(name="Payments", slug="payments")
    bob = accounts.user(name="Bob")
    oncall.contact_method(bob)
    oncall.policy(oncall.level(bob), team=team)
    assert client.do("/teams", {"team": {"name": "payments"}})["isSuccess"] is True
    assert Alert.objects.get().team == team
    assert Page.objects.filter(user=bob).exists()
    assert client.read(f"/{firing.pk}")["responders"] == [{"type": "team", "id": str(team.pk)}]


def test_words_tags_and_details_change(client: Opsgenie, firing: Alert) -> None:
    client.do("/tags", {"tags": ["y", "z"]})
    client.do("/tags?tags=x,y", method="DELETE")
    client.do("/details", {"details": {"region": "eu-1"}})
    client.do("/details?keys=k", method="DELETE")
    client.do("/message", {"message": "Renamed"}, method="PUT")
    client.do("/description", {"description": "Longer"}, method="PUT")
    client.do("/priority", {"priority": "P4"}, method="PUT")
    client.do("/notes", {"note": "Looking", "user": "Ada"})
    client.do("/actions/restart")
    shape = client.read(f"/{firing.pk}")
    assert (shape["tags"], shape["details"]) == (["z"], {"region": "eu-1"})
    assert (shape["message"], shape["description"], shape["priority"]) == ("Renamed", "Longer", "P4")
    assert [note["note"] for note in client.read(f"/{firing.pk}/notes")] == ["Looking"]
    logged = [entry["log"] for entry in client.read(f"/{firing.pk}/logs?order=asc")]
    assert logged[0] == "Alert created"
    assert f"{client.source.name} asked for the action restart" in logged
    kinds = list(Alert.objects.get().entries.values_list("kind", flat=True))
    assert kinds == [
        *("add_tags", "remove_tags", "add_details", "remove_details", "message", "description", "priority"),
        *("note", "action"),
    ]


def test_what_is_deleted_is_over_and_not_forgotten(client: Opsgenie, firing: Alert) -> None:
    done = client.write("DELETE", f"/{firing.pk}?user=Ada&source=script")
    assert (done["action"], done["isSuccess"]) == ("Delete", True)
    assert Alert.objects.get().status == Alert.Status.RESOLVED
    assert Alert.objects.get().entries.get().text == "Ada deleted it"


def test_an_alert_goes_by_its_number_too(client: Opsgenie, firing: Alert) -> None:
    assert client.write("POST", f"/{firing.pk}/acknowledge", {})["isSuccess"] is True
    done = client.write("POST", f"/{firing.pk}/close?identifierType=tiny", "")
    assert (done["isSuccess"], done["alertId"]) == (True, str(firing.pk))


def test_an_alias_may_hold_anything(client: Opsgenie) -> None:
    odd = "disk/7 50% \N{SNOWMAN}?x=1"
    client.write("POST", "", {"message": "x", "alias": odd})
    assert client.read(f"/{quote(odd, safe='')}?identifierType=alias")["alias"] == odd
    assert client.do("/close", alias=odd)["isSuccess"] is True
    long = "\N{SNOWMAN}" * 512
    assert client.write("POST", "", {"message": "x", "alias": long})["alias"] == long
    assert client.do("/close", alias=long)["isSuccess"] is True


def test_without_an_alias_each_is_an_alert_of_its_own(client: Opsgenie) -> None:
    first, second = (client.write("POST", "", {"message": "x"}) for _ in range(2))
    assert first["alertId"] != second["alertId"]
    assert client.do("/close", alias=first["alias"])["isSuccess"] is True


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/nothing/close?identifierType=alias", {}, "Alert does not exist"),
        ("/0/notes", {"note": "x"}, "Alert does not exist"),
        ("/words/notes", {"note": "x"}, "Alert does not exist"),
        (f"/{'9' * 40}/acknowledge", {}, "Alert does not exist"),
    ],
)
def test_what_nobody_knows_is_accepted_and_its_status_says_so(
    client: Opsgenie, path: str, body: dict[str, Any], reason: str
) -> None:
    done = client.write("POST", path, body)
    assert (done["isSuccess"], done["success"], done["status"]) == (False, False, reason)
    assert (done["alertId"], done["alias"]) == ("", "")


def test_what_is_over_can_still_be_noted_but_pages_nobody(client: Opsgenie, firing: Alert, ada: User) -> None:
    client.do("/close")
    assert client.write("POST", f"/{firing.pk}/notes", {"note": "It was the disk"})["isSuccess"] is True
    done = client.write(
        "POST", f"/{firing.pk}/escalate", {"escalation": {"name": oncall.policy(oncall.level(ada)).name}}
    )
    assert (done["isSuccess"], done["status"].partition(".")[0]) == (False, "This alert is resolved")
    assert client.write("POST", f"/{firing.pk}/acknowledge", {})["status"] == "Alert does not exist"


def test_an_identifier_that_is_too_long_is_refused(client: Opsgenie) -> None:
    assert client.send("POST", f"/{'k' * 513}/close?identifierType=alias", {}).status_code == 422
    assert client.send("POST", f"/{'%25' * 500}/close?identifierType=alias", {}).status_code == 400


def test_a_verb_that_cannot_be_done_says_why(client: Opsgenie, firing: Alert) -> None:
    done = client.do("/escalate", {"escalation": {"name": "Nobody's"}})
    assert (done["isSuccess"], done["status"]) == (
        False,
        "Nobody knows the escalation Nobody's. Send a name that is known.",
    )
    done = client.do("/snooze", {"endTime": "2099-01-01T00:00:00Z"})
    assert done["isSuccess"] is False
    assert "within the next seven days" in done["status"]


def test_nobody_reaches_the_alerts_of_another_source(client: Opsgenie, firing: Alert, now: datetime) -> None:
    other = Opsgenie(alerts.source(dialect="opsgenie"), now)
    assert other.write("POST", f"/{firing.pk}/close", {})["isSuccess"] is False
    assert other.send("GET", f"/{firing.pk}").status_code == 404
    assert other.read() == []
    request_id = str(RawEvent.objects.order_by("id")[0].request_id)
    assert other.send("GET", f"/requests/{request_id}").status_code == 404


# --- Whom it pages ----------------------------------------------------------------------------------------------------


def test_who_is_named_on_creation_decides_whom_the_route_pages(client: Opsgenie, ada: User) -> None:
    alerts.route(paging="service", escalation_policy=oncall.policy(oncall.level(ada)))
    bob, eve = accounts.user(name="Bob"), accounts.user(name="Eve")
    for user in (bob, eve):
        oncall.contact_method(user)
    second_line = oncall.policy(oncall.level(bob))
    responders = [
        {"type": "escalation", "name": second_line.name},
        {"type": "user", "username": eve.email},
        {"type": "schedule", "name": "Nobody's"},
        {"type": "user", "username": "gone@example.com"},
    ]
    client.write("POST", "", {"message": "x", "responders": responders})
    assert set(Page.objects.values_list("user__name", flat=True)) == {"Bob", "Eve"}
    assert Alert.objects.get().unresolved == [
        {"field": "schedule", "text": "Nobody's"},
        {"field": "user", "text": "gone@example.com"},
    ]


def test_a_team_that_is_named_is_paged_by_its_own_policy(client: Opsgenie, ada: User) -> None:
    alerts.route(paging="service", escalation_policy=oncall.policy(oncall.level(ada)))
    bob = accounts.user(name="Bob")
    oncall.contact_method(bob)
    team = Team.objects.create(name="Payments", slug="payments")
    oncall.policy(oncall.level(bob), team=team)
    client.write("POST", "", {"message": "x", "responders": [{"type": "team", "name": "payments"}]})
    assert list(Page.objects.values_list("user__name", flat=True)) == ["Bob"]
    assert Alert.objects.get().unresolved == []


def test_nobody_who_is_known_leaves_it_to_the_route(client: Opsgenie, escalating: None) -> None:
    client.write("POST", "", payload("firing"))
    assert list(Page.objects.values_list("user__name", flat=True)) == ["Ada"]


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("", {}, {"message": "is mandatory"}),
        ("", {"message": "x" * 131}, {"message": "should be at most 130 characters"}),
        ("", {"message": ["x"]}, {"message": "should be a string"}),
        ("", {"message": "x", "alias": "k" * 513}, {"alias": "should be at most 512 characters"}),
        ("", {"message": "x", "description": "k" * 15_001}, {"description": "should be at most 15000 characters"}),
        ("", {"message": "x", "priority": "P9"}, {"priority": "should be one of [ P1, P2, P3, P4, P5 ]"}),
        ("", {"message": "x", "tags": ["t"] * 21}, {"tags": "should have at most 20 items"}),
        ("", {"message": "x", "tags": ["t" * 51]}, {"tags": "should be strings of at most 50 characters"}),
        ("", {"message": "x", "details": []}, {"details": "should be an object of strings"}),
        (
            "",
            {"message": "x", "details": {"k": "v" * 8000}},
            {"details": "should have at most 8000 characters in total"},
        ),
        ("", {"message": "x", "responders": [{"type": "group", "name": "x"}]}, {"responders.type": None}),
        ("", {"message": "x", "responders": [{"type": "team"}]}, {"responders": "should have an id or a name"}),
        ("/a/close?identifierType=name", {}, {"identifierType": "should be one of [ id, alias, tiny ]"}),
        ("/a/notes", {}, {"note": "is mandatory"}),
        ("/a/snooze", {}, {"endTime": "is mandatory"}),
        ("/a/snooze", {"endTime": "soon"}, {"endTime": None}),
        ("/a/escalate", {}, {"escalation": "is mandatory"}),
        ("/a/assign", {"owner": "ada"}, {"owner": "should be an object"}),
        ("/a/tags", {}, {"tags": "is mandatory"}),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field(
    client: Opsgenie, path: str, body: dict[str, Any], errors: dict[str, str | None]
) -> None:
    response = client.send("POST", path, body)
    content = response.json()
    assert response.status_code == 422
    assert content["message"] == "Request body is not processable. Please check the errors."
    assert content["errors"].keys() == errors.keys()
    assert all(wanted in {None, content["errors"][field]} for field, wanted in errors.items())
    assert len(content["requestId"]) == 36
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize("body", ["{", "[1]", b"\xff", '"text"'])
def test_what_is_not_json_is_a_bad_request(client: Opsgenie, body: str | bytes) -> None:
    response = client.send("POST", "", body)
    assert response.status_code == 400
    assert response.json().keys() == {"message", "took", "requestId"}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_wrong_key_does_not_authenticate(client: Opsgenie, method: str) -> None:
    for header in ("GenieKey wrong", "GenieKey", "basic !", ""):
        response = client.send(method, "", payload("firing"), Authorization=header)
        assert (response.status_code, response.json()["message"]) == (401, "Could not authenticate")


def test_the_key_of_another_format_does_not_authenticate(client: Opsgenie) -> None:
    token = alerts.source(dialect="pagerduty").token
    for method in ("POST", "GET"):
        response = client.send(method, "", payload("firing"), Authorization=f"GenieKey {token}")
        assert response.status_code == 401


def test_a_body_over_the_limit_is_too_large(client: Opsgenie, settings: Settings) -> None:
    settings.MAX_EVENT_BYTES = 100
    response = client.send("POST", "", payload("firing"))
    assert response.status_code == 413
    assert response.json()["requestId"]


def test_what_no_client_sends_is_not_heard(client: Opsgenie) -> None:
    assert client.send("PUT", "", {}).status_code == 405
    assert client.send("PATCH", "/a/close", {}).status_code == 405
