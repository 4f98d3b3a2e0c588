"""Queries that are compiled once: they find what the ORM finds, for other values each time, and in every thread."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import Role, User
from events.prepared import Prepared, holds, told
from oncall.models import ContactMethod
from tests.factories import accounts, oncall

METHODS = Prepared(
    lambda: (
        ContactMethod.objects.filter(holds("oncall_contactmethod.id = ANY({ids})"), is_enabled=True)
        .select_related("user__on_call_profile")
        .defer("user__password")
        .annotate(is_new=told("oncall_contactmethod.id >= {first}"))
        .order_by("-id")
    )
)


@pytest.mark.django_db
def test_it_finds_what_the_orm_finds(django_assert_num_queries: Any) -> None:
    first, second = (oncall.contact_method(accounts.user(), secret="s3cret") for _ in range(2))
    with django_assert_num_queries(2):
        both = METHODS(ids=[first.pk, second.pk], first=second.pk)
        [one] = METHODS(ids=[first.pk], first=first.pk)
    assert both == list(ContactMethod.objects.order_by("-id"))
    assert [vars(each)["is_new"] for each in both] == [True, False]
    assert (one.user.email, one.secret) == (first.user.email, "s3cret")
    assert one.user.get_deferred_fields() == {"password"}
    assert METHODS(ids=[], first=0) == []


@pytest.mark.django_db
def test_what_is_given_is_a_value_and_never_sql() -> None:
    accounts.user(name="Ana")
    named = Prepared(lambda: User.objects.filter(holds("name = {name}"), role=Role.RESPONDER))
    assert named(name="' OR true --") == []
    assert [user.name for user in named(name="Ana")] == ["Ana"]


@pytest.mark.django_db(transaction=True)
def test_each_thread_compiles_it_for_its_own_connection() -> None:
    method = oncall.contact_method(accounts.user())

    def ask() -> Sequence[ContactMethod]:
        try:
            return METHODS(ids=[method.pk], first=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert [each.result() for each in [threads.submit(ask) for _ in range(8)]] == [[method]] * 8
