"""From raw events to alerts: dedup, resolve, re-fire, routing, and what goes wrong."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from alerts.ingest import ATTEMPTS, TAKEN_AT_ONCE, process_raw_events
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from alerts.tasks import process_raw_events_task
from catalog.models import Service
from events.models import Event
from incidents.models import Incident
from oncall.models import Escalation, EscalationPolicy, Page
from tests.factories import accounts, alerts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db


def send(source: AlertSource, now: datetime, **event: Any) -> RawEvent:
    """Stores an event as the door does, and works it off."""
    body = json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode()
    raw = RawEvent.objects.create(source=source, received_at=now, due_at=now, body=body)
    process_raw_events(now)
    raw.refresh_from_db()
    return raw


def outcome(raw: RawEvent) -> str:
    [only] = raw.outcomes
    return str(only["outcome"])


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


@pytest.fixture
def policy() -> EscalationPolicy:
    user = accounts.user()
    oncall.contact_method(user)
    return oncall.policy(oncall.level(user))


def test_repeats_are_counted_on_the_open_alert(source: AlertSource, now: datetime) -> None:
    told = [outcome(send(source, now + timedelta(seconds=number))) for number in range(3)]
    alert = Alert.objects.get()
    assert told == ["recorded", "deduplicated", "deduplicated"]
    assert (alert.count, alert.first_event_at, alert.last_event_at) == (3, now, now + timedelta(seconds=2))


def test_resolved_closes_and_a_later_event_fires_anew(source: AlertSource, now: datetime) -> None:
    send(source, now)
    assert outcome(send(source, now, status="resolved")) == "resolved"
    assert outcome(send(source, now, status="resolved")) == "nothing_open"
    assert outcome(send(source, now)) == "recorded"
    assert list(Alert.objects.order_by("id").values_list("status", flat=True)) == ["resolved", "firing"]


def test_the_same_key_from_another_source_is_another_alert(source: AlertSource, now: datetime) -> None:
    send(source, now)
    send(alerts.source(), now)
    assert Alert.objects.firing().count() == 2


def test_the_first_route_that_matches_pages_its_policy(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    alerts.route({"fact": "severity", "operator": "is", "value": "critical"}, paging="policy", escalation_policy=policy)
    alerts.route()
    assert outcome(send(source, now, severity="critical")) == "paged"
    assert outcome(send(source, now, severity="info", dedup_key="other")) == "recorded"
    escalation = Escalation.objects.get()
    assert (escalation.title, escalation.level, escalation.path["policy"]) == ("Disk full", 1, policy.name)
    assert escalation.pages.get().due_at == now


def test_a_route_can_declare_an_incident_that_is_paged_for(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    catalog.service(name="Payments", slug="payments", escalation_policy=policy)
    alerts.route(paging="service", declares_incident=True, severity=incidents.severity("sev1"))
    send(source, now, service="Payments", description="500s")
    alert = Alert.objects.get()
    incident = Incident.objects.get()
    assert (alert.incident, incident.name, incident.severity.slug) == (incident, "Disk full", "sev1")
    assert list(incident.services.values_list("slug", flat=True)) == ["payments"]
    assert list(incident.escalations.all()) == [alert.escalation]
    kinds = list(incident.timeline.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["declared", "service", "alert", "page"]


def test_a_second_alert_of_the_service_joins_the_open_incident(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    catalog.service(slug="payments", escalation_policy=policy)
    alerts.route(paging="service", declares_incident=True, severity=incidents.severity("sev1"))
    assert outcome(send(source, now, service="payments")) == "paged"
    assert outcome(send(source, now, service="payments", dedup_key="other")) == "attached"
    assert Incident.objects.count() == Escalation.objects.count() == 1


def test_the_escalation_ends_when_the_last_of_its_alerts_resolves(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    catalog.service(slug="payments", escalation_policy=policy)
    alerts.route(paging="service", declares_incident=True, severity=incidents.severity("sev1"))
    send(source, now, service="payments")
    send(source, now, service="payments", dedup_key="other")
    send(source, now, status="resolved")
    assert Escalation.objects.get().is_open
    send(source, now, status="resolved", dedup_key="other")
    assert Escalation.objects.get().status == Escalation.Status.RESOLVED
    assert Incident.objects.get().is_open


def test_an_alert_that_pages_nobody_says_why(source: AlertSource, now: datetime) -> None:
    Service.objects.create(name="Orphan", slug="orphan")
    alerts.route(paging="service")
    send(source, now, service="orphan")
    assert "has no escalation policy" in Alert.objects.get().routing_note
    assert Event.objects.filter(name="alert.paged_nobody").exists()


def test_an_unknown_service_still_routes_and_is_named(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    alerts.route({"fact": "service", "operator": "is", "value": "mystery"}, paging="policy", escalation_policy=policy)
    assert outcome(send(source, now, service="mystery")) == "paged"
    alert = Alert.objects.get()
    assert (alert.service, alert.service_named) == (None, "mystery")


def test_an_event_that_fails_is_set_aside_with_its_reason_and_holds_up_no_other(
    source: AlertSource, now: datetime
) -> None:
    route = alerts.route(declares_incident=True, severity=incidents.severity())
    AlertRoute.objects.filter(pk=route.pk).update(conditions={"fact": "title", "operator": "no such operator"})
    raw = send(source, now)
    assert raw.state == RawEvent.State.PENDING
    assert "KeyError" in raw.error
    for number in range(1, ATTEMPTS):
        process_raw_events(now + timedelta(hours=number))
    raw.refresh_from_db()
    assert (raw.state, raw.attempts) == (RawEvent.State.FAILED, ATTEMPTS)
    AlertRoute.objects.all().delete()
    assert outcome(send(source, now, dedup_key="other")) == "recorded"


def test_one_alert_costs_at_most_a_known_number_of_statements(
    source: AlertSource, policy: EscalationPolicy, now: datetime, django_assert_max_num_queries: Any
) -> None:
    alerts.route(paging="policy", escalation_policy=policy)
    with django_assert_max_num_queries(23):
        send(source, now)


def store(source: AlertSource, now: datetime, *events: dict[str, Any]) -> list[RawEvent]:
    """Events that have come in and wait."""
    bodies = [json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode() for event in events]
    return [RawEvent.objects.create(source=source, received_at=now, due_at=now, body=body) for body in bodies]


def outcomes(raws: list[RawEvent]) -> list[str]:
    return [outcome(RawEvent.objects.get(pk=raw.pk)) for raw in raws]


def test_what_comes_together_is_told_apart(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    alerts.route(paging="policy", escalation_policy=policy)
    over = {"status": "resolved"}
    raws = store(source, now, {}, {}, {"dedup_key": "cpu"}, over, over, {}, {"dedup_key": "cpu"})
    assert process_raw_events(now) == 7
    told = ["paged", "deduplicated", "paged", "resolved", "nothing_open", "paged", "deduplicated"]
    assert outcomes(raws) == told
    first, second, third = Alert.objects.order_by("id")
    assert [(each.dedup_key, each.status, each.count) for each in (first, second, third)] == [
        ("disk", "resolved", 2),
        ("cpu", "firing", 2),
        ("disk", "firing", 1),
    ]
    ids = [RawEvent.objects.get(pk=raw.pk).outcomes[0]["alert"] for raw in raws]
    assert ids == [first.pk, first.pk, second.pk, first.pk, None, third.pk, second.pk]
    assert first.escalation is not None
    assert first.escalation.status == Escalation.Status.RESOLVED
    assert {second.escalation.is_open, third.escalation.is_open} == {True}  # type: ignore[union-attr]  # both page


def test_alerts_of_one_service_that_come_together_share_an_incident_and_its_pages(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    catalog.service(slug="payments", escalation_policy=policy)
    catalog.service(slug="search", escalation_policy=policy)
    alerts.route(paging="service", declares_incident=True, severity=incidents.severity("sev1"))
    raws = store(
        source,
        now,
        *({"dedup_key": str(number), "service": service} for number, service in enumerate(["payments", "search"] * 2)),
    )
    process_raw_events(now)
    assert outcomes(raws) == ["paged", "paged", "attached", "attached"]
    assert Incident.objects.count() == Escalation.objects.count() == 2
    of_payments = Alert.objects.filter(service__slug="payments")
    assert len({(alert.incident_id, alert.escalation_id) for alert in of_payments}) == 1


def test_one_that_fails_does_not_take_those_with_it_that_came_together(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    bad = {"fact": "severity", "operator": "is", "value": "bad"}
    alerts.route(bad, declares_incident=True, severity=incidents.severity())
    alerts.route(paging="policy", escalation_policy=policy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alerts.routing.declare_incident", fail)
        raws = store(source, now, {"dedup_key": "1"}, {"dedup_key": "2", "severity": "bad"}, {"dedup_key": "3"})
        process_raw_events(now)
    states = [RawEvent.objects.get(pk=raw.pk).state for raw in raws]
    assert states == ["done", "pending", "done"]
    assert Alert.objects.filter(escalation__isnull=False).count() == 2


def fail(**_: Any) -> None:
    raise RuntimeError("no incident can be declared")


def test_a_storm_costs_no_more_statements_than_one_alert(
    source: AlertSource, policy: EscalationPolicy, now: datetime, django_assert_max_num_queries: Any
) -> None:
    alerts.route(paging="policy", escalation_policy=policy)
    store(source, now, *({"dedup_key": str(number)} for number in range(100)))
    with django_assert_max_num_queries(23):
        process_raw_events(now)
    assert Escalation.objects.count() == 100


@pytest.mark.django_db(transaction=True)
def test_the_first_of_a_storm_are_paged_for_while_the_rest_is_taken_in(
    source: AlertSource, policy: EscalationPolicy, now: datetime, valkey: redis.Redis
) -> None:
    alerts.route(paging="policy", escalation_policy=policy)
    store(source, now, *({"dedup_key": str(number)} for number in range(TAKEN_AT_ONCE + 1)))
    process_raw_events_task()
    assert Escalation.objects.count() == TAKEN_AT_ONCE + 1
    assert not Page.objects.exclude(state=Page.State.SENT).exists()
    [queued] = valkey.lrange("paging", 0, -1)
    assert b"oncall.send_pages" in queued, "once in the middle; at the end this task sends itself"


def test_repeats_of_open_alerts_cost_a_handful_of_statements(
    source: AlertSource, now: datetime, django_assert_max_num_queries: Any
) -> None:
    keys = [{"dedup_key": str(number % 50)} for number in range(150)]
    store(source, now, *keys[:50])
    process_raw_events(now)
    store(source, now, *keys)
    with django_assert_max_num_queries(6):
        process_raw_events(now)
    assert set(Alert.objects.values_list("count", flat=True)) == {4}


class TestAnyOrder(HypothesisTestCase):
    """Whatever comes in whichever order, a key has at most one firing alert, and the last event decides."""

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["firing", "resolved"])), max_size=25))
    def test_the_last_event_decides(self, events: list[tuple[str, str]]) -> None:
        now = datetime.fromisoformat("2026-03-14T09:26:53+00:00")
        source = alerts.source()
        for number, (key, status) in enumerate(events):
            send(source, now + timedelta(seconds=number), dedup_key=key, status=status)
        self.check(source, events)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["firing", "resolved"])), max_size=25))
    def test_the_same_when_they_are_taken_in_together(self, events: list[tuple[str, str]]) -> None:
        now = datetime.fromisoformat("2026-03-14T09:26:53+00:00")
        source = alerts.source()
        store(source, now, *({"dedup_key": key, "status": status} for key, status in events))
        process_raw_events(now)
        self.check(source, events)

    def check(self, source: AlertSource, events: list[tuple[str, str]]) -> None:
        last = dict(events)
        own = Alert.objects.filter(source=source)
        # What flaps counts as over once it is quiet (tests/alerts/test_ordering.py).
        firing = set(own.firing().exclude(held=Alert.Held.FLAPPING).values_list("dedup_key", flat=True))
        assert firing == {key for key, status in last.items() if status == "firing"}
        assert RawEvent.objects.filter(source=source, state=RawEvent.State.DONE).count() == len(events)
        assert sum(own.values_list("count", flat=True)) == sum(status == "firing" for _key, status in events)
