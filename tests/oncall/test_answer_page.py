"""The page behind a page's link: small, without scripts, kind to old links, and it never acts on GET."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from oncall.actions import resolve_escalation
from oncall.engine import tick
from oncall.links import page_token
from oncall.models import Escalation, Page
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
Status = Escalation.Status


@pytest.fixture
def page(now: datetime) -> Page:
    ana = user(name="Ana", role="viewer", time_zone="Asia/Bangkok")
    oncall.contact_method(ana)
    facts = {"service": "payments", "severity": "<critical>"}
    escalation = oncall.escalation(oncall.level(ana), now=now, facts=facts, detail="x" * 50_000)
    tick(now)
    return escalation.pages.get()


def address(page: Page) -> str:
    return reverse("oncall:answer", args=[page_token(page.pk)])


def status(page: Page) -> str:
    return Escalation.objects.get(pk=page.escalation_id).status


def test_it_says_what_where_and_since_when_in_under_twenty_kilobytes(client: Client, page: Page) -> None:
    answer = client.get(address(page))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert len(answer.content) < 20_000
    for words in ("Payment API returning 500 errors", "payments", "&lt;critical&gt;", "16:26 +07", "Acknowledge"):
        assert words in html
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
    assert client.post(address(page)).status_code == 200


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
