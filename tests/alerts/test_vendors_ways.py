"""What vendors send by other ways than a POST: a query, a handshake, headers of their own."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from tests.factories import alerts

pytestmark = pytest.mark.django_db
PAYLOADS = Path(__file__).parent.parent / "payloads"


@pytest.fixture
def kuma() -> AlertSource:
    return alerts.source(dialect="uptimekuma")


def get(kuma: AlertSource, **query: Any) -> Any:
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
    return Client().get(f"/uptime-kuma/{kuma.token}", given)


def test_uptime_kuma_may_send_by_get(kuma: AlertSource, now: datetime) -> None:
    for name in ("firing", "resolved"):
        data = json.loads((PAYLOADS / f"uptimekuma/{name}.json").read_text())
        response = get(kuma, **data)
        assert (response.status_code, response.json()["events"]) == (202, 1)
    assert get(kuma, msg="The certificate expires").status_code == 202
    process_raw_events(now.replace(year=2100))
    assert [outcome["outcome"] for raw in RawEvent.objects.order_by("id") for outcome in raw.outcomes] == [
        *("recorded", "resolved", "recorded")
    ]
    assert RawEvent.objects.order_by("id")[0].method == "GET"


@pytest.mark.parametrize("query", [{}, {"msg": ""}, {"heartbeat": "{"}, {"heartbeat": {"status": 0}}])
def test_a_query_that_says_nothing_is_refused(kuma: AlertSource, query: dict[str, Any]) -> None:
    assert get(kuma, **query).status_code == 400
    assert not RawEvent.objects.exists()


def test_a_sender_of_cloudevents_may_ask_first_whether_it_may_send() -> None:
    address = f"/in/{alerts.source().token}"
    response = Client().options(address, headers={"WebHook-Request-Origin": "eventgrid.example.com"})
    assert (response.status_code, response.content) == (200, b"")
    assert response["WebHook-Allowed-Origin"] == "eventgrid.example.com"
    assert response["Allow"] == "POST, OPTIONS"
    assert not RawEvent.objects.exists()
    assert Client().options("/in/unknown", headers={"WebHook-Request-Origin": "x"}).status_code == 401
    assert "WebHook-Allowed-Origin" not in Client().options(address)


def test_extensions_of_a_cloudevent_in_headers_are_kept(now: datetime) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "disk.full", "ce-rackid": "r%207"}
    source = alerts.source()
    response = Client().post(f"/in/{source.token}", b"{}", content_type="application/json", headers=headers)
    assert response.status_code == 202
    process_raw_events(now.replace(year=2100))
    assert Alert.objects.get().attributes["cloudevent"]["rackid"] == "r 7"
