"""The list of escalations asks the database as much for 25 rows as for one."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import Role
from oncall.actions import acknowledge_escalation
from oncall.engine import tick
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.ladders import reachable

pytestmark = pytest.mark.django_db
ADDRESSES = ["/oncall/escalations/", "/api/v1/escalations/", "/api/v1/pages/", "/admin/oncall/escalation/"]


def taken_escalation(now: datetime) -> None:
    """One of its own policy, that paged two people and that one of them has acknowledged."""
    ana, bob = reachable("Ana"), reachable("Bob")
    escalation = oncall.escalation(oncall.level(ana, bob), now=now)
    tick(now)
    acknowledge_escalation(actor=Actor.of_user(ana, via="web"), escalation=escalation, now=now)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_long_list_takes_no_more_queries_than_a_short_one(
    client: Client, now: datetime, django_assert_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    client.force_login(user(role=Role.OWNER))
    taken_escalation(now)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        assert client.get(address).status_code == 200
    for _ in range(24):
        taken_escalation(now)
    with django_assert_num_queries(len(few)):
        assert client.get(address).status_code == 200
