"""The profile: how one is reached, verified, tested, paged and left in peace; and Sitrep as an app."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from oncall.channels.push import public_key
from oncall.models import ContactMethod, NotificationRule, OnCallProfile
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.servers import PushService

pytestmark = pytest.mark.django_db
PROFILE = "/settings/profile/"


@pytest.fixture
def ana() -> User:
    return user(name="Ana", email="ana@example.com")


@pytest.fixture
def client(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


def page(client: Client) -> str:
    answer = client.get(PROFILE)
    assert answer.status_code == 200
    return answer.content.decode()


def url(name: str, *args: Any) -> str:
    return reverse(f"oncall:{name}", args=args)


def test_without_a_way_to_be_reached_the_page_says_so_first(client: Client) -> None:
    assert "You can't be paged" in page(client)


def test_a_method_is_added_verified_and_tested(client: Client, ana: User) -> None:
    client.post(url("contact-method-add"), {"kind": "email", "address": "ana@home.example", "label": "Home"})
    method = ana.contact_methods.get()
    html = page(client)
    assert "Not verified" in html
    assert "can't be paged" in html
    code = mail.outbox[0].subject[:6]
    wrong = client.post(url("contact-method-verify", method.pk), {"code": "000000" if code != "000000" else "1"})
    assert "This is not the code that was sent" in wrong.content.decode()
    assert client.post(url("contact-method-verify", method.pk), {"code": code}).status_code == 302
    assert "Seen to reach you" in page(client)
    client.post(url("contact-method-test", method.pk))
    assert "Waiting for a receipt" in page(client)
    row = client.get(url("contact-method-row", method.pk)).content.decode()
    assert "hx-trigger" in row
    link = next(word for word in str(mail.outbox[1].body).split() if "/prove/" in word)
    client.post("/" + link.split("/", 3)[3])
    assert "hx-trigger" not in client.get(url("contact-method-row", method.pk)).content.decode()


def test_a_new_code_is_sent_on_demand_but_not_at_once(client: Client, ana: User) -> None:
    client.post(url("contact-method-add"), {"kind": "email", "address": "ana@home.example"})
    method = ana.contact_methods.get()
    again = client.post(url("contact-method-code", method.pk), follow=True)
    assert "less than a minute ago" in again.content.decode()
    ContactMethod.objects.update(code_sent_at=None)
    client.post(url("contact-method-code", method.pk))
    assert len(mail.outbox) == 2


def test_what_can_not_be_used_is_said_beside_the_field(client: Client) -> None:
    for kind, address, words in (
        ("sms", "0170 1", "is not a phone number"),
        ("apprise", "file:///etc/passwd", "not a service that pages may go through"),
        ("webhook", "nonsense", "A webhook needs an address"),
    ):
        answer = client.post(url("contact-method-add"), {"kind": kind, "address": address})
        assert words in answer.content.decode()
        assert address in answer.content.decode()


def test_a_broken_method_shows_its_reason_and_a_webhook_its_secret(client: Client, ana: User) -> None:
    oncall.contact_method(ana, "sms", address="+4930123456", broken_reason="error 21610")
    hook = oncall.contact_method(ana, "webhook", address="https://example.com/", secret="the-secret")
    html = page(client)
    assert "Broken: error 21610" in html
    assert "the-secret" in html
    client.post(url("contact-method-secret", hook.pk))
    assert "the-secret" not in page(client)


def test_every_page_says_that_a_method_broke_until_it_is_mended(client: Client, ana: User) -> None:
    method = oncall.contact_method(ana, label="Work phone", broken_reason="error 21610")
    words = "You are no longer paged through Work phone"
    assert words in client.get("/").content.decode()
    client.post(url("contact-method-switch", method.pk), {"enabled": "no"})
    assert words not in client.get("/").content.decode()


def test_secrets_of_services_and_browsers_are_never_shown(client: Client, ana: User) -> None:
    oncall.contact_method(ana, "apprise", address="tgram://1...2/", secret="tgram://very-secret")
    oncall.contact_method(ana, "push", address="push.example.com", secret='{"auth": "very-secret"}')
    assert "very-secret" not in page(client)


def rules(urgency: str, *steps: tuple[int, int]) -> dict[str, Any]:
    data: dict[str, Any] = {f"{urgency}-TOTAL_FORMS": len(steps), f"{urgency}-INITIAL_FORMS": 0}
    for number, (method, minutes) in enumerate(steps):
        data |= {f"{urgency}-{number}-contact_method": method, f"{urgency}-{number}-delay_minutes": minutes}
    return data


def test_rules_are_written_for_each_urgency(client: Client, ana: User) -> None:
    email, sms = oncall.contact_method(ana), oncall.contact_method(ana, "sms", address="+4930123456")
    client.post(url("rules-save", "high"), rules("high", (email.pk, 0), (sms.pk, 2)))
    client.post(url("rules-save", "low"), rules("low", (email.pk, 0)))
    assert NotificationRule.objects.filter(user=ana).count() == 3
    html = page(client)
    assert 'name="high-1-delay_minutes" value="2"' in html
    refused = client.post(url("rules-save", "high"), rules("high", (email.pk, -1)))
    assert refused.status_code == 200
    assert NotificationRule.objects.filter(user=ana).count() == 3
    foreign = oncall.contact_method(user())
    assert client.post(url("rules-save", "high"), rules("high", (foreign.pk, 0))).status_code == 200
    assert client.post(url("rules-save", "loud"), {}).status_code == 404
    data = rules("high", (email.pk, 0), (sms.pk, 2)) | {"high-1-DELETE": "on"}
    client.post(url("rules-save", "high"), data)
    assert NotificationRule.objects.filter(user=ana, urgency="high").count() == 1


def test_the_page_needs_as_many_queries_for_ten_methods_and_steps_as_for_two(client: Client, ana: User) -> None:
    def grow(number: int) -> None:
        for _row in range(number):
            count = NotificationRule.objects.count()
            method = oncall.contact_method(ana, "sms", address=f"+493012345{count}")
            NotificationRule.objects.create(user=ana, position=count, contact_method=method)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client)
        return len(captured)

    grow(2)
    queries()
    few = queries()
    grow(8)
    assert queries() == few


def test_quiet_hours_are_kept_and_half_of_them_refused(client: Client, ana: User) -> None:
    given = {"quiet_from": "22:00", "quiet_until": "07:00", "digest_at": "08:30", "country": "th"}
    assert client.post(url("quiet-hours-save"), given).status_code == 302
    profile = OnCallProfile.objects.get(user=ana)
    assert (str(profile.quiet_from), profile.country) == ("22:00:00", "TH")
    half = client.post(url("quiet-hours-save"), {**given, "quiet_until": ""})
    assert "need a beginning and an end" in half.content.decode()


def test_the_contact_methods_of_others_are_not_there(client: Client) -> None:
    foreign = oncall.contact_method(user())
    for name in ("code", "verify", "secret", "switch", "remove", "test"):
        assert client.post(url(f"contact-method-{name}", foreign.pk)).status_code == 404
    assert client.get(url("contact-method-row", foreign.pk)).status_code == 404


# --- Sitrep as an app -------------------------------------------------------------------------------------------------


def test_a_browser_subscribes_and_verifies_with_the_code_of_its_first_notification(
    client: Client, ana: User, settings: Settings
) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    assert public_key() in page(client)
    with PushService().running() as service:
        body = json.dumps({"subscription": service.subscription, "label": "Chrome · Android"})
        made = client.post(url("push-subscribe"), body, content_type="application/json")
        assert (made.status_code, made.json()["is_verified"]) == (201, False)
    method = ana.contact_methods.get()
    code = re.search(r"\d{6}", service.received[0]["body"])
    assert code is not None
    client.post(url("contact-method-verify", method.pk), {"code": code[0]})
    assert "Chrome · Android" in page(client)
    method.refresh_from_db()
    assert method.is_usable


def test_a_service_worker_renews_a_subscription_with_the_session_and_a_token(ana: User, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    browser = Client(enforce_csrf_checks=True)
    assert browser.get(url("push-renew")).status_code == 302
    browser.force_login(ana)
    told = browser.get(url("push-renew")).json()
    assert told["key"] == public_key()
    with PushService().running() as service:
        old = service.subscription
        method = oncall.contact_method(ana, "push", address="x #1", secret=json.dumps(old))
        fresh = {**old, "endpoint": old["endpoint"].replace("one-browser", "renewed")}
        body = json.dumps({"old_endpoint": old["endpoint"], "subscription": fresh})

        def post(text: str, **headers: str) -> int:
            answer = browser.post(url("push-renew"), text, content_type="application/json", headers=headers)
            return answer.status_code

        assert post(body) == 403
        token = {"X-CSRFToken": told["token"]}
        assert post(body, **token) == 200
        assert post(body.replace("one-browser", "another"), **token) == 200
        assert post(body.replace("renewed", "newer").replace("one-browser", "another"), **token) == 404
        assert post("[]", **token) == 400
    method.refresh_from_db()
    assert method.secret == json.dumps({"endpoint": fresh["endpoint"], "keys": fresh["keys"]})


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"subscription": 1}', '{"subscription": {"endpoint": "x"}}'])
def test_what_is_no_subscription_is_refused(client: Client, body: str) -> None:
    answer = client.post(url("push-subscribe"), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_the_service_worker_and_the_manifest_are_there_for_everybody() -> None:
    client = Client()
    script = client.get("/service-worker.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8"
    assert "notificationclick" in script.content.decode()
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["display"] == "standalone"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
