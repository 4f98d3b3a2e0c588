"""The ledger of outcomes: everything accepted has exactly one, each is true, and the audit finds what is not so."""

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from alerts.audit import GRACE, Ledger, audit_alerts, audit_newest, keep_alert_audit, last_alert_audit
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertSource, Outcome, RawEvent
from alerts.partitions import Month, make_month
from alerts.receive import accept
from alerts.tasks import audit_alerts_task
from config.gauges import measure
from tests.factories import accounts, alerts, oncall

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def month_of_now(now: datetime) -> None:
    """The tests' clock stands in a month of its own."""
    make_month(Month.of(now))


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


def take(source: AlertSource, now: datetime, *events: dict[str, Any]) -> RawEvent:
    """What a sender posts, through the door and worked off."""
    [reply] = accept([alerts.post(source, list(events))], now)
    assert reply.status == 202
    process_raw_events(now)
    return RawEvent.objects.latest("pk")


def of_the_day(now: datetime, **more: Any) -> Ledger:
    return audit_alerts(now - DAY, now + DAY, now, **more)


def firing(key: str, **more: Any) -> dict[str, Any]:
    return {"title": f"Disk {key}", "dedup_key": key, **more}


def test_what_was_accepted_is_the_sum_of_its_outcomes(source: AlertSource, now: datetime) -> None:
    alerts.route({"fact": "severity", "operator": "is", "value": "critical"}, **paging())
    take(source, now, firing("a", severity="critical"), firing("b"), firing("a"))
    take(source, now, firing("a", status="resolved"), firing("z", status="resolved"))
    ledger = of_the_day(now)
    assert ledger.holds, ledger.problems
    assert (ledger.bodies, ledger.accepted) == (2, 5)
    assert ledger.by_outcome == {"paged": 1, "recorded": 1, "deduplicated": 1, "resolved": 1, "nothing_open": 1}
    assert sum(ledger.by_outcome.values()) + sum(ledger.without_outcome.values()) == ledger.accepted


def paging() -> dict[str, Any]:
    person = accounts.user()
    oncall.contact_method(person)
    return {"paging": "policy", "escalation_policy": oncall.policy(oncall.level(person))}


def test_a_period_ends_just_before_its_end_and_a_source_is_counted_alone(source: AlertSource, now: datetime) -> None:
    take(source, now, firing("a"))
    take(alerts.source(), now, firing("a"), firing("b"))
    assert audit_alerts(now - MINUTE, now, now).accepted == 0
    assert audit_alerts(now, now + MINUTE, now).accepted == 3
    assert of_the_day(now, source_id=source.pk).accepted == 1


def test_what_waits_longer_than_a_minute_is_an_alarm_whenever_it_came(source: AlertSource, now: datetime) -> None:
    accept([alerts.post(source, [firing("a")])], now)
    ledger = audit_alerts(now, now + MINUTE, now + GRACE)
    assert (ledger.holds, ledger.without_outcome["waiting_to_be_processed"]) == (True, 1)
    ledger = audit_alerts(now + 5 * MINUTE, now + 6 * MINUTE, now + GRACE + timedelta(seconds=1))
    assert "1 requests wait for over a minute" in ledger.problems[0]


def test_what_has_failed_is_counted_and_is_not_lost(source: AlertSource, now: datetime) -> None:
    raw = take(source, now, firing("a"), firing("b"))
    RawEvent.objects.filter(pk=raw.pk).update(state=RawEvent.State.FAILED, outcomes=[], error="broken")
    ledger = of_the_day(now)
    assert (ledger.holds, ledger.accepted, ledger.without_outcome["failed"]) == (True, 2, 2)
    RawEvent.objects.filter(pk=raw.pk).update(state=RawEvent.State.SET_ASIDE)
    assert of_the_day(now).without_outcome == {"failed": 0, "set_aside": 2, "waiting_to_be_processed": 0}


@pytest.mark.parametrize("outcomes", [[], [{"outcome": "late"}] * 3])
def test_more_or_fewer_outcomes_than_events_are_found(
    source: AlertSource, now: datetime, outcomes: list[dict[str, Any]]
) -> None:
    raw = take(source, now, firing("a"), firing("b"))
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=outcomes)
    [problem] = of_the_day(now).problems
    assert "not as many outcomes as events" in problem
    assert f"#{raw.pk}" in problem


@pytest.mark.parametrize(
    "outcome",
    [
        "paged",
        "attached",
        "grouped",
        "waiting",
        "deduplicated",
        "resolved",
        "acknowledged",
        "changed",
        "nonsense",
        None,
    ],
)
def test_an_outcome_that_is_not_so_is_found(source: AlertSource, now: datetime, outcome: str | None) -> None:
    raw = take(source, now, firing("a"))
    # An alert that nobody was paged for and that waits for nothing, or none at all.
    alert = Alert.objects.get().pk if outcome in {"paged", "attached", "grouped"} else 0
    Alert.objects.update(outcome=outcome or "")
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=[{"outcome": outcome, "alert": alert}])
    [problem] = of_the_day(now).problems
    assert problem.startswith(f"1 events are said to be “{outcome or 'nothing'}”, and are not (#{raw.pk})")


