"""The pages behind a page's links: small, without scripts, kind to old links; each does its one thing, never on GET."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from oncall.actions import acknowledge_escalation, add_responder, resolve_escalation
from oncall.engine import tick
from oncall.links import ACTS, page_token
from oncall.models import ContactMethod, Escalation, Page
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
Status = Escalation.Status


@pytest.fixture
def page(now: datetime) -> Page:
    ana = user(name="Ana", role="viewer", time_zone="Asia/Bangkok")
    oncall.contact_method(ana)
    facts = {"alert": "https://example.com/1", "host": "db-7", "severity": "<critical>", "service": "payments"}
    escalation = oncall.escalation(oncall.level(ana), now=now, facts=facts, detail="x" * 50_000)
    tick(now)
    return escalation.pages.get()


def address(page: Page, verb: str = "answer") -> str:
    return reverse("oncall:answer", args=[page_token(page.pk, page.user_id, verb)])


def act(page: Page, verb: str) -> str:
    return reverse("oncall:answer-act", args=[page_token(page.pk, page.user_id, verb)])


def status(page: Page) -> str:
    return Escalation.objects.get(pk=page.escalation_id).status


def test_it_says_what_where_and_since_when_in_under_twenty_kilobytes(client: Client, page: Page) -> None:
    answer = client.get(address(page))
    html = answer.content.decode()
    assert answer.status_code == 200
    stylesheet = (settings.BASE_DIR / "static" / "css" / "answer.css").read_bytes()
    assert html.count("/static/") == 1
    assert len(answer.content) + len(stylesheet) < 20_000
    for words in ("Payment API returning 500 errors", "payments", "&lt;critical&gt;", "16:26 +07", "Acknowledge"):
        assert words in html
    assert re.findall("<dt>(.*)</dt>", html) == ["service", "severity", "host", "alert"]
    assert "<script" not in html
    assert "no-store" in answer["Cache-Control"]


def test_looking_at_it_does_nothing(client: Client, page: Page) -> None:
    client.get(address(page))
    client.head(address(page))
    assert status(page) == Status.TRIGGERED


def test_pressing_the_button_acknowledges_as_the_paged_person_by_the_pages_channel(client: Client, page: Page) -> None:
    answer = client.post(address(page), follow=True)
    assert "You have it" in answer.content.decode()
    escalation = Escalation.objects.get(pk=page.escalation_id)
    assert (escalation.status, escalation.acknowledged_by) == (Status.ACKNOWLEDGED, page.user)
    assert escalation.entries.get(kind="acknowledged").via == "email"


def test_pressing_it_twice_is_as_good_as_once(client: Client, page: Page) -> None:
    client.post(address(page))
    assert client.post(address(page)).status_code == 302
    assert page.escalation.entries.filter(kind="acknowledged").count() == 1


def test_what_is_over_is_told_kindly(client: Client, page: Page, now: datetime) -> None:
    resolve_escalation(actor=oncall.SYSTEM, escalation=page.escalation, now=now)
    assert "This is over" in client.get(address(page)).content.decode()
    assert "already resolved" in client.post(address(page)).content.decode()


def test_a_form_from_elsewhere_is_refused(page: Page) -> None:
    assert Client(enforce_csrf_checks=True).post(address(page)).status_code == 403
    assert status(page) == Status.TRIGGERED


@pytest.mark.parametrize("token", ["x", "MQ:abc:def", "%20"])
def test_a_wrong_link_says_what_to_do(client: Client, db: None, token: str) -> None:
    for answer in (client.get(f"/p/{token}/"), client.post(f"/p/{token}/")):
        assert answer.status_code == 404
        assert reverse("oncall:pages") in answer.content.decode()


def test_the_link_of_somebody_who_has_left_works_no_more(client: Client, page: Page) -> None:
    page.user.is_active = False
    page.user.save()
    assert client.post(address(page)).status_code == 404
    assert status(page) == Status.TRIGGERED


def level_of(page: Page) -> tuple[int, bool]:
    escalation = Escalation.objects.get(pk=page.escalation_id)
    return escalation.level, escalation.due_at is not None and escalation.due_at <= timezone.now()


def test_the_general_link_offers_three_answers_and_each_other_link_one(client: Client, page: Page) -> None:
    offered = {verb: client.get(address(page, verb)).content.decode() for verb in ("answer", *ACTS)}
    for verb in ACTS:
        assert f'value="{verb}"' in offered["answer"]
        assert [each for each in ACTS if f'value="{each}"' in offered[verb]] == [verb]
    assert client.get(address(page, "received")).status_code == 404


def test_a_link_does_nothing_but_what_it_names(client: Client, page: Page) -> None:
    assert client.post(address(page, "decline"), {"verb": "acknowledge"}).status_code == 404
    assert status(page) == Status.TRIGGERED
    client.post(address(page, "acknowledge"))
    assert status(page) == Status.ACKNOWLEDGED


def test_the_link_of_one_person_is_not_the_link_of_another(client: Client, page: Page) -> None:
    forged = reverse("oncall:answer", args=[page_token(page.pk, user().pk)])
    assert client.post(forged).status_code == 404


def test_escalating_makes_the_next_level_due_and_twice_skips_none(client: Client) -> None:
    now = timezone.now()
    ana, bob = user(name="Ana"), user(name="Bob")
    oncall.contact_method(ana)
    oncall.contact_method(bob)
    escalation = oncall.escalation(oncall.level(ana), oncall.level(bob), oncall.level(user()), now=now)
    tick(now)
    page = escalation.pages.get()
    assert "Escalated" in client.post(address(page), {"verb": "escalate"}).content.decode()
    assert "Already escalated" in client.post(address(page), {"verb": "escalate"}).content.decode()
    tick(timezone.now())
    assert set(escalation.pages.values_list("user__name", flat=True)) == {"Ana", "Bob"}
    assert "Already escalated" in client.post(address(page, "escalate")).content.decode()
    assert level_of(page) == (2, False)


def test_declining_is_kept_and_said(client: Client, page: Page) -> None:
    assert "Declined" in client.post(address(page), {"verb": "decline"}).content.decode()
    assert page.escalation.answers.get().kind == "declined"


def test_who_has_it_and_since_when_is_told_to_the_others(client: Client, page: Page) -> None:
    bob = user(name="Bob")
    since = timezone.now() - timedelta(minutes=2, seconds=5)
    acknowledge_escalation(actor=Actor.of_user(bob, via="web"), escalation=page.escalation, now=since)
    html = client.get(address(page)).content.decode()
    assert "Already acknowledged by Bob, 2 min ago" in html
    assert 'name="verb"' not in html
    client.post(address(page))
    assert Escalation.objects.get(pk=page.escalation_id).acknowledged_by == bob


def test_one_button_answers_everything_that_was_sent_together(client: Client, now: datetime, page: Page) -> None:
    other = oncall.escalation(oncall.level(page.user), now=now, title="Disk full")
    tick(now)
    send_due(now)
    carrier = Page.objects.get(carries__isnull=False)
    html = client.get(address(carrier)).content.decode()
    assert "Acknowledge all 2" in html
    assert "Disk full" in html
    client.post(address(carrier))
    assert status(page) == Status.ACKNOWLEDGED
    assert Escalation.objects.get(pk=other.pk).status == Status.ACKNOWLEDGED


def test_where_everybody_must_answer_ones_own_answer_is_said_and_the_others_are_still_paged(client: Client) -> None:
    now, ana, bob = timezone.now(), user(name="Ana"), user(name="Bob")
    oncall.contact_method(ana)
    oncall.contact_method(bob)
    escalation = oncall.escalation(replace(oncall.level(ana, bob), answers_needed=0), now=now)
    tick(now)
    first, second = escalation.pages.get(user=ana), escalation.pages.get(user=bob)
    assert "You acknowledged" in client.post(address(first), follow=True).content.decode()
    assert status(first) == Status.TRIGGERED
    assert 'value="acknowledge"' in client.get(address(second)).content.decode()
    assert "others must answer too" in client.post(act(first, "acknowledge")).json()["text"]
    assert "You have it" in client.post(address(second), follow=True).content.decode()


def test_a_call_for_help_is_answered_by_coming_or_not(client: Client, page: Page, now: datetime) -> None:
    bob, eve = user(name="Bob"), user(name="Eve")
    oncall.contact_method(eve)
    boss = Actor.of_user(bob, via="web")
    acknowledge_escalation(actor=boss, escalation=page.escalation, now=now)
    add_responder(actor=boss, escalation=page.escalation, user=eve, now=now)
    help_page = page.escalation.pages.get(user=eve)
    html = client.get(address(help_page)).content.decode()
    assert "Bob has it and asks for your help." in html
    assert "I'm coming" in html
    assert 'value="escalate"' not in html
    assert client.post(address(help_page), {"verb": "escalate"}).status_code == 404
    assert "You help" in client.post(address(help_page), follow=True).content.decode()
    assert Escalation.objects.get(pk=page.escalation_id).acknowledged_by == bob


# --- The buttons of a notification ------------------------------------------------------------------------------------


def test_a_notifications_button_answers_without_a_form(page: Page) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(act(page, "acknowledge"))
    assert (answer.status_code, answer.json()["text"]) == (200, "Acknowledged: Payment API returning 500 errors")
    assert status(page) == Status.ACKNOWLEDGED


@pytest.mark.parametrize("verb", ["answer"])
def test_the_general_link_is_no_button(client: Client, page: Page, verb: str) -> None:
    assert client.post(act(page, verb)).status_code == 404
    assert client.get(act(page, "acknowledge")).status_code == 405
    assert status(page) == Status.TRIGGERED


def test_a_device_reports_that_the_page_arrived_and_once_is_enough(client: Client, now: datetime, page: Page) -> None:
    send_due(now)
    assert client.post(act(page, "received")).status_code == 204
    assert client.post(act(page, "received")).status_code == 204
    attempt = page.attempts.get()
    assert [receipt.kind for receipt in attempt.receipts.all()] == ["delivered"]
    assert ContactMethod.objects.get(user=page.user).proved_at is not None
    assert page.escalation.entries.filter(kind="receipt").count() == 1


def test_what_can_not_be_done_any_more_is_said(client: Client, page: Page, now: datetime) -> None:
    resolve_escalation(actor=oncall.SYSTEM, escalation=page.escalation, now=now)
    answer = client.post(act(page, "acknowledge"))
    assert answer.status_code == 409
    assert "already resolved" in answer.json()["text"]
