"""How people are reached, in the REST API: one's own methods, rules and quiet hours; secrets are shown once."""

import json
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Role, Scope, User
from oncall.models import ContactMethod, NotificationRule, OnCallProfile
from tests.factories import oncall
from tests.factories.accounts import api_key, user
from tests.oncall.servers import PushService

pytestmark = pytest.mark.django_db
METHODS, RULES, QUIET = "/api/v1/contact-methods/", "/api/v1/notification-rules/", "/api/v1/quiet-hours/"


def client_of(owner: User, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(owner, *scopes)}")
    return client


@pytest.fixture
def ana() -> User:
    return user(name="Ana", email="ana@example.com")


@pytest.fixture
def client(ana: User) -> APIClient:
    return client_of(ana)


def test_a_method_is_added_verified_tested_switched_and_removed(client: APIClient) -> None:
    made = client.post(METHODS, {"kind": "email", "address": "ana@home.example", "label": "Home"})
    assert made.status_code == 201, made.json()
    assert (made.json()["is_usable"], made.json()["proof"], made.json()["secret"]) == (False, "missing", "")
    address = f"{METHODS}{made.json()['id']}/"
    assert client.post(address + "send-code/").status_code == 409
    assert client.post(address + "verify/", {"code": "x"}).json()["error"]["field"] == "code"
    code = mail.outbox[0].subject[:6]
    verified = client.post(address + "verify/", {"code": code}).json()
    assert (verified["is_usable"], verified["proof"]) == (True, "proved")
    assert client.post(address + "test/").json()["outcome"] == "accepted"
    assert mail.outbox[1].to == ["ana@home.example"]
    assert client.patch(address, {"is_enabled": False}).json()["is_usable"] is False
    assert client.delete(address).status_code == 204


def test_a_signing_secret_is_shown_when_it_is_made_and_never_again(client: APIClient, ana: User) -> None:
    made = client.post(METHODS, {"kind": "webhook", "address": "https://example.invalid/"}).json()
    secret = ContactMethod.objects.get().secret
    assert made["secret"] == secret
    address = f"{METHODS}{made['id']}/"
    rotated = client.post(address + "rotate-secret/").json()["secret"]
    assert rotated not in {"", secret}
    oncall.contact_method(ana, "apprise", address="tgram://1...2/", secret="tgram://very-secret")
    oncall.contact_method(ana, "push", address="push.example.com", secret="very-secret")
    for path in (METHODS, address):
        said = client.get(path).content.decode()
        assert rotated not in said
        assert "very-secret" not in said


