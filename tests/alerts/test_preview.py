"""What would become of a payload, and of the alerts there were under other routes."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.dialects import DialectError
from alerts.ingest import process_raw_events
from alerts.models import Alert, AlertGroup, AlertRoute, AlertSource, MaintenanceWindow, RawEvent
from alerts.preview import Foreseen, backtest, preview, with_draft
from alerts.routes import draft_route
from events.models import Event
from incidents.models import Incident
from oncall.models import Escalation, EscalationPolicy
from oncall.paging_tests import run_test
from tests.factories import accounts, alerts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db


def payload(source: AlertSource, now: datetime, **event: Any) -> RawEvent:
    """What a source could send; not stored."""
    body = json.dumps({"title": "Disk full", "dedup_key": "disk", **event}).encode()
    return RawEvent(source=source, received_at=now, due_at=now, body=body)


def only(source: AlertSource, now: datetime, **event: Any) -> Foreseen:
    [found] = preview(payload(source, now, **event), now)
    return found


@pytest.fixture
def source() -> AlertSource:
    return alerts.source()


@pytest.fixture
def policy() -> EscalationPolicy:
    user = accounts.user(name="Ana")
    oncall.contact_method(user)
    return oncall.policy(oncall.level(user))


def test_a_preview_tells_route_group_incident_and_who_would_be_paged(
    source: AlertSource, policy: EscalationPolicy, now: datetime
) -> None:
    service = catalog.service(slug="pay", escalation_policy=policy)
    alerts.route({"fact": "severity", "operator": "is", "value": "info"})
    declares = alerts.route(
        paging="service", declares_incident=True, severity=incidents.severity("sev1"), name_template="{{ title }}!"
    )
    found = only(source, now, service="pay", severity="critical")
    assert [(seen.route.pk == declares.pk, seen.holds, seen.decides) for seen in found.routes] == [
        (False, False, False),
        (True, True, True),
    ]
    assert found.words == [
        "It would open a group of service = pay.",
        "It would declare an incident, SEV1: Disk full!",
        f"It would page {policy} (high urgency).",
    ]
    assert found.simulation is not None
    assert [(page.name, page.seconds) for page in found.simulation.pages][:1] == [("Ana", 0)]
    assert service.alerts.count() == 0


def test_a_preview_writes_nothing(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    alerts.route(
        paging="policy",
        escalation_policy=policy,
        declares_incident=True,
        severity=incidents.severity(),
        group_by=["title"],
    )
    events = Event.objects.count()
    only(source, now)
    models = (Alert, AlertGroup, Escalation, Incident, RawEvent)
    assert [model.objects.exists() for model in models] == [False] * len(models)
    assert Event.objects.count() == events


def test_what_nobody_knows_and_what_fires_already_is_told(source: AlertSource, now: datetime) -> None:
    raw = payload(source, now)
    raw.save()
    process_raw_events(now)
    alert = Alert.objects.get()
    assert only(source, now, service="paymnts").words == [
        f"It would only be counted: alert {alert.pk} fires under the same key. If it did not:",
        "It does not know the service “paymnts”.",
        "No route matched: nobody was paged.",
    ]


def test_a_window_that_runs_is_foreseen_with_draft_routes_too(source: AlertSource, now: datetime) -> None:
    until = now + timedelta(hours=1)
    when = {"starts_at": now, "ends_at": until, "from_at": now, "until_at": until, "created_at": now}
    MaintenanceWindow.objects.create(name="Upgrade", author="Ada", **when)
    for routes in (None, with_draft(draft_route(name="New", conditions={}, paging="nobody"))):
        [found] = preview(payload(source, now), now, routes=routes)
        assert found.words == ["Muted by “Upgrade” of Ada; it pages at 2026-03-14 10:26 UTC if it still fires then."]


def test_what_the_dialect_cannot_read_is_an_error(source: AlertSource, now: datetime) -> None:
    with pytest.raises(DialectError):
        preview(RawEvent(source=source, body=b"[", received_at=now, due_at=now), now)


def test_a_draft_is_held_against_the_alerts_there_were(
    source: AlertSource, policy: EscalationPolicy, now: datetime, django_assert_num_queries: Any
) -> None:
    old = alerts.route(paging="policy", escalation_policy=policy)
    for number in range(6):
        payload(source, now, dedup_key=str(number), severity="critical" if number < 2 else "info").save()
    process_raw_events(now)
    draft = draft_route(
        route=AlertRoute.objects.get(pk=old.pk),
        name=old.name,
        conditions={"fact": "severity", "operator": "is", "value": "critical"},
        paging="policy",
    )
    routes = with_draft(draft)
    with django_assert_num_queries(2):
        found = backtest(routes, now + timedelta(days=1))
    assert (found.looked_at, found.changed, found.paging_before, found.paging_after) == (6, 4, 6, 2)
    assert all(each.before == old and each.after is None for each in found.differences)
    assert AlertRoute.objects.get(pk=old.pk).conditions == {}


def test_a_new_draft_stands_at_the_end(source: AlertSource, policy: EscalationPolicy, now: datetime) -> None:
    payload(source, now).save()
    process_raw_events(now)
    routes = with_draft(draft_route(name="New", conditions={}, paging="policy", escalation_policy=policy))
    found = backtest(routes, now)
    assert (found.changed, found.paging_before, found.paging_after) == (1, 0, 1)
    [foreseen] = preview(payload(source, now, dedup_key="2"), now, routes=routes)
    assert foreseen.policy == policy


@pytest.mark.parametrize(
    ("subject", "broken"),
    [
        ({"service": "pay"}, ()),
        ({"service": "nothing"}, ("there is no service nothing",)),
        ({"payload": {"source": "prom", "body": {"title": "Down", "service": "pay"}}}, ()),
        (
            {"payload": {"source": "prom", "body": "["}},
            ("Prom can't read the payload: The body is not JSON: Expecting value at line 1, column 2.",),
        ),
        ({"payload": {"source": "nowhere", "body": {}}}, ("there is no alert source nowhere",)),
    ],
)
def test_services_and_payloads_are_subjects_of_paging_tests(
    policy: EscalationPolicy, now: datetime, subject: dict[str, Any], broken: tuple[str, ...]
) -> None:
    catalog.service(slug="pay", escalation_policy=policy)
    alerts.source(name="Prom", slug="prom")
    alerts.route(paging="service")
    spec = {"name": "Pays", "at": "Sunday 03:00 UTC", "expect": [{"pages": "Ana", "within": "1 minute"}], **subject}
    assert run_test(spec, now).broken == broken
