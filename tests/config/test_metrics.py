"""Prometheus reads how Sitrep fares; nobody without the token does."""

from datetime import datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from config.gauges import measure
from config.metrics import MetricsMiddleware, metrics
from events.models import Delivery, Event
from oncall import engine
from oncall.models import Escalation


def values(response: HttpResponse) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic for-tests", "for-tests"])
def test_without_the_token_metrics_are_refused(rf: RequestFactory, settings: Settings, header: str | None) -> None:
    settings.METRICS_TOKEN = "for-tests"
    response = metrics(rf.get("/metrics", headers={"Authorization": header} if header else {}))
    assert response.status_code == 403
    assert b"Authorization: Bearer" in response.content


def test_with_no_token_set_everybody_is_refused_and_told_the_remedy(rf: RequestFactory, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    response = metrics(rf.get("/metrics", headers={"Authorization": "Bearer "}))
    assert response.status_code == 403
    assert b"Set METRICS_TOKEN" in response.content


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_never_by_path(rf: RequestFactory, settings: Settings) -> None:
    settings.METRICS_TOKEN = "for-tests"
    MetricsMiddleware(lambda _request: HttpResponse(status=404))(rf.get("/alerts/in/a-secret-token/"))
    response = metrics(rf.get("/metrics", headers={"Authorization": "Bearer for-tests"}))
    found = values(response)
    labels = (("method", "GET"), ("route", "unmatched"), ("status", "404"))
    assert found[("sitrep_http_requests_total", labels)] >= 1
    assert b"a-secret-token" not in response.content


@pytest.mark.django_db
def test_prometheus_reads_without_signing_in(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "for-tests"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer for-tests"}).status_code == 200


@pytest.mark.django_db
def test_the_state_of_engine_and_outbox_is_measured(now: datetime) -> None:
    engine.beat("tick", now - timedelta(seconds=7))
    for minutes in (5, 0):
        Escalation.objects.create(
            title="Down", path={"levels": [], "stages": []}, due_at=now - timedelta(minutes=minutes), started_at=now
        )
    event = Event.objects.create(
        name="x.happened",
        subject_type="x",
        subject_id=1,
        actor_kind="system",
        actor_name="Sitrep",
        via="system",
        occurred_at=now,
    )
    for handler, state in (("a", Delivery.State.PENDING), ("b", Delivery.State.DEAD), ("c", Delivery.State.DONE)):
        Delivery.objects.create(event=event, handler=handler, state=state, due_at=now - timedelta(seconds=12))
    measured = {(gauge.name, *labels.values()): value for gauge in measure(now) for labels, value in gauge.samples}
    assert measured["sitrep_engine_heartbeat_age_seconds",] == 7
    assert measured["sitrep_escalations", "triggered"] == 2
    assert measured["sitrep_escalations_overdue",] == 1
    assert measured["sitrep_deliveries", "pending"] == 1
    assert measured["sitrep_deliveries", "dead"] == 1
    assert measured["sitrep_delivery_lateness_seconds",] == 12
    assert measured["sitrep_raw_events", "failed"] == 0


@pytest.mark.django_db
def test_an_engine_that_never_ran_is_infinitely_late(now: datetime) -> None:
    measured = {gauge.name: gauge.samples for gauge in measure(now)}
    assert measured["sitrep_engine_heartbeat_age_seconds"] == [({}, float("inf"))]
