"""What routes make of alerts: suppressed, left to wait, grouped, attached, declared, notified."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.ingest import process_raw_events
from alerts.later import look_at_held
from alerts.models import Alert, AlertGroup, AlertRoute, AlertSource, MaintenanceWindow, RawEvent
from alerts.routes import Notice
from events.actions import deliver_due
from events.models import Event
from incidents.actions import resolve_incident
from incidents.models import Incident
from oncall.actions import acknowledge_escalation
from oncall.models import Escalation, EscalationPolicy
from tests.factories import accounts, alerts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def send(source: AlertSource, now: datetime, **event: Any) -> str:
    """Sends one event, works it off and says what became of it."""
    body = json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode()
    raw = RawEvent.objects.create(source=source, received_at=now, due_at=now, body=body)
    process_raw_events(now)
    raw.refresh_from_db()
    assert not raw.error, raw.error
    return str(raw.outcomes[0]["outcome"])


def outcome_of(alert: Alert) -> str:
    """What its opening event says became of it now."""
    assert alert.first_raw_event is not None
    return str(alert.first_raw_event.outcomes[0]["outcome"])


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


@pytest.fixture
def policy() -> EscalationPolicy:
    user = accounts.user()
    oncall.contact_method(user)
    return oncall.policy(oncall.level(user))


def paging(policy: EscalationPolicy, **fields: Any) -> AlertRoute:
    """A route that pages a policy."""
    return alerts.route(paging="policy", escalation_policy=policy, **fields)


# --- Suppressing and waiting ------------------------------------------------------------------------------------------


def test_what_is_suppressed_is_kept_with_the_reason(source: AlertSource, now: datetime) -> None:
    alerts.route(paging="suppress", suppress_reason="Known: the old cluster goes away in June")
    assert send(source, now) == "suppressed"
    alert = Alert.objects.get()
    assert (alert.outcome, alert.routing_note) == ("suppressed", "Known: the old cluster goes away in June")
    assert not Escalation.objects.exists()


def test_an_alert_may_end_by_itself_before_anybody_is_paged(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy, wait_seconds=60)
    assert send(source, now) == "waiting"
    assert look_at_held(now + timedelta(seconds=59)) == 0
    assert send(source, now + timedelta(seconds=59), status="resolved") == "resolved"
    alert = Alert.objects.get()
    assert outcome_of(alert) == alert.outcome == "suppressed"
    assert look_at_held(now + MINUTE) == 0
    assert not Escalation.objects.exists()


@pytest.mark.parametrize("is_taken_alone", [False, True])
def test_what_ends_by_itself_may_come_together_with_what_began_it(
    source: AlertSource, policy: EscalationPolicy, now: datetime, is_taken_alone: bool
) -> None:
    paging(policy, wait_seconds=60)
    bodies: list[dict[str, Any]] = [{"title": "Disk full", "dedup_key": "disk"}]
    bodies.append({"dedup_key": "disk", "status": "resolved"})
    raws = [
        RawEvent.objects.create(source=source, received_at=now, due_at=now, body=json.dumps(body).encode())
        for body in bodies
    ]
    if is_taken_alone:
        # What can't be read makes all of them be taken one by one.
        RawEvent.objects.create(source=source, received_at=now, due_at=now, body=b"{")
    process_raw_events(now)
    told = [
        (raw.state, [each["outcome"] for each in raw.outcomes])
        for raw in RawEvent.objects.filter(pk__in=[each.pk for each in raws]).order_by("id")
    ]
    assert told == [("done", ["suppressed"]), ("done", ["resolved"])]
    assert (Alert.objects.get().status, Alert.objects.get().outcome) == ("resolved", "suppressed")
    assert not Escalation.objects.exists()


def test_what_has_not_ended_after_its_wait_pages(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    paging(policy, wait_seconds=60)
    send(source, now)
    assert send(source, now + timedelta(seconds=30)) == "deduplicated"
    assert look_at_held(now + MINUTE) == 1
    alert = Alert.objects.get()
    assert (alert.held, alert.due_at, alert.outcome, alert.count) == ("", None, "paged", 2)
    assert outcome_of(alert) == "paged"
    assert alert.escalation is not None
    assert alert.escalation.pages.get().due_at == now + MINUTE
    assert look_at_held(now + 2 * MINUTE) == 0


# --- Groups -----------------------------------------------------------------------------------------------------------


def test_alerts_of_one_group_share_one_escalation(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    paging(policy, group_by=["labels.cluster"], group_minutes=10)
    first = send(source, now, labels={"cluster": "eu"}, dedup_key="1")
    others = [send(source, now + MINUTE, labels={"cluster": where}, dedup_key=where) for where in ("eu", "us")]
    assert [first, *others] == ["paged", "grouped", "paged"]
    assert Escalation.objects.count() == AlertGroup.objects.count() == 2


def test_a_rolling_window_is_counted_from_the_newest_and_a_fixed_one_from_the_first(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    route = paging(policy, group_by=["labels.cluster"], group_minutes=10)
    for minutes in (0, 8, 16):
        send(source, now + minutes * MINUTE, labels={"cluster": "eu"}, dedup_key=str(minutes))
    assert Escalation.objects.count() == 1
    AlertRoute.objects.filter(pk=route.pk).update(group_window="fixed")
    for minutes in (100, 108, 116):
        send(source, now + minutes * MINUTE, labels={"cluster": "eu"}, dedup_key=str(minutes))
    assert Escalation.objects.count() == 3


def test_without_a_window_a_group_is_open_as_long_as_it_pages(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy, group_by=["source"])
    send(source, now, dedup_key="1")
    assert send(source, now + timedelta(hours=5), dedup_key="2") == "grouped"
    for key in ("1", "2"):
        send(source, now + timedelta(hours=6), dedup_key=key, status="resolved")
    assert send(source, now + timedelta(hours=7), dedup_key="3") == "paged"
    assert Escalation.objects.count() == 2


def test_one_that_joins_after_all_others_ended_pages_anew(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy, group_by=["source"], group_minutes=60)
    send(source, now, dedup_key="1")
    send(source, now + MINUTE, dedup_key="1", status="resolved")
    assert send(source, now + 2 * MINUTE, dedup_key="2") == "paged"
    assert AlertGroup.objects.count() == 1
    assert Escalation.objects.open().count() == 1


@pytest.mark.parametrize(
    ("joining", "severity", "pages"),
    [
        ("never", "critical", False),
        ("rises", "critical", True),
        ("rises", "warning", False),
        ("always", "warning", True),
    ],
)
def test_who_has_acknowledged_is_paged_again_for_one_that_joins_as_the_route_says(
    policy: EscalationPolicy, now: datetime, joining: str, severity: str, *, pages: bool
) -> None:
    source = alerts.source()
    paging(policy, group_by=["source"], joining=joining)
    send(source, now, severity="warning", dedup_key="1")
    escalation = Escalation.objects.get()
    acknowledge_escalation(actor=accounts.actor(), escalation=escalation, now=now)
    send(source, now + MINUTE, severity=severity, dedup_key="2")
    escalation.refresh_from_db()
    assert escalation.status == ("triggered" if pages else "acknowledged")
    assert escalation.alerts.count() == 2


def test_alerts_that_say_nothing_of_what_groups_them_stand_alone(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy, group_by=["labels.cluster"])
    assert [send(source, now, dedup_key=key) for key in "12"] == ["paged", "paged"]
    assert not AlertGroup.objects.exists()


def test_a_group_ends_with_its_incident(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    paging(policy, declares_incident=True, severity=incidents.severity("sev1"), group_by=["labels.cluster"])
    send(source, now, labels={"cluster": "eu"}, dedup_key="1")
    assert send(source, now, labels={"cluster": "eu"}, dedup_key="2") == "attached"
    resolve_incident(actor=accounts.actor(), incident=Incident.objects.get(), now=now + MINUTE)
    assert send(source, now + 2 * MINUTE, labels={"cluster": "eu"}, dedup_key="3") == "paged"
    assert Incident.objects.count() == 2


# --- Whom it pages, and which incident --------------------------------------------------------------------------------


def test_a_route_pages_the_policy_of_the_alerts_team(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    team = accounts.team(name="Payments")
    EscalationPolicy.objects.filter(pk=policy.pk).update(team=team)
    alerts.route(paging="team")
    assert send(source, now, dedup_key="1") == "recorded"
    catalog.service(slug="pay", team=team)
    assert send(source, now, service="pay", dedup_key="2") == "paged"


def test_an_alert_attaches_to_the_open_incident_of_its_service(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    service = catalog.service(slug="pay", escalation_policy=policy)
    alerts.route(paging="service", attaches_to_open=True)
    assert send(source, now, service="pay", dedup_key="1") == "paged"
    incident = incidents.incident(services=[service], now=now)
    assert send(source, now, service="pay", dedup_key="2") == "paged", "nobody is paged for that incident yet"
    assert send(source, now, service="pay", dedup_key="3") == "attached"
    assert set(incident.alerts.values_list("dedup_key", flat=True)) == {"2", "3"}
    assert Escalation.objects.count() == 2


def test_an_incident_gets_its_severity_by_map_and_its_words_by_template(source: AlertSource, now: datetime) -> None:
    alerts.route(
        declares_incident=True,
        severity=incidents.severity("sev3"),
        severity_map={"critical": "sev1"},
        in_triage=True,
        name_template="{{ labels.host | upcase }}: {{ title }}",
        summary_template="Fired on {{ source_name }}",
        group_by=[],
    )
    send(source, now, severity="Critical", labels={"host": "db-1"}, dedup_key="1")
    send(source, now, severity="warning", dedup_key="2")
    first, second = Incident.objects.order_by("number")
    assert (first.name, first.summary) == ("DB-1: Disk full", f"Fired on {source.name}")
    assert (first.severity.slug, second.severity.slug) == ("sev1", "sev3")
    assert first.status.category == "triage"


def test_a_route_that_continues_notifies_and_leaves_paging_to_the_next(
    source: AlertSource, policy: EscalationPolicy, now: datetime, mailoutbox: list[Any]
) -> None:
    lead = accounts.user()
    oncall.contact_method(lead)
    first = alerts.route(continues=True, notices=[Notice("user", user=lead)])
    paging(policy)
    assert send(source, now) == "paged"
    told = Event.objects.get(name="alert.noticed")
    assert told.data == {"notice": first.notices.get().pk, "route": first.name}
    deliver_due(told.occurred_at)
    assert [mail.to for mail in mailoutbox if "Disk full" in mail.subject] == [[lead.email]]
    assert Alert.objects.get().entries.get(kind="told").author == first.name


def test_what_nobody_knows_is_told_and_still_pages(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy)
    assert send(source, now, service="paymnts") == "paged"
    alert = Alert.objects.get()
    assert alert.unresolved == [{"field": "service", "text": "paymnts"}]
    assert Escalation.objects.get().facts["unknown"] == "service paymnts"


def test_working_hours_can_be_asked_for(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    schedule = oncall.schedule(accounts.user())
    fact = f"working_hours.{schedule.slug}"
    alerts.route({"fact": fact, "operator": "is", "value": False}, paging="suppress", suppress_reason="Night")
    paging(policy)
    monday = datetime.fromisoformat("2026-03-16T11:00:00+00:00")
    assert send(source, monday, dedup_key="1") == "paged"
    assert send(source, monday + timedelta(hours=12), dedup_key="2") == "suppressed"


# --- Maintenance windows ----------------------------------------------------------------------------------------------


def window(now: datetime, **fields: Any) -> MaintenanceWindow:
    """One that has begun and lasts for an hour."""
    until = now + timedelta(hours=1)
    return MaintenanceWindow.objects.create(
        name="Upgrade",
        author="Ada",
        starts_at=now,
        ends_at=until,
        from_at=now,
        until_at=until,
        created_at=now,
        **fields,
    )


def test_an_alert_is_muted_by_a_window_and_pages_when_it_still_fires_at_its_end(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy)
    upgrade = window(now, conditions={"fact": "labels.cluster", "operator": "is", "value": "eu"})
    assert send(source, now, labels={"cluster": "us"}, dedup_key="us") == "paged"
    assert send(source, now, labels={"cluster": "eu"}, dedup_key="eu") == "suppressed"
    assert send(source, now, labels={"cluster": "eu"}, dedup_key="over") == "suppressed"
    send(source, now + MINUTE, dedup_key="over", status="resolved")
    muted = Alert.objects.get(dedup_key="eu")
    assert (muted.held, muted.muted_by, muted.due_at) == ("muted", upgrade, upgrade.until_at)
    assert muted.routing_note == "Muted by “Upgrade” of Ada"
    assert look_at_held(now + timedelta(minutes=59)) == 0
    assert look_at_held(now + timedelta(minutes=60)) == 1
    muted.refresh_from_db()
    assert (muted.held, muted.outcome, muted.muted_by) == ("", "paged", upgrade)
    assert outcome_of(muted) == "paged"
    assert outcome_of(Alert.objects.get(dedup_key="over")) == "suppressed"
    assert Escalation.objects.count() == 2


def test_a_window_is_for_the_services_and_sources_that_it_names(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy)
    service = catalog.service(slug="pay")
    window(now).services.add(service)
    assert send(source, now, dedup_key="1") == "paged"
    assert send(source, now, dedup_key="2", service="pay") == "suppressed"
    other = alerts.source()
    window(now).sources.add(other)
    assert send(other, now, dedup_key="3") == "suppressed"


# --- Again, and rising ------------------------------------------------------------------------------------------------


def test_a_repeat_that_is_worse_is_routed_again_if_nobody_was_paged(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy, conditions={"fact": "priority", "operator": "less", "value": 3})
    assert send(source, now, severity="warning") == "recorded"
    assert send(source, now + MINUTE, severity="critical") == "deduplicated"
    alert = Alert.objects.get()
    assert (alert.severity, alert.priority, alert.outcome, alert.count) == ("critical", 1, "paged", 2)
    assert alert.entries.get(kind="priority").text == "The priority rose from P3 to P1 (critical)"
    assert send(source, now + 2 * MINUTE, severity="info") == "deduplicated"
    alert.refresh_from_db()
    assert (alert.severity, Escalation.objects.count()) == ("critical", 1)


def test_a_repeat_that_is_worse_pages_whoever_has_acknowledged(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    paging(policy)
    send(source, now, severity="warning")
    acknowledge_escalation(actor=accounts.actor(), escalation=Escalation.objects.get(), now=now)
    send(source, now + MINUTE, severity="critical")
    assert Escalation.objects.get().status == Escalation.Status.TRIGGERED