def test_a_browser_renews_its_push_subscription_and_only_its_own(ana: User, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    client, renew = client_of(ana), METHODS + "renew-subscription/"
    with PushService().running() as service:
        old = service.subscription
        method = oncall.contact_method(ana, "push", address="x #1", secret=json.dumps(old), broken_reason="gone")
        fresh = {**old, "endpoint": old["endpoint"].replace("one-browser", "renewed")}
        body = {"old_endpoint": old["endpoint"], "subscription": fresh}
        assert client_of(user()).post(renew, body, format="json").status_code == 404
        assert client_of(user(), Scope.READ).post(renew, body, format="json").status_code == 403
        for _time in range(2):
            renewed = client.post(renew, body, format="json")
            assert renewed.status_code == 200, renewed.json()
            assert (renewed.json()["id"], renewed.json()["is_usable"]) == (method.pk, True)
        not_subscriptions: list[Any] = [[], "x", {}, {**fresh, "keys": {"auth": "short"}}]
        for wrong in not_subscriptions:
            refused = client.post(renew, {**body, "subscription": wrong}, format="json")
            assert refused.status_code == 400, wrong
    method.refresh_from_db()
    assert json.loads(method.secret)["endpoint"] == fresh["endpoint"]
    assert client.post(METHODS, {"kind": "push", "subscription": []}, format="json").status_code == 400


def test_everybody_sees_and_changes_their_own_and_administrators_all(client: APIClient, ana: User) -> None:
    other = user()
    foreign, own = oncall.contact_method(other), oncall.contact_method(ana)
    assert [row["id"] for row in client.get(METHODS).json()["results"]] == [own.pk]
    for path in ("", "test/", "verify/", "send-code/", "rotate-secret/"):
        assert client.post(f"{METHODS}{foreign.pk}/{path}", {"code": "1"}).status_code in {404, 405}
    for path, body in (
        (METHODS, {"kind": "email", "address": "x@example.com", "user": other.pk}),
        (RULES, {"urgency": "high", "steps": [], "user": other.pk}),
        (QUIET, {"user": other.pk}),
    ):
        assert client.post(path, body).status_code == 403
        assert client_of(user(role=Role.OWNER), Scope.READ).post(path, body).status_code == 403
    administrator = client_of(user(role=Role.ADMINISTRATOR))
    assert {row["id"] for row in administrator.get(METHODS).json()["results"]} == {own.pk, foreign.pk}


def test_rules_are_replaced_as_a_whole(client: APIClient, ana: User) -> None:
    email, sms = oncall.contact_method(ana), oncall.contact_method(ana, "sms", address="+4930123456")
    steps = [{"contact_method": sms.pk, "delay_minutes": 5}, {"contact_method": email.pk, "delay_minutes": 0}]
    for _time in range(2):
        made = client.post(RULES, {"urgency": "high", "steps": steps})
        assert made.status_code == 201, made.json()
    assert [(row["contact_method"], row["delay_minutes"]) for row in made.json()] == [(email.pk, 0), (sms.pk, 5)]
    assert len(client.get(RULES + "?urgency=high").json()["results"]) == 2
    assert client.get(RULES + "?urgency=low").json()["results"] == []
    missing = client.post(RULES, {"urgency": "high", "steps": [{"delay_minutes": 1}]})
    assert "contact_method" in missing.json()["error"]["fields"]["steps"]["0"]
    foreign = oncall.contact_method(user())
    refused = client.post(RULES, {"urgency": "high", "steps": [{"contact_method": foreign.pk, "delay_minutes": 1}]})
    assert refused.json()["error"]["field"] == "contact_method"
    assert client.post(RULES, {"urgency": "high", "steps": []}).json() == []


def test_quiet_hours_are_set_and_taken_away(client: APIClient, ana: User) -> None:
    made = client.post(QUIET, {"quiet_from": "22:00", "quiet_until": "07:00", "country": "de"})
    assert made.status_code == 201, made.json()
    assert (made.json()["digest_at"], made.json()["country"]) == ("09:00", "DE")
    assert client.post(QUIET, {"quiet_from": "22:00"}).json()["error"]["field"] == "quiet_until"
    assert client.post(QUIET, {}).json()["quiet_from"] is None
    assert len(client.get(QUIET).json()["results"]) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [("?kind=sms", 1), ("?q=home", 1), ("?is_broken=true", 1), ("?is_verified=false", 1), ("?sort=kind", 3)],
)
def test_methods_are_found_by_what_they_are(client: APIClient, ana: User, query: str, found: int) -> None:
    oncall.contact_method(ana, label="Home")
    oncall.contact_method(ana, "sms", address="+4930123456", broken_reason="gone")
    oncall.contact_method(ana, "voice", address="+4930123456", verified_at=None)
    assert len(client.get(METHODS + query).json()["results"]) == found


def test_lists_need_as_many_queries_for_ten_rows_as_for_two() -> None:
    client = client_of(user(role=Role.ADMINISTRATOR))

    def grow(number: int) -> None:
        for _row in range(number):
            method = oncall.contact_method(user())
            NotificationRule.objects.create(user=method.user, position=0, contact_method=method)
            OnCallProfile.objects.create(user=method.user)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    grow(2)
    paths = (METHODS, RULES, QUIET)
    few = [(queries(path), queries(path))[1] for path in paths]
    grow(8)
    assert [queries(path) for path in paths] == few
