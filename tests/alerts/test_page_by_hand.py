"""Paging people by hand: a person, a service's people, a policy."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, Scope, User
from alerts.by_hand import page_by_hand
from events.errors import Invalid, NotAllowed
from oncall.actions import start_escalation
from oncall.engine import tick
from oncall.models import Escalation, Page
from tests.factories import accounts, catalog, oncall

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    person = accounts.user(name="Ana Ruiz")
    oncall.contact_method(person)
    return person


def test_one_person_is_paged_again_until_they_answer(ana: User, now: datetime) -> None:
    started = page_by_hand(actor=accounts.actor(), user=ana, title="Come, please", now=now)
    tick(now)
    assert (started.policy, started.path["policy"]) == (None, "Ana Ruiz")
    assert Page.objects.get().user == ana


def test_a_service_pages_by_its_policy(ana: User, now: datetime) -> None:
    service = catalog.service(escalation_policy=oncall.policy(oncall.level(ana)))
    started = page_by_hand(actor=accounts.actor(), service=service, title="It hangs", urgency="low", now=now)
    assert (started.policy, started.urgency) == (service.escalation_policy, "low")
    assert started.facts == {"service": service.name}


def test_a_service_without_a_policy_pages_nobody_silently(now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        page_by_hand(actor=accounts.actor(), service=catalog.service(), title="It hangs", now=now)
    assert refused.value.field == "service"


@pytest.mark.parametrize("names", [(), ("user", "policy"), ("user", "service", "policy")])
def test_exactly_one_is_paged(ana: User, now: datetime, names: tuple[str, ...]) -> None:
    policy = oncall.policy(oncall.level(ana))
    every: dict[str, Any] = {"user": ana, "service": catalog.service(escalation_policy=policy), "policy": policy}
    with pytest.raises(Invalid):
        page_by_hand(actor=accounts.actor(), title="x", now=now, **{name: every[name] for name in names})


def test_somebody_who_is_gone_is_not_paged(now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        start_escalation(actor=accounts.actor(), user=accounts.user(is_active=False), title="x", now=now)
    assert refused.value.field == "user"


def test_viewers_page_nobody(ana: User, now: datetime, client: Client) -> None:
    with pytest.raises(NotAllowed):
        page_by_hand(actor=accounts.actor(Role.VIEWER), user=ana, title="x", now=now)
    client.force_login(accounts.user(role=Role.VIEWER))
    assert client.get(reverse("alerts:page")).status_code == 403
    assert client.post(reverse("alerts:page"), {"user": ana.pk, "title": "x"}).status_code == 403


def test_the_form_pages_and_leads_to_what_it_started(ana: User, client: Client) -> None:
    client.force_login(accounts.user())
    answer = client.post(reverse("alerts:page"), {"user": ana.pk, "title": "Come, please", "urgency": "high"})
    assert answer.headers["Location"] == reverse("oncall:escalation", args=[Escalation.objects.get().pk])
    assert client.get(answer.headers["Location"]).status_code == 200
    nobody = client.post(reverse("alerts:page"), {"title": "Come, please"})
    assert nobody.status_code == 422
    assert "Say whom to page." in nobody.content.decode()
    policy = oncall.policy(oncall.level(ana))
    page = client.get(reverse("alerts:page"), {"policy": policy.slug, "user": str(ana.pk), "service": "none"})
    assert (page.context["form"].initial["policy"], page.context["form"].initial["user"]) == (policy, ana)


def test_people_are_paged_by_rest(ana: User) -> None:
    key = accounts.api_key(accounts.user(), Scope.READ, Scope.ONCALL)
    client = Client(headers={"authorization": f"Bearer {key}"})
    made = client.post("/api/v1/manual-pages/", {"user": ana.pk, "title": "Come"}, content_type="application/json")
    assert (made.status_code, made.json()["status"]) == (201, "triggered")
    both = client.post("/api/v1/escalations/", {"user": ana.pk, "title": "Come"}, content_type="application/json")
    assert both.status_code == 201
    wrong = client.post("/api/v1/manual-pages/", {"title": "Come"}, content_type="application/json")
    assert wrong.status_code == 400
