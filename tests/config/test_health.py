"""Probes learn whether this process lives and which part of Sitrep does not work."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from config.health import HealthMiddleware
from oncall import engine


@pytest.fixture
def ask(rf: RequestFactory) -> Callable[[str], HttpResponse]:
    def elsewhere(_request: object) -> HttpResponse:
        return HttpResponse("elsewhere")

    def get(path: str) -> HttpResponse:
        # Probes come by IP address, which ALLOWED_HOSTS does not know.
        response = HealthMiddleware(elsewhere)(rf.get(path, headers={"Host": "10.1.2.3"}))
        assert isinstance(response, HttpResponse)
        return response

    return get


def test_healthz_answers_without_asking_anything_else(ask: Callable[[str], HttpResponse]) -> None:
    response = ask("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert response["Cache-Control"] == "no-store"


def test_other_addresses_are_passed_on(ask: Callable[[str], HttpResponse]) -> None:
    assert ask("/healthz/more").content == b"elsewhere"


@pytest.mark.django_db
def test_readyz_is_ready_when_database_broker_and_engine_are(ask: Callable[[str], HttpResponse]) -> None:
    engine.beat("tick", timezone.now())
    response = ask("/readyz")
    assert json.loads(response.content) == {"database": "ok", "broker": "ok", "engine": "ok"}
    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, timedelta(seconds=31)])
def test_readyz_fails_when_the_engine_is_silent(ask: Callable[[str], HttpResponse], age: timedelta | None) -> None:
    if age:
        engine.beat("tick", timezone.now() - age)
    response = ask("/readyz")
    assert json.loads(response.content) == {"database": "ok", "broker": "ok", "engine": "failed"}
    assert response.status_code == 503


@pytest.mark.django_db
def test_readyz_names_the_broker_when_that_is_away(
    ask: Callable[[str], HttpResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.beat("tick", timezone.now())
    away = current_app.connection_for_write("redis+socket:///nowhere/valkey.sock")
    monkeypatch.setattr(current_app, "connection_for_write", lambda **_: away)
    assert json.loads(ask("/readyz").content) == {"database": "ok", "broker": "failed", "engine": "ok"}


@pytest.mark.django_db
@override_settings(PUBLIC_URL="https://sitrep.example.com", SECURE_SSL_REDIRECT=True)
def test_probes_are_answered_in_the_whole_stack_without_tls_or_a_known_host(client: Client) -> None:
    assert client.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200
