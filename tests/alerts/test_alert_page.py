"""The page of one alert: what is known, what was decided and why, what happened, what was sent."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from alerts.history import attributes_of, history_of
from alerts.ingest import process_raw_events
from alerts.marking import mark_alert
from alerts.models import Alert, AlertSource, RawEvent
from alerts.windows import save_window
from tests.factories import accounts, alerts, catalog, oncall

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(accounts.user(role=Role.RESPONDER))
    return client


def shown(client: Client, alert: Alert) -> str:
    """The page's words."""
    page = client.get(alert.get_absolute_url())
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


def send(source: AlertSource, now: datetime, **event: Any) -> Alert:
    """Stores an event as the door does, works it off, and returns the newest alert."""
    body = json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode()
    RawEvent.objects.create(source=source, received_at=now, due_at=now, body=body, event_count=1)
    process_raw_events(now)
    return Alert.objects.latest("pk")


def test_the_page_tells_the_route_and_why_and_who_was_paged(client: Client) -> None:
    ana = accounts.user(name="Ana Ruiz")
    oncall.contact_method(ana)
    conditions = {"all": [{"fact": "severity", "operator": "is", "value": "critical"}]}
    policy = oncall.policy(oncall.level(ana))
    alerts.route(conditions, name="Critical ones", paging="policy", escalation_policy=policy)
    alert = send(alerts.source(), timezone.now(), severity="critical")
    page = shown(client, alert)
    for words in ("Critical ones", "matches when severity is critical", policy.name, "Ana Ruiz", "Who was paged"):
        assert words in page


def test_attributes_are_shown_as_what_they_are(client: Client) -> None:
    known = {"labels": {"job": "db"}, "runbook": "https://wiki.example/db", "ratio": 0.5, "is_test": True, "empty": ""}
    alert = send(alerts.source(), timezone.now(), attributes=known)
    assert {each.name: each.kind for each in attributes_of(alert)}.items() >= {
        ("labels.job", "text"),
        ("runbook", "link"),
        ("ratio", "number"),
        ("is_test", "boolean"),
    }
    assert '<a href="https://wiki.example/db" rel="noopener noreferrer nofollow">' in shown(client, alert)


def test_a_link_that_is_no_web_address_is_no_link() -> None:
    alert = Alert(attributes={"runbook": "javascript:alert(1)", "odd": "https://a b"})
    assert {each.kind for each in attributes_of(alert)} == {"text"}


def test_the_page_tells_what_nobody_knows(client: Client) -> None:
    alert = send(alerts.source(), timezone.now(), service="no-such-service")
    Alert.objects.filter(pk=alert.pk).update(unresolved=[{"field": "service", "text": "no-such-service"}])
    assert "service “no-such-service”" in shown(client, alert)


def test_the_page_shows_what_was_sent_and_what_became_of_each_event(client: Client) -> None:
    source, now = alerts.source(), timezone.now()
    alert = send(source, now)
    send(source, now, title="Something else", dedup_key="else")
    send(source, now)
    page = client.get(alert.get_absolute_url())
    assert len(page.context["events"]) == 2
    assert "Counted on an open alert" in page.content.decode()
    assert "&quot;title&quot;: &quot;Disk full&quot;" in page.content.decode()


def test_the_history_stands_in_the_order_in_which_it_happened(now: datetime) -> None:
    source = alerts.source()
    alert = send(source, now)
    mark_alert(actor=accounts.actor(), alert=alert, noise="noise", now=now + timedelta(minutes=1))
    send(source, now + timedelta(minutes=2), status="resolved")
    alert.refresh_from_db()
    told = [(moment.kind, moment.at) for moment in history_of(alert)]
    assert [kind for kind, _at in told] == ["fired", "noise", "resolved"]
    assert told == sorted(told, key=lambda each: each[1])


def test_a_muted_alert_says_by_whom_and_until_when(client: Client) -> None:
    service, now = catalog.service(slug="payments"), timezone.now()
    window = save_window(
        actor=accounts.actor(name="Bob"),
        name="Upgrade",
        services=[service],
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        now=now,
    )
    alert = send(alerts.source(), now, service="payments")
    assert (alert.held, alert.muted_by) == ("muted", window)
    page = shown(client, alert)
    assert "by Bob:" in page
    assert window.get_absolute_url() in page
    on_service = " ".join(client.get(reverse("catalog:service", args=["payments"])).content.decode().split())
    assert "Upgrade" in on_service


def test_earlier_ones_of_the_same_key_are_listed(client: Client) -> None:
    source, now = alerts.source(), timezone.now()
    first = send(source, now)
    send(source, now, status="resolved")
    second = send(source, now)
    assert first != second
    assert client.get(second.get_absolute_url()).context["earlier"] == [first]


def test_others_of_the_same_group_are_listed(client: Client) -> None:
    ana = accounts.user()
    oncall.contact_method(ana)
    policy = oncall.policy(oncall.level(ana))
    alerts.route(paging="policy", escalation_policy=policy, group_by=["source"])
    source, now = alerts.source(), timezone.now()
    first, second = send(source, now), send(source, now, dedup_key="other", title="Other")
    page = client.get(second.get_absolute_url())
    assert page.context["others"] == [first]
    assert "In the same group" in page.content.decode()
    in_list = client.get(reverse("alerts:list"), {"group": str(second.group_id)}).context["list"]
    assert {alert.pk for alert in in_list.page} == {first.pk, second.pk}
