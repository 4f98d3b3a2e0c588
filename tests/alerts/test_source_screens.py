"""The pages of sources, of what they sent, of outcomes; trying a source; what failed. On screen and in the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, Scope
from alerts.dialects import DIALECTS
from alerts.failed_events import retry_failed, retry_raw_event, set_aside_raw_event
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, RawEvent
from alerts.receive import accept
from alerts.traffic import DAYS_SHOWN
from alerts.trying import can_be_tried, resolve_test_event, send_test_event
from events.errors import Conflict, NotAllowed
from events.models import Event
from tests.factories import accounts, alerts

pytestmark = pytest.mark.django_db
TRIED = [name for name, dialect in DIALECTS.items() if dialect.sample is not None]


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(accounts.user(role=Role.MANAGER))
    return client


@pytest.fixture
def api(client: Client) -> Any:
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ, Scope.ALERTS)

    def call(method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json", headers=headers)

    return call


def page(client: Client, name: str, *args: Any, **more: Any) -> str:
    response = client.get(reverse(name, args=args), **more)
    assert response.status_code == 200
    return response.content.decode()


def failed(source: AlertSource, **fields: Any) -> RawEvent:
    now = timezone.now()
    defaults = {"received_at": now, "due_at": now, "body": b'{"title": "Disk full"}', "event_count": 1}
    state = {"state": RawEvent.State.FAILED, "error": "KeyError: 'labels'", "attempts": 5}
    return RawEvent.objects.create(source=source, **{**defaults, **state, **fields})


# --- Trying a source --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", TRIED)
def test_the_sample_of_every_format_fires_and_what_it_opened_can_be_resolved(dialect: str) -> None:
    secret = "shared" if DIALECTS[dialect].check is not None else ""
    source = alerts.source(dialect, signing_secret=secret)
    boss, now = accounts.actor(Role.MANAGER), timezone.now()
    raw = send_test_event(actor=boss, source=source, now=now)
    process_raw_events(now)
    raw.refresh_from_db()
    assert (raw.state, raw.error) == (RawEvent.State.DONE, "")
    assert Alert.objects.filter(source=source, status=Alert.Status.FIRING).exists()
    for _again in range(2):
        assert all(alert.status == "resolved" for alert in resolve_test_event(actor=boss, raw_event=raw, now=now))
    assert not Alert.objects.filter(status=Alert.Status.FIRING).exists()


def test_only_managers_try_a_source_and_only_one_that_hears(source: AlertSource) -> None:
    now = timezone.now()
    with pytest.raises(NotAllowed):
        send_test_event(actor=accounts.actor(Role.RESPONDER), source=source, now=now)
    boss = accounts.actor(Role.MANAGER)
    with pytest.raises(Conflict):
        send_test_event(actor=boss, source=alerts.source(is_enabled=False), now=now)
    with pytest.raises(Conflict):
        send_test_event(actor=boss, source=alerts.source("heartbeat"), now=now)
    assert not can_be_tried(alerts.source("heartbeat"))


def test_a_test_is_not_over_before_it_was_taken_in_and_nobody_ends_what_a_sender_sent(source: AlertSource) -> None:
    boss, now = accounts.actor(Role.MANAGER), timezone.now()
    raw = send_test_event(actor=boss, source=source, now=now)
    with pytest.raises(Conflict):
        resolve_test_event(actor=boss, raw_event=raw, now=now)
    accept([alerts.post(source, {"title": "Real"})], now)
    process_raw_events(now)
    with pytest.raises(Conflict):
        resolve_test_event(actor=boss, raw_event=RawEvent.objects.latest("pk"), now=now)


def test_a_test_is_sent_and_resolved_from_the_page(manager: Client, source: AlertSource) -> None:
    response = manager.post(reverse("alerts:source-test", args=[source.slug]))
    raw = RawEvent.objects.get()
    assert response.headers["Location"] == reverse("alerts:raw-event", args=[raw.pk])
    assert "hx-trigger" in page(manager, "alerts:raw-event", raw.pk)
    process_raw_events(timezone.now())
    shown = page(manager, "alerts:raw-event", raw.pk)
    assert "Resolve the test" in shown
    assert source.token not in shown
    manager.post(reverse("alerts:raw-event-resolve", args=[raw.pk]))
    assert Alert.objects.get().status == Alert.Status.RESOLVED


# --- Making a source --------------------------------------------------------------------------------------------------


def test_who_sends_is_chosen_first_and_the_name_is_free(manager: Client) -> None:
    cards = page(manager, "alerts:source-new")
    for name in TRIED:
        assert f"?dialect={name}" in cards
        assert DIALECTS[name].about
        assert escape(DIALECTS[name].about) in cards
    alerts.source("grafana", name="Grafana alerting", slug="grafana")
    form = page(manager, "alerts:source-new", data={"dialect": "grafana"})
    assert 'value="Grafana alerting 2"' in form
    data = {"name": "Ours", "dialect": "grafana", "kept_days": "7", "is_enabled": "on"}
    response = manager.post(reverse("alerts:source-new"), data)
    made = AlertSource.objects.get(slug="ours")
    assert response.headers["Location"] == reverse("alerts:source", args=["ours"])
    assert (made.dialect, made.kept_days) == ("grafana", 7)
    assert made.token in page(manager, "alerts:source", "ours")


@pytest.mark.parametrize("days", ["0", "4000", ""])
def test_days_that_make_no_sense_are_refused(manager: Client, days: str) -> None:
    data = {"name": "Ours", "dialect": "grafana", "kept_days": days, "is_enabled": "on"}
    assert manager.post(reverse("alerts:source-new"), data).status_code == 422


# --- What came --------------------------------------------------------------------------------------------------------


def test_the_last_events_are_fetched_again_only_when_one_has_changed(manager: Client, source: AlertSource) -> None:
    accept([alerts.post(source, {"title": "Disk full"})], timezone.now())
    address = reverse("alerts:source-events", args=[source.slug])
    shown = manager.get(address)
    seen = shown.content.decode().partition("?seen=")[2].partition('"')[0]
    assert manager.get(address, {"seen": seen}).status_code == 204
    process_raw_events(timezone.now())
    again = manager.get(address, {"seen": seen})
    assert again.status_code == 200
    assert f"/alerts/{Alert.objects.get().pk}/" in again.content.decode()


def test_the_page_of_a_source_costs_the_same_however_much_came(
    manager: Client, source: AlertSource, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        accept([alerts.post(source, {"title": f"Disk {number}"})], timezone.now())
    process_raw_events(timezone.now())
    page(manager, "alerts:source", source.slug)
    with django_assert_max_num_queries(17):
        page(manager, "alerts:source", source.slug)
    with django_assert_max_num_queries(9):
        manager.get(reverse("alerts:source-events", args=[source.slug]))


def test_each_of_the_last_days_is_counted(manager: Client, source: AlertSource) -> None:
    accept([alerts.post(source, [{"title": "a"}, {"title": "b"}])], timezone.now())
    accept([alerts.post(source, {"title": "c"})], timezone.now() - timedelta(days=DAYS_SHOWN + 1))
    shown = page(manager, "alerts:source-days", source.slug)
    assert shown.count("<tr>") == DAYS_SHOWN + 1
    assert shown.count('value="2"') == 1
    assert shown.count('value="0"') == DAYS_SHOWN - 1


def test_what_was_refused_is_shown_with_its_reason_and_a_sample(manager: Client, source: AlertSource) -> None:
    accept([alerts.post(source, {"severity": "critical"})], timezone.now())
    for address in (reverse("alerts:source", args=[source.slug]), reverse("alerts:outcomes")):
        shown = manager.get(address).content.decode()
        assert "A title is needed." in shown
        assert "Say in a few words what is wrong." in shown
        assert "{&quot;severity&quot;: &quot;critical&quot;}" in shown


@pytest.mark.parametrize("name", ["source-events", "source-days", "raw-event", "outcomes"])
def test_what_sources_sent_is_for_managers_eyes(client: Client, source: AlertSource, name: str) -> None:
    client.force_login(accounts.user(role=Role.RESPONDER))
    args = {"raw-event": [failed(source).pk], "outcomes": []}.get(name, [source.slug])
    assert client.get(reverse(f"alerts:{name}", args=args)).status_code == 403


# --- What became of it ------------------------------------------------------------------------------------------------


def test_outcomes_are_counted_for_a_period_and_a_source(manager: Client, source: AlertSource) -> None:
    now = timezone.now()
    accept([alerts.post(source, [{"title": "a"}, {"title": "a"}])], now)
    accept([alerts.post(source, {"title": "old"})], now - timedelta(hours=3))
    accept([alerts.post(alerts.source(), {"title": "b"})], now)
    process_raw_events(now)
    assert "Nothing is lost" in page(manager, "alerts:outcomes")
    told = {
        query: manager.get(reverse("alerts:outcomes"), {"period": query, "source": source.slug}).context["ledger"]
        for query in ("hour", "day", "week")
    }
    assert {query: ledger.accepted for query, ledger in told.items()} == {"hour": 2, "day": 3, "week": 3}
    assert told["hour"].by_outcome == {"recorded": 1, "deduplicated": 1}


def test_the_page_of_outcomes_costs_the_same_however_many_sources_there_are(
    manager: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        accept([alerts.post(alerts.source(), {"title": f"Disk {number}"})], timezone.now())
        failed(alerts.source())
    process_raw_events(timezone.now())
    page(manager, "alerts:outcomes")
    with django_assert_max_num_queries(21):
        page(manager, "alerts:outcomes")


def test_a_failed_event_is_on_every_page_until_it_is_done_or_set_aside(manager: Client, source: AlertSource) -> None:
    raw = failed(source)
    assert "could not be processed" in page(manager, "alerts:sources")
    assert "KeyError" in page(manager, "alerts:outcomes")
    manager.post(reverse("alerts:raw-event-set-aside", args=[raw.pk]), {"next": "https://elsewhere.example.com/"})
    raw.refresh_from_db()
    assert raw.state == RawEvent.State.SET_ASIDE
    assert "could not be processed" not in page(manager, "alerts:sources")
    response = manager.post(reverse("alerts:raw-event-retry", args=[raw.pk]), {"next": "/alerts/outcomes/"})
    assert response.headers["Location"] == "/alerts/outcomes/"
    process_raw_events(timezone.now())
    raw.refresh_from_db()
    assert raw.state == RawEvent.State.DONE
    assert set(Event.objects.filter(subject_type="alerts.rawevent").values_list("name", flat=True)) == {
        "raw_event.set_aside",
        "raw_event.retried",
    }


def test_all_that_failed_is_tried_again_of_one_source_or_of_all(manager: Client, source: AlertSource) -> None:
    mine, others = [failed(source) for _ in range(2)], [failed(alerts.source()) for _ in range(3)]
    manager.post(reverse("alerts:failed-retry"), {"source": source.slug})
    assert RawEvent.objects.filter(state=RawEvent.State.PENDING).count() == len(mine)
    assert retry_failed(actor=accounts.actor(Role.MANAGER), now=timezone.now()) == len(others)
    assert retry_failed(actor=accounts.actor(Role.MANAGER), now=timezone.now()) == 0


def test_only_managers_decide_about_what_failed(source: AlertSource) -> None:
    raw, nobody, now = failed(source), accounts.actor(Role.RESPONDER), timezone.now()
    with pytest.raises(NotAllowed):
        retry_failed(actor=nobody, now=now)
    with pytest.raises(NotAllowed):
        retry_raw_event(actor=nobody, raw_event=raw, now=now)
    with pytest.raises(NotAllowed):
        set_aside_raw_event(actor=nobody, raw_event=raw)


# --- The API ----------------------------------------------------------------------------------------------------------


def test_a_source_is_tried_through_the_api(api: Any, source: AlertSource) -> None:
    sent = api("post", f"alert-sources/{source.slug}/test/")
    assert (sent.status_code, sent.json()["is_test"], sent.json()["state"]) == (202, True, "pending")
    process_raw_events(timezone.now())
    whole = api("get", f"raw-events/{sent.json()['id']}/").json()
    assert whole["outcomes"][0]["outcome"] == "recorded"
    assert "Payment API" in whole["text"]
    assert "payments-500" in whole["text"]
    assert api("post", f"raw-events/{whole['id']}/resolve-test/").status_code == 200
    assert Alert.objects.get().status == Alert.Status.RESOLVED
    days = api("get", f"alert-sources/{source.slug}/days/").json()
    assert [day["events"] for day in days] == [1, *[0] * (DAYS_SHOWN - 1)]


def test_outcomes_rejections_and_failures_are_in_the_api(api: Any, source: AlertSource) -> None:
    accept([alerts.post(source, {"title": "a"}), alerts.post(source, {"severity": "high"})], timezone.now())
    process_raw_events(timezone.now())
    raw = failed(source)
    told = api("get", f"alert-outcomes/?source={source.slug}").json()
    assert (told["accepted"], told["outcomes"], told["failed"], told["holds"]) == (2, {"recorded": 1}, 1, True)
    [rejection] = api("get", "alert-rejections/?q=title").json()["results"]
    assert (rejection["count"], rejection["message"], rejection["sample"]) == (
        1,
        "A title is needed.",
        '{"severity": "high"}',
    )
    assert api("post", f"raw-events/{raw.pk}/set-aside/").json()["state"] == "set_aside"
    assert api("post", f"raw-events/{raw.pk}/retry/").json()["state"] == "pending"
    assert api("post", "raw-events/retry-failed/", {}).json() == {"number": 0}
    assert api("patch", f"alert-sources/{source.slug}/", {"kept_days": 3}).json()["kept_days"] == 3


@pytest.mark.parametrize("query", ["since=2026-01-02&until=2026-01-01", "since=2020-01-01T00:00Z", "source=nobody"])
def test_a_period_that_makes_no_sense_is_refused(api: Any, query: str) -> None:
    assert api("get", f"alert-outcomes/?{query}").status_code == 400
