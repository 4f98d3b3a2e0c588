"""The admin shows every table, changes none by itself, and keeps private escalations private."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from oncall.engine import tick
from oncall.models import Escalation, PageAttempt
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import api_key, team, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(user(role=Role.ADMINISTRATOR))
    return client


def test_every_list_and_every_row_can_be_read_and_searched_and_no_secret_is_shown(client: Client) -> None:
    ana = user()
    team(ana)
    secret = api_key(ana).partition(".")[2]
    oncall.contact_method(ana, "webhook", address="https://example.com/", secret="the-secret")
    escalation = oncall.escalation(oncall.level(oncall.schedule(ana), ana), now=timezone.now())
    tick(timezone.now())
    assert escalation.pages.exists()
    for model in admin.site._registry:
        if model._meta.app_label not in {"accounts", "oncall"}:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200
        assert client.get(reverse(f"{name}_changelist"), {"q": "ana"}).status_code == 200
        assert client.get(reverse(f"{name}_add")).status_code == 403
        row = model._default_manager.first()
        if row is not None:
            answer = client.get(reverse(f"{name}_change", args=[row.pk]))
            assert answer.status_code == 200, name
            assert "the-secret" not in answer.content.decode()
            assert secret not in answer.content.decode()


def test_buttons_call_the_actions(client: Client) -> None:
    escalation = oncall.escalation(oncall.level(user()), now=timezone.now())
    address = reverse("admin:oncall_escalation_changelist")
    for verb, status in (("acknowledge", "acknowledged"), ("resolve", "resolved"), ("acknowledge", "resolved")):
        client.post(address, {"action": verb, "_selected_action": [escalation.pk]})
        escalation.refresh_from_db()
        assert escalation.status == status
    assert escalation.entries.get(kind="acknowledged").via == "admin"


def test_a_private_escalation_is_not_in_the_admin(client: Client) -> None:
    ana = user()
    oncall.contact_method(ana)
    escalation = oncall.escalation(oncall.level(ana), now=timezone.now(), is_private=True, title="Secret matter")
    tick(timezone.now())
    send_due(timezone.now())
    for name in ("escalation", "page", "pageattempt"):
        assert "Secret matter" not in client.get(reverse(f"admin:oncall_{name}_changelist")).content.decode()
    attempt = PageAttempt.objects.get()
    assert client.get(reverse("admin:oncall_pageattempt_change", args=[attempt.pk])).status_code == 302
    client.post(
        reverse("admin:oncall_escalation_changelist"), {"action": "resolve", "_selected_action": [escalation.pk]}
    )
    assert Escalation.objects.get().status == "triggered"


def test_only_administrators_enter(client: Client) -> None:
    client.force_login(user(role=Role.MANAGER))
    assert client.get(reverse("admin:oncall_schedule_changelist")).status_code == 302
