"""What Twilio asks and tells: replies, keys and receipts count only with its signature, and each counts once."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import acknowledge_escalation, add_responder
from oncall.channels import telephony
from oncall.engine import tick
from oncall.models import ContactMethod, Escalation, Page, PageReceipt
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.servers import Twilio

pytestmark = pytest.mark.django_db
SITE = "https://sitrep.example.com"
NUMBER = "+491701234567"
Status = Escalation.Status


@pytest.fixture
def twilio(settings: Settings) -> Iterator[Twilio]:
    settings.PUBLIC_URL = SITE
    settings.SECURE_SSL_REDIRECT = False
    with Twilio().running() as server:
        settings.SMS_PROVIDERS = settings.VOICE_PROVIDERS = [server.provider()]
        yield server
        telephony._client.cache_clear()


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ana() -> User:
    return user(name="Ana")


def page_by(person: User, kind: str, *, title: str = "Payment API returning 500 errors") -> Page:
    """A page to this person that Twilio has taken, with a second level behind it."""
    if not person.contact_methods.filter(kind=kind).exists():
        oncall.contact_method(person, kind, address=NUMBER)
    other = user()
    oncall.contact_method(other)
    now = timezone.now()
    escalation = oncall.escalation(oncall.level(person), oncall.level(other), now=now, title=title)
    tick(now)
    send_due(now)
    return escalation.pages.get()


def status(page: Page) -> str:
    return Escalation.objects.get(pk=page.escalation_id).status


def reply(twilio: Twilio, client: Client, body: str, sender: str = NUMBER) -> str:
    answer = twilio.calls_back(
        client, f"{SITE}/twilio/sms/", From=sender, To=twilio.number, Body=body, MessageSid="SM1", NumMedia="0"
    )
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/xml"
    return str(answer.content.decode())


@pytest.mark.parametrize("body", ["4", " 4 ", "4.", "ack", "ACK!", "Acknowledge", "ok"])
def test_a_reply_of_four_acknowledges(twilio: Twilio, client: Client, ana: User, body: str) -> None:
    page = page_by(ana, "sms")
    assert "Acknowledged: Payment API returning 500 errors" in reply(twilio, client, body)
    escalation = Escalation.objects.get(pk=page.escalation_id)
    assert (escalation.status, escalation.acknowledged_by) == (Status.ACKNOWLEDGED, ana)
    assert escalation.entries.get(kind="acknowledged").via == "sms"
    assert PageReceipt.objects.get(kind="answered").detail == "acknowledge"


def test_a_reply_of_six_escalates_and_a_repeated_delivery_skips_no_level(
    twilio: Twilio, client: Client, ana: User
) -> None:
    page = page_by(ana, "sms")
    assert "Escalated" in reply(twilio, client, "6")
    assert "Already escalated" in reply(twilio, client, "6")
    tick(timezone.now())
    assert Escalation.objects.get(pk=page.escalation_id).level == 2


def test_a_reply_can_name_one_of_several(twilio: Twilio, client: Client, ana: User) -> None:
    first, second = page_by(ana, "sms"), page_by(ana, "sms", title="Disk full")
    said = reply(twilio, client, f"4 {second.escalation_id}")
    assert "Disk full" in said
    assert "Payment" not in said
    assert (status(first), status(second)) == (Status.TRIGGERED, Status.ACKNOWLEDGED)
    assert "Payment" in reply(twilio, client, "4")
    assert status(first) == Status.ACKNOWLEDGED
    assert "Nothing waits" in reply(twilio, client, "4")


def test_a_reply_answers_what_was_sent_together(twilio: Twilio, client: Client, ana: User) -> None:
    oncall.contact_method(ana, "sms", address=NUMBER)
    now = timezone.now()
    both = [oncall.escalation(oncall.level(ana), now=now, title=title) for title in ("One", "Two")]
    tick(now)
    send_due(now)
    assert len(twilio.sent) == 1
    assert "2 alerts" in twilio.sent[0]["Body"]
    said = reply(twilio, client, "4")
    assert "One" in said
    assert "Two" in said
    assert {Escalation.objects.get(pk=each.pk).status for each in both} == {Status.ACKNOWLEDGED}


def test_other_words_are_explained_and_strangers_hear_nothing_of_pages(
    twilio: Twilio, client: Client, ana: User
) -> None:
    page = page_by(ana, "sms")
    assert "Reply 4 to acknowledge" in reply(twilio, client, "what is this?")
    assert "Payment" not in reply(twilio, client, "4", sender="+4915100000")
    assert "Message" not in reply(twilio, client, "hello", sender="+4915100000")
    ana.is_active = False
    ana.save()
    assert "Nothing waits" in reply(twilio, client, "4")
    assert status(page) == Status.TRIGGERED


def test_a_call_for_help_is_answered_by_sms(twilio: Twilio, client: Client, ana: User) -> None:
    bob, eve = user(name="Bob"), user(name="Eve")
    oncall.contact_method(bob)
    oncall.contact_method(eve, "sms", address="+4915122222")
    now = timezone.now()
    escalation = oncall.escalation(oncall.level(bob), now=now)
    tick(now)
    acknowledge_escalation(actor=Actor.of_user(bob, via="web"), escalation=escalation, now=now)
    add_responder(actor=Actor.of_user(bob, via="web"), escalation=escalation, user=eve, now=now)
    send_due(now)
    assert "Bob knows that you help" in reply(twilio, client, "4", sender="+4915122222")
    assert "Nothing waits" in reply(twilio, client, "4", sender="+4915122222")


def test_yesterdays_pages_are_not_answered_by_accident(twilio: Twilio, client: Client, ana: User) -> None:
    page = page_by(ana, "sms")
    Page.objects.filter(pk=page.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert "Nothing waits" in reply(twilio, client, "4")


@pytest.mark.parametrize("path", ["sms/", "voice/page-{page}-1/", "status/page-{page}-1/"])
def test_without_the_right_signature_nothing_counts(twilio: Twilio, client: Client, ana: User, path: str) -> None:
    page = page_by(ana, "sms")
    url = f"{SITE}/twilio/{path.format(page=page.pk)}"
    form = {"From": NUMBER, "To": NUMBER, "Body": "4", "Digits": "4", "MessageStatus": "delivered"}
    assert twilio.calls_back(client, url, token="another-token", **form).status_code == 403
    assert twilio.calls_back(client, url, **form, AccountSid="AC-of-a-stranger").status_code == 403
    assert client.post(urlsplit(url).path, form).status_code == 403
    assert client.get(urlsplit(url).path).status_code == 405
    # Signed for another address: a request can't be taken from one page to another.
    moved = f"{SITE}/twilio/voice/page-{page.pk + 1}-1/"
    signed = twilio.calls_back(client, moved, To=NUMBER, Digits="4")
    assert "no longer there" in signed.content.decode()
    assert status(page) == Status.TRIGGERED
    assert not PageReceipt.objects.exists()


# --- Calls ------------------------------------------------------------------------------------------------------------


def press(twilio: Twilio, client: Client, page: Page, digits: str, *, to: str = NUMBER) -> str:
    url = f"{SITE}/twilio/voice/page-{page.pk}-1/"
    answer = twilio.calls_back(client, url, Digits=digits, To=to, From=twilio.number, CallSid="CA1")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_key_acknowledges_or_escalates(twilio: Twilio, client: Client, ana: User) -> None:
    page = page_by(ana, "voice")
    assert twilio.sent[0]["Twiml"].count(f"/twilio/voice/page-{page.pk}-1/") == 3
    assert "does nothing" in press(twilio, client, page, "9")
    assert "no longer there" in press(twilio, client, page, "4", to="+4915100000")
    assert status(page) == Status.TRIGGERED
    assert "Acknowledged: Payment" in press(twilio, client, page, "4")
    assert Escalation.objects.get(pk=page.escalation_id).entries.get(kind="acknowledged").via == "voice"
    other = page_by(ana, "voice", title="Disk full")
    assert "Escalated: Disk full" in press(twilio, client, other, "6")


def test_the_key_of_a_test_call_proves_that_it_was_heard(twilio: Twilio, client: Client, ana: User) -> None:
    method = oncall.contact_method(ana, "voice", address=NUMBER)
    url = f"{SITE}/twilio/voice/test-{method.pk}-1/"
    twilio.calls_back(client, url, Digits="5", To=NUMBER)
    method.refresh_from_db()
    assert method.proved_at is None
    assert "reaches you here" in twilio.calls_back(client, url, Digits="4", To=NUMBER).content.decode()
    method.refresh_from_db()
    assert method.proved_at is not None


# --- Receipts ---------------------------------------------------------------------------------------------------------


def tell(twilio: Twilio, client: Client, page: Page, attempt: int = 1, **form: str) -> None:
    url = f"{SITE}/twilio/status/page-{page.pk}-{attempt}/"
    assert twilio.calls_back(client, url, **form).status_code == 204


def receipts(page: Page) -> list[tuple[int, str, str]]:
    found = PageReceipt.objects.filter(attempt__page=page).order_by("id")
    return [(receipt.attempt.number, receipt.kind, receipt.detail) for receipt in found.select_related("attempt")]


def test_a_delivered_sms_is_a_receipt_and_a_proof(twilio: Twilio, client: Client, ana: User) -> None:
    page = page_by(ana, "sms")
    for said in ("queued", "sent", "delivered", "delivered"):
        tell(twilio, client, page, MessageSid="SM1", MessageStatus=said)
    assert receipts(page) == [(1, "delivered", "delivered")]
    assert ContactMethod.objects.get(user=ana).proved_at is not None
    assert "delivered" in page.escalation.entries.get(kind="receipt").text
    attempt = page.attempts.get()
    assert (attempt.provider, attempt.provider_id) == ("twilio", "SM" + "1".zfill(32))


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("sms", {"MessageStatus": "undelivered", "ErrorCode": "30003"}),
        ("voice", {"CallStatus": "busy"}),
        ("voice", {"CallStatus": "no-answer"}),
        ("voice", {"CallStatus": "in-progress", "AnsweredBy": "machine_start"}),
    ],
)
def test_what_did_not_arrive_is_sent_again_twice(
    twilio: Twilio, client: Client, ana: User, kind: str, form: dict[str, str]
) -> None:
    page = page_by(ana, kind)
    for attempt in (1, 2, 3):
        tell(twilio, client, page, attempt, **form)
        tell(twilio, client, page, attempt, **form)
        send_due(timezone.now() + timedelta(seconds=31 * attempt))
    assert len(twilio.sent) == 3
    assert [number for number, kind, _detail in receipts(page) if kind == "failed"] == [1, 2, 3]


def test_what_did_not_arrive_and_is_not_wanted_any_more_is_left(twilio: Twilio, client: Client, ana: User) -> None:
    page = page_by(ana, "voice")
    press(twilio, client, page, "4")
    tell(twilio, client, page, CallStatus="no-answer")
    send_due(timezone.now() + timedelta(minutes=2))
    assert len(twilio.sent) == 1


def test_a_number_that_does_not_exist_is_broken_by_its_receipt(twilio: Twilio, client: Client, ana: User) -> None:
    page = page_by(ana, "sms")
    tell(twilio, client, page, MessageStatus="undelivered", ErrorCode="30005")
    assert "30005" in ContactMethod.objects.get(user=ana).broken_reason
    send_due(timezone.now() + timedelta(minutes=2))
    assert len(twilio.sent) == 1


def test_a_refused_number_is_broken_when_it_is_paged(twilio: Twilio, ana: User) -> None:
    twilio.answer = 21614
    page = page_by(ana, "sms")
    assert page.state == Page.State.FAILED
    assert "21614" in ContactMethod.objects.get(user=ana).broken_reason
