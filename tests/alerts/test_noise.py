"""The report of noise: what alerts cost, and what they were worth."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Role, Scope
from alerts.models import Alert, AlertEntry
from alerts.noise import Question, Tally, report
from incidents.models import Incident
from oncall.actions import acknowledge_escalation, start_escalation
from oncall.models import Page
from tests.factories import accounts, alerts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def alert(at: datetime = NOW, **fields: Any) -> Alert:
    times = dict.fromkeys(["started_at", "first_event_at", "last_event_at"], at)
    fields.setdefault("source", None)
    fields["source"] = fields["source"] or alerts.source()
    key = f"key-{Alert.objects.count()}"
    return Alert.objects.create(**{"dedup_key": key, "title": "Disk full", **times, **fields})


def asked(**fields: Any) -> Question:
    week = {"start": NOW - timedelta(days=3), "end": NOW + timedelta(days=3), "actor": Actor.system()}
    return Question(**{**week, **fields})


def test_alerts_are_counted_by_source_route_and_service() -> None:
    source, route, service = alerts.source(name="Prometheus"), alerts.route(name="All"), catalog.service(name="Shop")
    for noise in ("noise", "false_positive", ""):
        alert(source=source, route=route, service=service, noise=noise)
    alert()
    made = report(asked())
    assert made.total == Tally(alerts=4, noise=1, false_positives=1)
    assert made.total.noise_percent == 50
    for rows, about in ((made.sources, source), (made.routes, route), (made.services, service)):
        assert (rows[0].about, rows[0].tally.alerts, rows[0].tally.noise_percent) == (about, 3, 67)
    assert made.routes[1].about is None


def test_pages_and_those_that_nobody_answered_are_counted() -> None:
    ana = accounts.user()
    oncall.contact_method(ana)
    source = alerts.source()
    for number in range(2):
        policy = oncall.policy(oncall.level(ana))
        escalation = start_escalation(actor=Actor.system(), policy=policy, title="Disk", now=NOW)
        alert(source=source, escalation=escalation)
        alert(source=source, escalation=escalation)
        for step, channel in enumerate(("email", "sms")):
            made = {"user": ana, "channel": channel, "created_at": NOW, "state": Page.State.SENT}
            Page.objects.create(escalation=escalation, level=0, round=0, step=step, due_at=NOW, **made)
        if number:
            acknowledge_escalation(actor=Actor.of_user(ana, via="web"), escalation=escalation, now=NOW)
    [row] = report(asked()).sources
    assert (row.tally.paged, row.tally.pages, row.tally.unanswered, row.tally.unanswered_percent) == (4, 2, 2, 50)


def test_those_that_flapped_are_counted_once() -> None:
    flapping = alert()
    for _ in range(2):
        AlertEntry.objects.create(alert=flapping, at=NOW, kind="flapping", text="It flaps", author="Prometheus")
    made = report(asked())
    assert (made.total.flapping, made.sources[0].tally.flapping) == (1, 1)


def test_hours_are_those_of_the_reader_through_a_clock_change() -> None:
    alert(datetime(2026, 3, 28, 22, 30, tzinfo=UTC))  # Saturday 23:30 in Berlin
    alert(datetime(2026, 3, 29, 22, 30, tzinfo=UTC))  # Monday 00:30, an hour later by the clock
    made = report(asked(start=datetime(2026, 3, 28, tzinfo=UTC), end=datetime(2026, 3, 31, tzinfo=UTC), zone=BERLIN))
    assert (made.hours[5][23], made.hours[0][0], made.busiest) == (1, 1, 1)


def test_what_is_private_to_others_is_not_counted() -> None:
    alert(incident=incidents.incident(visibility=Incident.Visibility.PRIVATE))
    assert report(asked(actor=accounts.actor())).total.alerts == 0


def test_the_report_asks_the_same_number_of_queries_whatever_there_is() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            report(asked())
        return len(found)

    alert(route=alerts.route(), service=catalog.service())
    before = queries()
    for _ in range(5):
        alert(route=alerts.route(), service=catalog.service())
    assert queries() == before


def test_the_page_shows_the_report_and_says_what_is_wrong_with_its_days(client: Client) -> None:
    client.force_login(accounts.user(role=Role.VIEWER))
    alert(source=alerts.source(name="Prometheus"), noise="noise")
    shown = client.get(reverse("alerts:noise"), {"first": "2026-03-01", "last": "2026-03-31"}).content.decode()
    for words in ("Prometheus", "100%", "By route", "No route"):
        assert words in shown
    assert client.get(reverse("alerts:noise"), {"first": "2026-03-31", "last": "2026-03-01"}).status_code == 400
    assert "No alert fired" in client.get(reverse("alerts:noise"), {"last": "2020-01-01"}).content.decode()


def test_the_report_is_in_rest() -> None:
    key = accounts.api_key(accounts.user(), Scope.READ)
    client = Client(headers={"authorization": f"Bearer {key}"})
    alert(source=alerts.source(name="Prometheus"), noise="noise")
    made = client.get("/api/v1/noise/?first=2026-03-01&last=2026-03-31").json()
    assert (made["sources"][0]["name"], made["total"]["noise_share"]) == ("Prometheus", 1.0)
    assert client.get("/api/v1/noise/?first=yesterday").status_code == 400
