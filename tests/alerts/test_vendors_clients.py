"""What the clients of other vendors send and must be told: captured payloads, and errors in the vendor's own words."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from alerts.dialects import DIALECTS
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from oncall.models import Escalation
from tests.factories import accounts, alerts, oncall

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads"
V1, V2 = "/pagerduty/generic/2010-04-15/create_event.json", "/pagerduty/v2/enqueue"
EVENTS = "/incidentio/v2/alert_events/http/01GW2G3V0S59R238FAHPDS1R66"


def payload(name: str) -> dict[str, Any]:
    return dict(json.loads((PAYLOADS / name).read_text()))


def post(address: str, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return Client().post(address, text, content_type="application/json", headers=headers)


def told(response: Any) -> Any:
    return json.loads(response.content)


def pagerduty(source: AlertSource, name: str, **changes: Any) -> Any:
    body = payload(f"pagerduty/{name}.json")
    key = "service_key" if "service_key" in body else "routing_key"
    return post(V1 if key == "service_key" else V2, {**body, key: source.token, **changes})


def outcomes() -> list[str]:
    return [str(outcome["outcome"]) for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes]


@pytest.fixture
def source() -> AlertSource:
    return alerts.source(dialect="pagerduty")


@pytest.fixture
def incidentio() -> AlertSource:
    return alerts.source(dialect="incidentio")


@pytest.fixture
def escalating() -> None:
    user = accounts.user()
    oncall.contact_method(user)
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(user)))


# --- PagerDuty --------------------------------------------------------------------------------------------------------


def test_a_trigger_fires_an_acknowledgement_answers_a_resolve_ends(
    source: AlertSource, escalating: None, now: datetime
) -> None:
    for name in ("firing", "firing", "acknowledged", "resolved", "resolved", "acknowledged"):
        response = pagerduty(source, name)
        assert response.status_code == 202
        key = payload("pagerduty/firing.json")["dedup_key"]
        assert told(response) == {"status": "success", "message": "Event processed", "dedup_key": key}
        process_raw_events(now.replace(year=2100))
    assert outcomes() == ["paged", "deduplicated", "acknowledged", "resolved", "nothing_open", "nothing_open"]
    alert, escalation = Alert.objects.get(), Escalation.objects.get()
    assert (alert.title, alert.severity, alert.count) == ("[FIRING:1] HighLatency (api critical)", "error", 2)
    assert alert.source_url == "http://alertmanager.example:9093/#/alerts?receiver=all"
    assert alert.attributes["custom_details"]["num_firing"] == "1"
    assert escalation.acknowledged_at is not None
    assert escalation.status == Escalation.Status.RESOLVED
    kinds = list(escalation.entries.values_list("kind", "actor_name").order_by("number"))
    assert ("acknowledged", source.name) in kinds


def test_version_1_is_answered_in_its_own_way(source: AlertSource, now: datetime) -> None:
    for name in ("v1-firing", "v1-resolved"):
        response = pagerduty(source, name)
        assert response.status_code == 200
        assert told(response) == {"status": "success", "message": "Event processed", "incident_key": "srv01/HTTP"}
    process_raw_events(now.replace(year=2100))
    assert outcomes() == ["recorded", "resolved"]
    alert = Alert.objects.get()
    assert alert.title == "FAILURE for production/HTTP on machine srv01.acme.com"
    assert alert.attributes["custom_details"]["load avg"] == 0.75


def test_triggers_without_a_key_are_alerts_of_their_own(source: AlertSource, now: datetime) -> None:
    keys = [told(pagerduty(source, "firing", dedup_key=None))["dedup_key"] for _ in range(2)]
    process_raw_events(now.replace(year=2100))
    assert sorted(keys) == sorted(Alert.objects.values_list("dedup_key", flat=True))
    assert told(pagerduty(source, "resolved", dedup_key=keys[0]))["dedup_key"] == keys[0]
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.firing().get().dedup_key == keys[1]


def test_the_component_or_a_detail_names_the_service(source: AlertSource, now: datetime) -> None:
    full = payload("pagerduty/firing.json")["payload"]
    pagerduty(source, "firing", dedup_key="1", payload={**full, "component": "payments"})
    details = {"service": "search"}
    pagerduty(source, "firing", dedup_key="2", payload={**full, "component": "payments", "custom_details": details})
    pagerduty(source, "firing", dedup_key="3", payload={**full, "timestamp": "2015-07-17T08:42:58.315+0000"})
    process_raw_events(now.replace(year=2100))
    named = dict(Alert.objects.values_list("dedup_key", "service_named"))
    assert named == {"1": "payments", "2": "search", "3": ""}
    assert Alert.objects.get(dedup_key="3").started_at.isoformat() == "2015-07-17T08:42:58.315000+00:00"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
        ({"routing_key": "-" * 32}, "'routing_key' cannot contain non-alphanumeric characters."),
        ({"routing_key": None}, "'routing_key' is missing or blank"),
        ({"event_action": "explode"}, "event_action is invalid (must be one of: trigger acknowledge resolve)"),
        ({"event_action": "resolve", "dedup_key": ""}, "'dedup_key' is missing or blank"),
        ({"dedup_key": "k" * 256}, "'dedup_key' is too long (maximum is 255 characters)"),
        ({"payload": {"source": "x", "severity": "error"}}, "'payload.summary' is missing or blank"),
        ({"payload": {"summary": "x", "severity": "error"}}, "'payload.source' is missing or blank"),
        ({"payload": {"summary": "x", "source": "x", "severity": ["error"]}}, "'payload.severity' must be a string"),
        ({"payload": [1]}, "'payload' must be an object"),
    ],
)
def test_an_event_that_is_not_valid_is_refused_with_the_errors_that_clients_show(
    source: AlertSource, changes: dict[str, Any], error: str
) -> None:
    response = pagerduty(source, "firing", **changes)
    assert response.status_code == 400
    content = {"status": "invalid event", "message": "Event object is invalid", "errors": [error]}
    assert told(response) == content
    assert not RawEvent.objects.exists()


def test_what_is_not_json_is_not_recognised(source: AlertSource) -> None:
    response = post(V2, "{")
    assert (response.status_code, told(response)["status"]) == (400, "Unrecognized object")
    assert told(response)["errors"] == ["JSON parse error"]


def test_a_key_that_is_nobodys_and_a_body_over_the_limit(source: AlertSource, settings: Any) -> None:
    response = pagerduty(source, "firing", routing_key="0" * 32)
    assert (response.status_code, told(response)["message"]) == (400, "Invalid routing key")
    settings.MAX_EVENT_BYTES = 200
    response = pagerduty(source, "firing")
    assert (response.status_code, told(response)["status"]) == (413, "invalid event")


def test_the_key_of_another_format_is_refused(incidentio: AlertSource) -> None:
    response = pagerduty(incidentio, "firing")
    assert (response.status_code, told(response)["message"]) == (400, "Invalid routing key")


# --- incident.io ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["bearer", "basic", "query"])
def test_the_token_may_be_where_clients_put_it(incidentio: AlertSource, now: datetime, way: str) -> None:
    address, headers = EVENTS, {}
    if way == "bearer":
        headers = {"Authorization": f"Bearer {incidentio.token}"}
    elif way == "basic":
        pair = base64.b64encode(f"nagios:{incidentio.token}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
    else:
        address += f"?token={incidentio.token}&region=eu"
    for name in ("firing", "resolved"):
        response = post(address, payload(f"incidentio/{name}.json"), **headers)
        assert response.status_code == 202
        content = {"deduplication_key": "4293868629", "message": "Event accepted for processing", "status": "success"}
        assert told(response) == content
    process_raw_events(now.replace(year=2100))
    assert outcomes() == ["recorded", "resolved"]
    alert = Alert.objects.get()
    assert (alert.service_named, alert.attributes["team"]) == ("hello.world.com", ["my-team"])
    raw = RawEvent.objects.latest("id")
    assert raw.query == ({"region": "eu"} if way == "query" else {})
    kept = json.dumps([raw.headers, raw.query, raw.address])
    assert incidentio.token not in kept
    assert "uthorization" not in kept


def test_alertmanagers_receiver_for_it_is_understood(incidentio: AlertSource, now: datetime) -> None:
    address = EVENTS.replace("/http/", "/alertmanager/")
    body = {**payload("alertmanager/firing.json"), "version": "1"}
    response = post(address, body, Authorization=f"Bearer {incidentio.token}")
    assert (response.status_code, told(response)["deduplication_key"]) == (202, "6a4f37c34a2d1e4b")
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.get().service_named == "api"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"title": ""}, "title"), ({"status": "broken"}, "status"), ({"metadata": []}, ""), ({"title": {}}, "title")],
)
def test_what_is_missing_is_named_as_the_vendor_names_it(
    incidentio: AlertSource, changes: dict[str, Any], field: str
) -> None:
    body = {**payload("incidentio/firing.json"), **changes}
    response = post(EVENTS, body, Authorization=f"Bearer {incidentio.token}")
    if not field:
        assert response.status_code == 202, "an empty list is as good as nothing"
        return
    assert response.status_code == 422
    content = told(response)
    assert (content["type"], content["status"]) == ("validation_error", 422)
    assert content["errors"][0]["source"] == {"field": field}
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer unknown", "Basic !", "Basic bm90aGluZw=="])
def test_a_wrong_token_is_unauthenticated(incidentio: AlertSource, header: str) -> None:
    response = post(EVENTS, payload("incidentio/firing.json"), **({"Authorization": header} if header else {}))
    assert response.status_code == 401
    assert told(response)["errors"][0]["code"] == "unauthenticated"


# --- All --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name, dialect in DIALECTS.items() if dialect.addresses and not dialect.verified_later]
)
def test_the_line_to_try_a_source_with_fires_an_alert(name: str, client: Client, now: datetime) -> None:
    source = alerts.source(dialect=name)
    client.force_login(accounts.user(role="manager"))
    page = client.get(f"/alerts/sources/{source.slug}/").content.decode()
    assert "curl -X POST" in page
    dialect = DIALECTS[name]
    path = "/" + dialect.addresses[0].replace("<token>", source.token).replace("<id>", "1")
    body = json.dumps(dialect.sample).replace("<token>", source.token)
    headers = {key: value.replace("<token>", source.token) for key, value in dialect.sample_headers.items()}
    assert post(path, body, **headers).status_code == 202
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.get().source == source


def test_a_token_in_a_body_is_not_shown_with_it(source: AlertSource, client: Client, now: datetime) -> None:
    pagerduty(source, "firing")
    process_raw_events(now.replace(year=2100))
    client.force_login(accounts.user(role="viewer"))
    page = client.get(f"/alerts/{Alert.objects.get().pk}/").content.decode()
    assert "HighLatency" in page
    assert source.token not in page
