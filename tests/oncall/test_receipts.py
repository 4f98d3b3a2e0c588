"""What providers say after a message was sent, in whatever order it comes."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.models import User
from oncall import channels
from oncall.actions import acknowledge_escalation
from oncall.channels import Message, Result
from oncall.engine import tick
from oncall.models import ContactMethod, Escalation, Page
from oncall.receipts import AGAIN_AFTER, MOST_TRIES, Receipt, record_receipt
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db(transaction=True)
Kind = ContactMethod.Kind


class Hasty:
    """A provider whose report of a failure is here before its answer to the request that made the call."""

    def __init__(self, now: datetime) -> None:
        self.now, self.calls, self.is_permanent, self.failures = now, 0, False, 99

    def send(self, method: ContactMethod, message: Message) -> Result:
        self.calls += 1
        if self.calls <= self.failures:
            record_receipt(
                reference=message.reference,
                kind=Receipt.FAILED,
                detail="busy",
                is_permanent=self.is_permanent,
                now=self.now,
            )
            connection.close()
        return Result("accepted", "queued", "twilio")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Hasty:
    hasty = Hasty(now)
    monkeypatch.setitem(channels._senders, Kind.VOICE, hasty.send)
    return hasty


@pytest.fixture
def ana() -> User:
    person = user(name="Ana")
    oncall.contact_method(person, Kind.VOICE, address="+491701234567")
    return person


def paging(ana: User, now: datetime) -> Escalation:
    escalation = oncall.escalation(oncall.level(ana, minutes=60), now=now)
    tick(now)
    send_due(now)
    return escalation


def test_a_call_that_failed_before_its_try_was_written_down_is_made_again(
    provider: Hasty, ana: User, now: datetime
) -> None:
    provider.failures = 1
    paging(ana, now)
    page = Page.objects.get()
    assert (page.state, page.due_at) == (Page.State.PENDING, now + AGAIN_AFTER)
    send_due(now + AGAIN_AFTER)
    page.refresh_from_db()
    assert (page.state, provider.calls) == (Page.State.SENT, 2)
    assert list(page.attempts.order_by("number").values_list("outcome", flat=True)) == ["accepted", "accepted"]


def test_it_is_made_three_times_in_all(provider: Hasty, ana: User, now: datetime) -> None:
    paging(ana, now)
    for minute in range(1, 10):
        send_due(now + timedelta(minutes=minute))
    assert provider.calls == MOST_TRIES
    assert Page.objects.get().state == Page.State.SENT


def test_what_failed_for_good_is_not_made_again(provider: Hasty, ana: User, now: datetime) -> None:
    provider.is_permanent = True
    paging(ana, now)
    assert Page.objects.get().state == Page.State.SENT
    assert ana.contact_methods.get().broken_reason == "busy"
    assert provider.calls == 1


def test_what_nobody_wants_any_more_is_not_made_again(provider: Hasty, ana: User, now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(ana, minutes=60), now=now)
    tick(now)
    send = provider.send

    def answered_meanwhile(method: ContactMethod, message: Message) -> Result:
        acknowledge_escalation(actor=Actor.of_user(ana, via="web"), escalation=escalation, now=now)
        return send(method, message)

    channels._senders[Kind.VOICE] = answered_meanwhile
    send_due(now)
    assert Page.objects.get().state == Page.State.SENT


def test_a_message_that_spoke_for_several_speaks_for_them_again(provider: Hasty, ana: User, now: datetime) -> None:
    provider.failures = 1
    for _ in range(2):
        oncall.escalation(oncall.level(ana, minutes=60), now=now)
    tick(now)
    send_due(now)
    assert {page.state for page in Page.objects.all()} == {Page.State.PENDING}
    send_due(now + AGAIN_AFTER)
    assert provider.calls == 2
    assert {page.state for page in Page.objects.all()} == {Page.State.SENT}