def test_every_outcome_is_one_that_the_audit_knows(source: AlertSource, now: datetime) -> None:
    raw = take(source, now, firing("a"))
    for outcome in Outcome.values:
        RawEvent.objects.filter(pk=raw.pk).update(outcomes=[{"outcome": outcome, "alert": None}])
        told = set(of_the_day(now).by_outcome)
        assert told == {outcome}


def test_what_is_suppressed_says_why(source: AlertSource, now: datetime) -> None:
    raw = take(source, now, firing("a"))
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=[{"outcome": "suppressed", "alert": Alert.objects.get().pk}])
    Alert.objects.update(outcome="suppressed", routing_note="")
    assert not of_the_day(now).holds
    Alert.objects.update(routing_note="We know of it.")
    assert of_the_day(now).holds


def test_what_waits_is_due_and_not_long_past_it(source: AlertSource, now: datetime) -> None:
    raw = take(source, now, firing("a"))
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=[{"outcome": "waiting", "alert": Alert.objects.get().pk}])
    Alert.objects.update(outcome="waiting", held="waiting", due_at=now + MINUTE)
    assert of_the_day(now).holds
    assert of_the_day(now + 2 * MINUTE).holds
    late = of_the_day(now + 2 * MINUTE + timedelta(seconds=1)).problems
    assert [problem.partition(" ")[2][:24] for problem in late] == [
        "events are said to be “w",
        "alerts were to be looked",
    ]


def test_a_month_without_a_table_is_told(source: AlertSource, now: datetime) -> None:
    take(source, now, firing("a"))
    take(source, now + 60 * DAY, firing("a"))
    assert of_the_day(now).holds is False
    assert "no table of its own" in of_the_day(now + 60 * DAY).problems[0]


def test_the_minutes_round_looks_at_what_is_new_and_again_at_what_was_wrong(source: AlertSource, now: datetime) -> None:
    raw = take(source, now, firing("a"))
    keep_alert_audit(audit_newest(now + MINUTE))
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=[])
    broken = audit_newest(now + 2 * MINUTE)
    keep_alert_audit(broken)
    assert not broken.holds
    for minutes in (20, 60):
        again = audit_newest(now + minutes * MINUTE)
        keep_alert_audit(again)
        assert not again.holds
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=raw.outcomes)
    keep_alert_audit(audit_newest(now + 61 * MINUTE))
    mended = audit_newest(now + 62 * MINUTE)
    assert mended.holds
    assert mended.since > now + 50 * MINUTE


def test_after_a_pause_the_round_looks_at_all_of_it(source: AlertSource, now: datetime) -> None:
    keep_alert_audit(audit_newest(now))
    assert audit_newest(now + timedelta(hours=3)).since <= now
    assert audit_newest(now + 30 * DAY).since == now + 29 * DAY


def test_the_audit_is_kept_for_the_metric_and_the_banner(client: Client) -> None:
    audit_alerts_task()
    last = last_alert_audit()
    assert last is not None
    assert last.holds
    told = {gauge.name: gauge.samples[0][1] for gauge in measure(timezone.now())}
    assert told["sitrep_alert_audit_holds"] == 1
    raw = RawEvent.objects.create(source=alerts.source(), received_at=last.at, due_at=last.at, body=b"")
    RawEvent.objects.filter(pk=raw.pk).update(received_at=timezone.now() - 5 * MINUTE)
    audit_alerts_task()
    client.force_login(accounts.user(role=Role.MANAGER))
    assert "Alerts are not as they must be: 1 requests wait" in client.get("/alerts/sources/").content.decode()
    client.force_login(accounts.user(role=Role.RESPONDER))
    assert "Alerts are not as they must be" not in client.get("/alerts/sources/").content.decode()


def test_it_costs_the_same_few_queries_however_much_came_in(source: AlertSource, now: datetime) -> None:
    for number in range(5):
        take(source, now, firing(str(number)), firing("same"))
    with CaptureQueriesContext(connection) as queries:
        of_the_day(now)
    assert len(queries) == 5


def test_the_command_tells_the_sums_and_what_is_wrong(source: AlertSource) -> None:
    now = timezone.now()
    raw = take(source, now, firing("a"), firing("b"))
    printed = StringIO()
    call_command("audit_alerts", stdout=printed)
    assert "2  events accepted, in 1 requests" in printed.getvalue()
    assert "2  recorded" in printed.getvalue()
    RawEvent.objects.filter(pk=raw.pk).update(outcomes=[])
    printed = StringIO()
    with pytest.raises(CommandError):
        call_command("audit_alerts", "--json", f"--since={now.isoformat()}", f"--source={source.slug}", stdout=printed)
    told = json.loads(printed.getvalue())
    assert (told["accepted"], told["holds"], told["outcomes"]) == (2, False, {})
    assert "not as many outcomes" in told["problems"][0]


@pytest.mark.parametrize(
    "options", [["--since", "yesterday"], ["--since", "2026-13-01"], ["--source", "nobody"], ["--until", "2026-01-01"]]
)
def test_the_command_refuses_nonsense(options: list[str]) -> None:
    if options[0] == "--until":
        options = [*options, "--since", "2026-02-01"]
    with pytest.raises(CommandError):
        call_command("audit_alerts", *options)
