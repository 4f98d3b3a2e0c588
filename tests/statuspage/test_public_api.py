"""The page's public API against the contract: Atlassian Statuspage's public API v2, field by field."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client

from statuspage.actions import publish_update
from tests.factories.accounts import actor
from tests.factories.statuspage import LONG_AGO, component, page, public_incident

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
ENDPOINTS = [
    ("summary", {"page", "components", "incidents", "scheduled_maintenances", "status"}),
    ("status", {"page", "status"}),
    ("components", {"page", "components"}),
    ("incidents", {"page", "incidents"}),
    ("incidents/unresolved", {"page", "incidents"}),
    ("scheduled-maintenances", {"page", "scheduled_maintenances"}),
    ("scheduled-maintenances/upcoming", {"page", "scheduled_maintenances"}),
    ("scheduled-maintenances/active", {"page", "scheduled_maintenances"}),
]


def fetch(name: str) -> dict[str, Any]:
    response = Client().get(f"/status/example/api/v2/{name}.json", headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Content-Type"] == "application/json"
    assert not response.cookies
    body: dict[str, Any] = response.json()
    return body


@pytest.mark.parametrize(("name", "keys"), ENDPOINTS)
def test_each_endpoint_has_exactly_its_parts(name: str, keys: set[str]) -> None:
    page("API")
    assert set(fetch(name)) == keys


def test_the_summary_follows_the_contract_field_by_field(now: datetime) -> None:
    example = page(slug="example")
    api = component(example, "API", now=LONG_AGO)
    published = public_incident(
        example, name="Degraded performance", components={api: "degraded_performance"}, body="Looking.", now=now
    )
    later = now + timedelta(minutes=7)
    publish_update(actor=actor(), public_incident=published, status="monitoring", body="Watching.", now=later)
    newest, oldest = published.updates.all()
    stamp, later_stamp = "2026-03-14T09:26:53.000Z", "2026-03-14T09:33:53.000Z"
    api_json = {
        "id": api.public_id,
        "name": "API",
        "status": "degraded_performance",
        "created_at": "2025-01-01T00:00:00.000Z",
        "updated_at": stamp,
        "position": 1,
        "description": None,
        "showcase": True,
        "start_date": "2025-01-01",
        "group_id": None,
        "page_id": example.public_id,
        "group": False,
        "only_show_if_degraded": False,
    }
    url = f"{settings.PUBLIC_URL}/status/example/"

    def update(row: Any, moment: str, affected: list[dict[str, str]] | None) -> dict[str, Any]:
        return {
            "id": row.public_id,
            "status": row.status,
            "body": row.body,
            "incident_id": published.public_id,
            "created_at": moment,
            "updated_at": moment,
            "display_at": moment,
            "affected_components": affected,
            "deliver_notifications": True,
            "custom_tweet": None,
            "tweet_id": None,
        }

    change = {
        "code": api.public_id,
        "name": "API",
        "old_status": "operational",
        "new_status": "degraded_performance",
    }
    assert fetch("summary") == {
        "page": {
            "id": example.public_id,
            "name": "Example",
            "url": url,
            "time_zone": "Etc/UTC",
            "updated_at": later_stamp,
        },
        "components": [api_json],
        "incidents": [
            {
                "id": published.public_id,
                "name": "Degraded performance",
                "status": "monitoring",
                "created_at": stamp,
                "updated_at": later_stamp,
                "monitoring_at": later_stamp,
                "resolved_at": None,
                "impact": "minor",
                "shortlink": f"{url}incidents/{published.public_id}/",
                "started_at": stamp,
                "page_id": example.public_id,
                "incident_updates": [update(newest, later_stamp, None), update(oldest, stamp, [change])],
                "components": [api_json],
                "reminder_intervals": None,
            }
        ],
        "scheduled_maintenances": [],
        "status": {"indicator": "minor", "description": "Partially Degraded Service"},
    }


def test_ids_are_short_codes_and_times_have_milliseconds(now: datetime) -> None:
    public_incident(page("API"), now=now)
    incident = fetch("incidents")["incidents"][0]
    assert re.fullmatch(r"[a-z0-9]{12}", incident["id"])
    assert STAMP.match(incident["incident_updates"][0]["display_at"])


def test_resolved_incidents_are_history_and_no_longer_unresolved(now: datetime) -> None:
    published = public_incident(page("API"), now=now)
    publish_update(actor=actor(), public_incident=published, status="resolved", body="Fixed.", now=now)
    assert [each["status"] for each in fetch("incidents")["incidents"]] == ["resolved"]
    assert fetch("incidents/unresolved")["incidents"] == []
    assert fetch("summary")["incidents"] == []
    assert fetch("status")["status"] == {"indicator": "none", "description": "All Systems Operational"}


def test_history_is_limited_to_the_fifty_most_recent(now: datetime) -> None:
    example = page("API")
    for number in range(52):
        public_incident(example, name=f"Number {number}", now=now + timedelta(minutes=number))
    incidents = fetch("incidents")["incidents"]
    assert len(incidents) == 50
    assert incidents[0]["name"] == "Number 51"


def test_browsers_may_ask_first_and_an_unknown_page_is_a_404_in_json() -> None:
    page("API")
    assert Client().options("/status/example/api/v2/summary.json").status_code == 204
    missing = Client().get("/status/nowhere/api/v2/summary.json")
    assert missing.status_code == 404
    assert missing.json() == {"error": "There is no such status page."}
    assert Client().post("/status/example/api/v2/summary.json").status_code == 405


def test_the_atom_feed_has_an_entry_per_incident_with_its_updates_as_html(now: datetime) -> None:
    published = public_incident(page("API"), name="Errors & more", body="Looking & seeing.", now=now)
    later = now + timedelta(minutes=7)
    publish_update(actor=actor(), public_incident=published, status="resolved", body="Fixed.", now=later)
    response = Client().get("/status/example/history.atom")
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(response.content)
    assert feed.findtext(f"{ATOM}id") == "tag:localhost,2005:/history"
    assert feed.findtext(f"{ATOM}title") == "Example Status - Incident History"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Example"
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {
        "alternate": f"{settings.PUBLIC_URL}/status/example/",
        "self": f"{settings.PUBLIC_URL}/status/example/history.atom",
    }
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == f"tag:localhost,2005:Incident/{published.pk}"
    assert entry.findtext(f"{ATOM}title") == "Errors & more"
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}published") or "") == now.astimezone(UTC)
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "") == later
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    assert content.text == (
        "<p> <small>Mar <var data-var='date'>14</var>, <var data-var='time'>09:33</var> UTC</small><br> "
        "<strong>Resolved</strong> - Fixed.</p>"
        "<p> <small>Mar <var data-var='date'>14</var>, <var data-var='time'>09:26</var> UTC</small><br> "
        "<strong>Investigating</strong> - Looking &amp; seeing.</p>"
    )


def test_the_rss_feed_says_the_same(now: datetime) -> None:
    published = public_incident(page("API"), name="Errors", now=now)
    feed = ElementTree.fromstring(Client().get("/status/example/history.rss").content)
    (item,) = feed.findall("channel/item")
    assert item.findtext("title") == "Errors"
    assert item.findtext("link") == f"{settings.PUBLIC_URL}/status/example/incidents/{published.public_id}/"
    assert "We are looking into it." in (item.findtext("description") or "")
    assert item.findtext("guid") == f"tag:localhost,2005:Incident/{published.pk}"
