"""A person is reached as they asked to be: push now, SMS after two minutes, a call after five, until they answer."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import User
from oncall.channels import telephony
from oncall.contact_methods import RuleDraft, save_notification_rules
from oncall.engine import tick
from oncall.models import ContactMethod, Escalation, PageAttempt
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.servers import PushService, Twilio

pytestmark = pytest.mark.django_db
NUMBER = "+491701234567"
MINUTE = timedelta(minutes=1)


@dataclass
class World:
    """Ana, her phone's push service, and two accounts at Twilio of which the second stands in for the first."""

    ana: User
    push: PushService
    twilio: Twilio
    second: Twilio

    def heard(self) -> list[str]:
        """What has reached her so far, in kinds."""
        calls = {"Messages.json": "sms", "Calls.json": "call"}
        phones = [calls[each["kind"]] for server in (self.twilio, self.second) for each in server.sent]
        return ["push"] * len(self.push.received) + phones


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    second = Twilio(account="AC00000000000000000000000000000002", token="another", number="+4930000002")
    with ExitStack() as stack:
        push, twilio = stack.enter_context(PushService().running()), stack.enter_context(Twilio().running())
        stack.enter_context(second.running())
        settings.SMS_PROVIDERS = settings.VOICE_PROVIDERS = [twilio.provider("first"), second.provider("second")]
        ana = user(name="Ana")
        methods = [
            oncall.contact_method(ana, "push", address="phone", secret=json.dumps(push.subscription)),
            oncall.contact_method(ana, "sms", address=NUMBER),
            oncall.contact_method(ana, "voice", address=NUMBER),
        ]
        steps = [RuleDraft(method, delay) for method, delay in zip(methods, (0, 2, 5), strict=True)]
        save_notification_rules(actor=Actor.of_user(ana, via="web"), user=ana, urgency="high", steps=steps)
        yield World(ana, push, twilio, second)
        telephony._client.cache_clear()


def test_each_way_has_its_turn_and_a_key_ends_it(world: World, client: Client) -> None:
    now = timezone.now()
    escalation = oncall.escalation(oncall.level(world.ana, minutes=30), now=now)
    after: dict[int, list[str]] = {}
    for minute in range(6):
        tick(now + minute * MINUTE)
        send_due(now + minute * MINUTE)
        after[minute] = world.heard()
    assert after == {
        0: ["push"],
        1: ["push"],
        2: ["push", "sms"],
        3: ["push", "sms"],
        4: ["push", "sms"],
        5: ["push", "sms", "call"],
    }
    page = escalation.pages.get(channel="voice")
    gather = f"http://localhost:8000/twilio/voice/page-{page.pk}-1/"
    assert gather in world.twilio.sent[-1]["Twiml"]
    world.twilio.calls_back(client, gather, Digits="4", To=NUMBER)
    assert Escalation.objects.get(pk=escalation.pk).acknowledged_by == world.ana


def test_what_is_acknowledged_from_the_notification_rings_no_further(world: World, client: Client) -> None:
    now = timezone.now()
    escalation = oncall.escalation(oncall.level(world.ana, minutes=30), now=now)
    tick(now)
    send_due(now)
    link = world.push.received[0]["links"]["acknowledge"]
    assert client.post("/" + link.split("/", 3)[3] + "act/").status_code == 200
    for minute in range(1, 8):
        tick(now + minute * MINUTE)
        send_due(now + minute * MINUTE)
    assert world.heard() == ["push"]
    assert Escalation.objects.get(pk=escalation.pk).entries.get(kind="acknowledged").via == "push"


def test_a_storm_is_one_call_that_says_how_many_and_one_key_answers_all(world: World, client: Client) -> None:
    now = timezone.now()
    storm = [oncall.escalation(oncall.level(world.ana, minutes=30), now=now, title=f"Alert {n}") for n in range(7)]
    tick(now)
    send_due(now + 5 * MINUTE)
    assert sorted(world.heard()) == ["call", "push", "sms"], "all three are due, so they leave at once, in any order"
    (call,) = [each["Twiml"] for each in world.twilio.sent if each["kind"] == "Calls.json"]
    assert "7 alerts: Alert " in call
    gather = call.split('action="', 1)[1].split('"', 1)[0]
    world.twilio.calls_back(client, gather, Digits="4", To=NUMBER)
    assert {Escalation.objects.get(pk=each.pk).status for each in storm} == {Escalation.Status.ACKNOWLEDGED}


def test_the_second_account_stands_in_and_the_record_says_so(world: World) -> None:
    now = timezone.now()
    world.twilio.answer = 503
    escalation = oncall.escalation(oncall.level(world.ana, minutes=30), now=now)
    tick(now)
    send_due(now + 2 * MINUTE)
    assert [each["From"] for each in world.second.sent] == ["+4930000002"]
    attempt = PageAttempt.objects.get(page__in=escalation.pages.filter(channel="sms"))
    assert (attempt.outcome, attempt.provider) == ("accepted", "second")
    assert "first" in attempt.detail


def test_a_browser_that_unsubscribed_is_broken_and_the_rest_still_rings(world: World) -> None:
    now = timezone.now()
    world.push.status = 410
    oncall.escalation(oncall.level(world.ana, minutes=30), now=now)
    tick(now)
    send_due(now)
    assert "no longer subscribed" in ContactMethod.objects.get(kind="push").broken_reason
    send_due(now + 2 * MINUTE)
    assert world.twilio.sent[0]["kind"] == "Messages.json"
