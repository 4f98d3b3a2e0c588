"""Heartbeats: late is an alert, back resolves it, and a Sitrep that was away hears first and judges then."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import Role
from alerts import heartbeats
from alerts.heartbeats import check_heartbeats, ping_heartbeats, save_heartbeat, switch_heartbeat
from alerts.models import Alert, AlertSource, Heartbeat
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall.engine import beat
from oncall.models import Escalation, Page
from tests.factories import accounts, alerts, catalog, oncall

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def heartbeat(now: datetime) -> Heartbeat:
    """Pinged at `now`; late two minutes later."""
    made = alerts.heartbeat(name="Nightly backup")
    ping_heartbeats(ids=[made.pk], now=now, sender="curl/8.5")
    made.refresh_from_db()
    return made


def checked(at: datetime) -> int:
    """A check at this instant by a Sitrep that has checked all the time."""
    beat(heartbeats.BEAT, at - timedelta(seconds=2))
    return check_heartbeats(at)


@contextmanager
def told(*names: str) -> Iterator[None]:
    """Exactly these facts are published inside."""
    before = Event.objects.count()
    yield
    assert list(Event.objects.order_by("id").values_list("name", flat=True)[before:]) == list(names)


def state(heartbeat: Heartbeat) -> str:
    heartbeat.refresh_from_db()
    return heartbeat.state


def test_one_that_never_pinged_is_not_waited_for(now: datetime) -> None:
    heartbeat = alerts.heartbeat()
    assert (state(heartbeat), heartbeat.due_at, heartbeat.source.dialect) == ("new", None, "heartbeat")
    assert checked(now) == 0


def test_pings_keep_it_on_time_and_are_no_facts_of_their_own(heartbeat: Heartbeat, now: datetime) -> None:
    with told():
        for number in range(1, 5):
            ping_heartbeats(ids=[heartbeat.pk], now=now + number * MINUTE)
            checked(now + number * MINUTE + timedelta(seconds=59))
    assert state(heartbeat) == "on_time"
    assert heartbeat.due_at == now + 6 * MINUTE


def test_late_is_an_alert_that_pages_once_and_back_resolves_it_on_the_ping(heartbeat: Heartbeat, now: datetime) -> None:
    user = accounts.user()
    oncall.contact_method(user)
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(user)))
    assert checked(now + 2 * MINUTE - timedelta(seconds=1)) == 0
    assert [checked(now + 2 * MINUTE + number * MINUTE) for number in range(3)] == [1, 0, 0]
    alert = Alert.objects.get()
    assert (alert.title, alert.severity, alert.status) == ("Nightly backup is not heard of", "critical", "firing")
    assert alert.dedup_key == f"heartbeat:{heartbeat.pk}"
    assert "last heard of at 2026-03-14 09:26:53 UTC" in alert.description
    assert alert.attributes["last_ping_from"] == "curl/8.5"
    assert Page.objects.get().user == user
    assert state(heartbeat) == "late"
    assert heartbeat.late_since == now + 2 * MINUTE

    ping_heartbeats(ids=[heartbeat.pk], now=now + 10 * MINUTE)
    alert.refresh_from_db()
    assert (alert.status, alert.resolved_at, state(heartbeat)) == ("resolved", now + 10 * MINUTE, "on_time")
    assert Escalation.objects.get().status == "resolved"
    assert Event.objects.get(name="heartbeat.back").data == {"name": "Nightly backup", "missed_seconds": 480}
    assert checked(now + 12 * MINUTE) == 1
    assert Alert.objects.count() == 2


def test_the_alert_is_of_its_service_and_says_what_its_message_says(now: datetime) -> None:
    service = catalog.service(slug="backups")
    heartbeat = alerts.heartbeat(service=service, message="No backup tonight", severity="warning")
    ping_heartbeats(ids=[heartbeat.pk], now=now)
    checked(now + 5 * MINUTE)
    alert = Alert.objects.get()
    assert (alert.title, alert.service, alert.severity) == ("No backup tonight", service, "warning")


def test_many_pings_are_one_statement(now: datetime) -> None:
    ids = [alerts.heartbeat().pk for _ in range(5)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ping_heartbeats(ids=ids, now=now) == 5
    assert len([query for query in queries if "alerts_heartbeat" in query["sql"]]) == 1


def test_many_that_are_late_are_told_of_in_a_constant_number_of_statements(now: datetime) -> None:
    ping_heartbeats(ids=[alerts.heartbeat().pk for _ in range(2)], now=now)
    with CaptureQueriesContext(connection) as few:
        assert checked(now + 3 * MINUTE) == 2
    ping_heartbeats(ids=[alerts.heartbeat().pk for _ in range(20)], now=now + 4 * MINUTE)
    with CaptureQueriesContext(connection) as many:
        assert checked(now + 10 * MINUTE) == 20
    assert len(many) <= len(few)


def test_one_that_cannot_be_told_of_keeps_no_other_quiet(
    heartbeat: Heartbeat, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Heartbeat.objects.filter(pk=heartbeat.pk).update(tags={"not": "a list"}, service=None, severity="x" * 60)
    other = alerts.heartbeat()
    ping_heartbeats(ids=[other.pk], now=now)
    with connection.cursor() as cursor:
        # What the database refuses, whatever the reason may be some day.
        cursor.execute(
            "ALTER TABLE alerts_alert ADD CONSTRAINT broken CHECK (dedup_key <> %s) NOT VALID", [heartbeat.dedup_key]
        )
    assert checked(now + 2 * MINUTE) == 2
    assert (state(heartbeat), state(other)) == ("on_time", "late")
    assert heartbeat.due_at == now + 2 * MINUTE + heartbeats.RETRY_AFTER


def test_a_sitrep_that_was_away_gives_all_time_to_be_heard_again(heartbeat: Heartbeat, now: datetime) -> None:
    beat(heartbeats.BEAT, now)
    back = now + 30 * MINUTE
    assert check_heartbeats(back) == 0
    heartbeat.refresh_from_db()
    assert heartbeat.due_at == back + 2 * MINUTE
    assert checked(back + 2 * MINUTE) == 1
    assert (
        "Sitrep itself stood still from 2026-03-14 09:26:53 to 2026-03-14 09:56:53 UTC"
        in Alert.objects.get().description
    )


def test_what_was_not_expected_while_it_was_away_is_late_when_it_would_have_been(now: datetime) -> None:
    daily = alerts.heartbeat(interval_seconds=86400, grace_seconds=600)
    ping_heartbeats(ids=[daily.pk], now=now)
    beat(heartbeats.BEAT, now + MINUTE)
    check_heartbeats(now + 60 * MINUTE)
    daily.refresh_from_db()
    assert daily.due_at == now + timedelta(days=1, minutes=10)


def test_what_comes_seldom_is_waited_for_an_hour_and_then_told_of(now: datetime) -> None:
    daily = alerts.heartbeat(interval_seconds=86400, grace_seconds=600)
    ping_heartbeats(ids=[daily.pk], now=now - timedelta(days=1))
    beat(heartbeats.BEAT, now - MINUTE)
    check_heartbeats(now + 5 * MINUTE)
    daily.refresh_from_db()
    assert daily.due_at == now + timedelta(minutes=5 + 60 + 10)


def test_off_is_not_late_and_on_again_waits_anew(heartbeat: Heartbeat, now: datetime) -> None:
    checked(now + 3 * MINUTE)
    with told("alert.resolved", "heartbeat.disabled"):
        switch_heartbeat(actor=alerts.SYSTEM, heartbeat=heartbeat, is_enabled=False, now=now + 4 * MINUTE)
        switch_heartbeat(actor=alerts.SYSTEM, heartbeat=heartbeat, is_enabled=False, now=now + 4 * MINUTE)
    assert (state(heartbeat), Alert.objects.get().status) == ("disabled", "resolved")
    ping_heartbeats(ids=[heartbeat.pk], now=now + 5 * MINUTE)
    assert checked(now + 60 * MINUTE) == 0
    switch_heartbeat(actor=alerts.SYSTEM, heartbeat=heartbeat, is_enabled=True, now=now + 90 * MINUTE)
    heartbeat.refresh_from_db()
    assert heartbeat.due_at == now + 91 * MINUTE


def test_a_removed_one_leaves_no_alert_that_nothing_ends(heartbeat: Heartbeat, now: datetime) -> None:
    checked(now + 3 * MINUTE)
    heartbeats.remove_heartbeat(actor=alerts.SYSTEM, heartbeat=heartbeat, now=now + 4 * MINUTE)
    assert Alert.objects.get().status == "resolved"
    assert not Heartbeat.objects.exists()


def test_one_that_moves_to_another_source_takes_its_alert_along(heartbeat: Heartbeat, now: datetime) -> None:
    checked(now + 3 * MINUTE)
    other = alerts.source()
    fields = {"name": heartbeat.name, "interval_seconds": 60, "now": now + 4 * MINUTE}
    save_heartbeat(actor=alerts.SYSTEM, heartbeat=heartbeat, source=other, **fields)  # type: ignore[arg-type]
    checked(now + 6 * MINUTE)
    assert list(Alert.objects.order_by("id").values_list("status", "source")) == [
        ("resolved", heartbeat.source_id),
        ("firing", other.pk),
    ]


def test_managers_and_the_source_itself_may_change_it(heartbeat: Heartbeat, now: datetime) -> None:
    responder = Actor.of_user(accounts.user(role=Role.RESPONDER), via="web")
    own = Actor.of_alert_source(heartbeat.source_id, "Heartbeats")
    with pytest.raises(NotAllowed):
        switch_heartbeat(actor=responder, heartbeat=heartbeat, is_enabled=False, now=now)
    with pytest.raises(NotAllowed):
        switch_heartbeat(actor=Actor.of_alert_source(0, "x"), heartbeat=heartbeat, is_enabled=False, now=now)
    assert not switch_heartbeat(actor=own, heartbeat=heartbeat, is_enabled=False, now=now).is_enabled


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"name": " "}, "name"), ({"interval_seconds": 1}, "interval_seconds"), ({"grace_seconds": -1}, "grace_seconds")],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        alerts.heartbeat(**fields)
    assert refused.value.field == field


def test_a_name_is_single_within_a_source(heartbeat: Heartbeat) -> None:
    with pytest.raises(Conflict):
        alerts.heartbeat(name="nightly BACKUP")
    assert alerts.heartbeat(name="Nightly backup", source=alerts.source()).pk != heartbeat.pk


def test_those_of_a_source_that_is_off_are_not_told_of(heartbeat: Heartbeat, now: datetime) -> None:
    AlertSource.objects.update(is_enabled=False)
    assert checked(now + 5 * MINUTE) == 0


# --- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_its_address_hears_pings(method: str) -> None:
    heartbeat = alerts.heartbeat()
    answer = getattr(Client(enforce_csrf_checks=True, headers={"User-Agent": "cron"}), method)(
        f"/heartbeat/{heartbeat.token}"
    )
    assert answer.status_code == 200
    assert (state(heartbeat), heartbeat.last_ping_from) == ("on_time", "cron")


def test_a_token_that_no_heartbeat_has_is_not_found() -> None:
    assert Client().get("/heartbeat/nonsense").status_code == 404
    assert Client().put(f"/heartbeat/{alerts.heartbeat().token}").status_code == 405


def test_incidentios_address_hears_pings_with_the_token_as_bearer_or_in_the_query() -> None:
    heartbeat = alerts.heartbeat()
    address = f"/incidentio/v2/heartbeat/{heartbeat.pk}/ping"
    bearer = Client(headers={"Authorization": f"Bearer {heartbeat.token}"})
    assert [bearer.get(address).status_code, bearer.post(address).status_code] == [204, 204]
    assert Client().post(f"{address}?token={heartbeat.token}").status_code == 204
    assert state(heartbeat) == "on_time"


def test_incidentios_errors_are_its_own() -> None:
    address = f"/incidentio/v2/heartbeat/{alerts.heartbeat().pk}/ping"
    refused = Client().get(f"{address}?token=wrong")
    assert (refused.status_code, refused.json()["type"]) == (401, "authentication_error")
    assert refused.json()["errors"] == [{"code": "unauthenticated", "message": "Unauthenticated"}]
    assert Client().get("/incidentio/v2/heartbeat/999999/ping").json()["type"] == "not_found"
