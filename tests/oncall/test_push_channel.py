"""Push notifications: encrypted for one browser, signed by this installation, and small enough for every service."""

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from oncall.channels.push import public_key, send
from oncall.models import ContactMethod
from tests.oncall.messages import LINKS, a_test_message, code_message, message
from tests.oncall.servers import PushService, impatient, silent_server


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    with PushService().running() as running:
        running.public_key = public_key()
        yield running


def browser(service: PushService) -> ContactMethod:
    kind = ContactMethod.Kind.PUSH
    return ContactMethod(kind=kind, address="127.0.0.1 #1", secret=json.dumps(service.subscription))


def test_the_browser_can_read_what_it_is_sent(service: PushService) -> None:
    result = send(browser(service), message())
    assert (result.outcome, result.provider) == ("accepted", "127.0.0.1")
    [received] = service.received
    assert received["title"] == "Payment API returning 500 errors"
    assert received["body"] == "payments, SEV1"
    assert received["link"] == "http://localhost/p/token/"
    assert received["links"] == LINKS
    assert received["words"] == {"acknowledge": "Acknowledge", "escalate": "Escalate"}
    assert (received["purpose"], received["tag"]) == ("page", "page-12-1")
    assert service.headers[0]["Urgency"] == "high"


def test_codes_and_tests_have_no_buttons(service: PushService) -> None:
    send(browser(service), code_message())
    send(browser(service), a_test_message())
    code, test = service.received
    assert "042517" in code["body"]
    assert (code["words"], test["words"]) == ({}, {})
    assert test["links"] == {"received": "http://localhost/prove/token/"}


def test_the_longest_page_fits_into_what_services_take(service: PushService) -> None:
    long = message(title="ก" * 300, detail="ข" * 20_000, others=("ค" * 300,) * 50, urgency="low")
    assert send(browser(service), long).outcome == "accepted"
    assert service.received[0]["title"].startswith("51 alerts: ")
    assert service.headers[0]["Urgency"] == "normal"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "accepted"), (404, "refused"), (410, "refused"), (403, "refused"), (429, "failed"), (500, "failed")],
)
def test_what_the_service_answers_decides(service: PushService, status: int, outcome: str) -> None:
    service.status = status
    assert send(browser(service), message()).outcome == outcome


def test_no_answer_in_time_is_a_failed_try(service: PushService, monkeypatch: pytest.MonkeyPatch) -> None:
    with silent_server() as port, impatient(monkeypatch):
        service.origin = f"http://127.0.0.1:{port}"
        result = send(browser(service), message())
    assert (result.outcome, result.detail) == ("failed", "ReadTimeout: timed out")


def test_a_subscription_for_another_key_must_be_made_again(service: PushService, settings: Settings) -> None:
    settings.SECRET_KEY = "another-installation" * 3
    result = send(browser(service), message())
    assert result.outcome == "refused"
    assert "subscribe again" in result.detail


def test_the_key_is_the_same_in_every_process_and_can_be_brought_along(settings: Settings) -> None:
    made = public_key()
    assert made == public_key()
    settings.VAPID_PRIVATE_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
    # The generator of the curve: the public key that belongs to the private key 1.
    assert public_key().startswith("BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW")


def test_the_private_network_is_never_called(service: PushService, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    assert send(browser(service), message()).outcome == "refused"
    assert service.received == []


@pytest.mark.parametrize("secret", ["", "{}", '{"endpoint": "https://example.com", "keys": {}}', "[]"])
def test_a_subscription_that_can_not_be_used_is_refused(secret: str) -> None:
    assert send(ContactMethod(kind="push", address="x", secret=secret), message()).outcome == "refused"
