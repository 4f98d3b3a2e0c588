"""Schedules and policies are taken away only when nothing pages by them."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from events.errors import Conflict, NotAllowed
from oncall.engine import tick
from oncall.models import EscalationPolicy, Schedule
from oncall.policies import remove_policy
from oncall.scheduling import remove_schedule
from tests.factories import catalog, oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db


def test_a_schedule_that_a_policy_pages_stays() -> None:
    schedule = oncall.schedule(user())
    policy = oncall.policy(oncall.level(schedule))
    with pytest.raises(Conflict, match=policy.name):
        remove_schedule(actor=actor(Role.MANAGER), schedule=schedule)
    remove_policy(actor=actor(Role.MANAGER), policy=policy)
    remove_schedule(actor=actor(Role.MANAGER), schedule=schedule)
    assert not Schedule.objects.exists()


def test_a_policy_that_a_service_uses_stays() -> None:
    policy = oncall.policy(oncall.level(user()))
    service = catalog.service(escalation_policy=policy)
    with pytest.raises(Conflict, match="services"):
        remove_policy(actor=actor(Role.MANAGER), policy=policy)
    service.delete()
    remove_policy(actor=actor(Role.MANAGER), policy=policy)
    assert not EscalationPolicy.objects.exists()


def test_an_escalation_goes_on_when_its_policy_is_removed(now: datetime) -> None:
    ana = user(name="Ana")
    oncall.contact_method(ana)
    escalation = oncall.escalation(oncall.level(ana), now=now)
    assert escalation.policy
    remove_policy(actor=actor(Role.MANAGER), policy=escalation.policy)
    tick(now)
    assert escalation.pages.get().user == ana


def test_only_managers_remove_them() -> None:
    with pytest.raises(NotAllowed):
        remove_schedule(actor=actor(), schedule=oncall.schedule())
    with pytest.raises(NotAllowed):
        remove_policy(actor=actor(), policy=oncall.policy(oncall.level(user())))


def test_the_buttons_stand_on_the_forms(client: Client) -> None:
    client.force_login(user(role=Role.MANAGER))
    schedule, policy = oncall.schedule(), oncall.policy(oncall.level(user()))
    for kind, slug in (("schedule", schedule.slug), ("policy", policy.slug)):
        address = reverse(f"oncall:{kind}-remove", args=[slug])
        assert address in client.get(reverse(f"oncall:{kind}-edit", args=[slug])).content.decode()
        assert client.post(address).status_code == 302
    assert not Schedule.objects.exists()
    assert not EscalationPolicy.objects.exists()
