"""Sources, routes and what people do to alerts."""

from datetime import datetime
from typing import Any

import pytest

from accounts.models import Role
from alerts import actions, routes
from alerts.batch import Batch
from alerts.dialects import NormalisedEvent
from alerts.models import Alert, AlertRoute
from events.errors import Conflict, Invalid, NotAllowed
from oncall.models import Escalation
from tests.factories import accounts, alerts, oncall
from tests.factories.alerts import LONG_AGO

pytestmark = pytest.mark.django_db


def fire(now: datetime, key: str = "disk") -> Alert:
    source = alerts.source()
    event = NormalisedEvent(dedup_key=key, status="firing", title="Disk full")
    batch = Batch([(source, event)], now)
    batch.add(source, event, None)
    batch.write()
    return Alert.objects.get(source=source)


def test_only_managers_make_sources(now: datetime) -> None:
    fields: dict[str, Any] = {"name": "Prometheus", "slug": "prometheus", "dialect": "alertmanager", "now": now}
    with pytest.raises(NotAllowed):
        actions.save_source(actor=accounts.actor(Role.RESPONDER), **fields)
    source = actions.save_source(actor=accounts.actor(Role.MANAGER), **fields)
    assert len(source.token) == 32
    with pytest.raises(Conflict):
        actions.save_source(actor=accounts.actor(Role.MANAGER), **fields)


def test_rotating_a_token_ends_the_old_one() -> None:
    source = alerts.source()
    before = source.token_hash
    actions.rotate_token(actor=accounts.actor(Role.MANAGER), source=source)
    source.refresh_from_db()
    assert source.token_hash != before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"conditions": {"fact": "severity"}}, "conditions"),
        ({"conditions": {"fact": "title", "operator": "matches", "value": "("}}, "conditions"),
        ({"paging": "policy"}, "escalation_policy"),
        ({"declares_incident": True}, "severity"),
        ({"name": " "}, "name"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(fields: dict[str, Any], field: str) -> None:
    draft = {"name": "Critical", "conditions": {}, "paging": "nobody", "now": LONG_AGO, **fields}
    with pytest.raises(Invalid) as refused:
        routes.save_route(actor=accounts.actor(Role.MANAGER), **draft)
    assert refused.value.field == field


def test_routes_keep_the_order_they_are_given() -> None:
    first, second, third = (alerts.route() for _ in range(3))
    routes.order_routes(actor=accounts.actor(Role.MANAGER), routes=[third, first], now=LONG_AGO)
    assert list(AlertRoute.objects.order_by("position")) == [third, first, second]


def test_acknowledging_an_alert_acknowledges_its_escalation(now: datetime) -> None:
    alerts.route(paging="policy", escalation_policy=oncall.policy(oncall.level(accounts.user())))
    alert = fire(now)
    actions.acknowledge_alert(actor=accounts.actor(), alert=alert, now=now)
    assert Escalation.objects.get().status == Escalation.Status.ACKNOWLEDGED


def test_an_alert_that_pages_nobody_cannot_be_acknowledged(now: datetime) -> None:
    with pytest.raises(Conflict):
        actions.acknowledge_alert(actor=accounts.actor(), alert=fire(now), now=now)


def test_viewers_handle_no_alerts(now: datetime) -> None:
    alert = fire(now)
    for act in (actions.acknowledge_alert, actions.resolve_alert):
        with pytest.raises(NotAllowed):
            act(actor=accounts.actor(Role.VIEWER), alert=alert, now=now)


def test_a_person_resolves_an_alert_once(now: datetime) -> None:
    alert = fire(now)
    resolved = actions.resolve_alert(actor=accounts.actor(), alert=alert, now=now)
    again = actions.resolve_alert(actor=accounts.actor(), alert=alert, now=now)
    assert resolved.status == again.status == Alert.Status.RESOLVED
    assert resolved.resolved_by_id == again.resolved_by_id
