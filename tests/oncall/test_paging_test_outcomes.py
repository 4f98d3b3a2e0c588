"""What last came of a paging test: kept with it, so that lists read it, and its author hears when it begins to fail."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.errors import NotAllowed
from events.models import Event
from oncall.models import PagingTest
from oncall.paging_tests import check_paging_tests, run_paging_tests, save_paging_test
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, user
from tests.oncall.ladders import NOON, ladder, reachable, rung
from tests.oncall.test_paging_tests import hand_over_to

pytestmark = pytest.mark.django_db
Outcome = PagingTest.Outcome
HOUR = timedelta(hours=1)
SPEC = {"policy": "payments-critical", "at": "Sunday 03:00 Europe/Berlin", "expect": [{"pages": "Ana"}]}


@pytest.fixture
def manager() -> User:
    return user(name="Mona", role=Role.MANAGER)


@pytest.fixture
def ana() -> User:
    person = reachable("Ana")
    ladder(rung(person), name="Payments, critical", slug="payments-critical")
    return person


def stored(author: User, name: str = "Nights", **fields: Any) -> PagingTest:
    given = {**SPEC, **fields.pop("spec", {})}
    return save_paging_test(actor=Actor.of_user(author, via="web"), name=name, spec=given, now=NOON, **fields)


def mails() -> list[str]:
    while deliver_due(timezone.now()):
        pass
    return [f"{message.to[0]}: {message.subject}" for message in mail.outbox]


def broke() -> list[str]:
    found = Event.objects.filter(name__in=["paging_test.broke", "paging_test.mended"]).order_by("id")
    return [event.name.removeprefix("paging_test.") for event in found]


def test_a_test_is_checked_as_it_is_saved(ana: User, manager: User) -> None:
    test = stored(manager)
    assert (test.outcome, test.broken, test.checked_at, test.author) == (Outcome.HOLDS, [], NOON, manager)
    assert test.looks_at is not None
    assert test.looks_at > NOON
    failing = stored(manager, "Nobody", spec={"expect": [{"pages": "Nora"}]})
    assert (failing.outcome, failing.broken) == (
        Outcome.BROKEN,
        ["expected that Nora is paged, but nobody is called Nora"],
    )
    assert broke() == []


def test_a_test_whose_subject_is_missing_is_neither_kept_nor_broken(manager: User) -> None:
    test = stored(manager)
    assert (test.outcome, test.broken) == (Outcome.UNKNOWN, ["there is no escalation policy payments-critical"])


def test_the_hourly_pass_finds_what_no_save_has_broken_and_tells_the_author_once(ana: User, manager: User) -> None:
    test = stored(manager)
    ana.contact_methods.all().delete()
    assert check_paging_tests(NOON + HOUR) == 1
    assert check_paging_tests(NOON + 2 * HOUR) == 1
    test.refresh_from_db()
    assert (test.outcome, test.checked_at) == (Outcome.BROKEN, NOON + 2 * HOUR)
    assert broke() == ["broke"]
    assert mails() == [f"{manager.email}: The paging test “Nights” does not hold any more"]
    assert "expected that Ana is paged" in mail.outbox[0].body
    assert f"/oncall/paging-tests/{test.pk}/" in mail.outbox[0].body


def test_a_test_that_holds_again_says_so_and_may_break_again(ana: User, manager: User) -> None:
    stored(manager)
    ana.contact_methods.update(is_enabled=False)
    check_paging_tests(NOON + HOUR)
    ana.contact_methods.update(is_enabled=True)
    assert check_paging_tests(NOON + 2 * HOUR) == 0
    ana.contact_methods.update(is_enabled=False)
    check_paging_tests(NOON + 3 * HOUR)
    assert broke() == ["broke", "mended", "broke"]


def test_nobody_is_mailed_about_what_was_mended_meanwhile_or_guards_nothing(ana: User, manager: User) -> None:
    stored(manager)
    stored(manager, "Off", is_active=False)
    ana.contact_methods.update(is_enabled=False)
    check_paging_tests(NOON + HOUR)
    assert broke() == ["broke"]
    ana.contact_methods.update(is_enabled=True)
    check_paging_tests(NOON + 2 * HOUR)
    assert mails() == []


def test_without_its_author_all_managers_hear_of_it(ana: User, manager: User) -> None:
    other = user(role=Role.ADMINISTRATOR)
    stored(manager)
    manager.is_active = False
    manager.save()
    ana.contact_methods.update(is_enabled=False)
    check_paging_tests(NOON + HOUR)
    assert mails() == [f"{other.email}: The paging test “Nights” does not hold any more"]


def test_a_save_that_checks_all_keeps_what_it_found(manager: User) -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    schedule = oncall.schedule(ana)
    ladder(rung(schedule), name="Payments, critical", slug="payments-critical")
    test, waiting = stored(manager), stored(manager, "Bob too", spec={"expect": [{"pages": "Bob"}]})
    hand_over_to(schedule, bob, override_reason="Ana is on leave for a year")
    for each in (test, waiting):
        each.refresh_from_db()
    assert (test.outcome, waiting.outcome) == (Outcome.BROKEN, Outcome.HOLDS)
    assert sorted(broke()) == ["broke", "mended"]
    # Whoever broke it knows; its author did not.
    assert mails() == [f"{manager.email}: The paging test “Nights” does not hold any more"]


def test_whoever_breaks_their_own_test_is_not_mailed(ana: User, manager: User) -> None:
    test = stored(manager)
    stored(manager, test=test, spec={"expect": [{"does_not_page": "Ana"}]})
    assert broke() == ["broke"]
    assert mails() == []


def test_an_older_finding_does_not_take_the_place_of_a_newer_one(ana: User, manager: User) -> None:
    test = stored(manager)
    ana.contact_methods.update(is_enabled=False)
    check_paging_tests(NOON - HOUR)
    test.refresh_from_db()
    assert (test.outcome, test.checked_at) == (Outcome.HOLDS, NOON)


def test_responders_check_and_viewers_do_not(client: Client, ana: User, manager: User) -> None:
    test = stored(manager)
    with pytest.raises(NotAllowed):
        run_paging_tests(actor=actor(Role.VIEWER), tests=[test], now=NOON)
    ana.contact_methods.update(is_enabled=False)
    client.force_login(manager)
    page = client.post(f"/oncall/paging-tests/{test.pk}/check/", follow=True).content.decode()
    assert "It does not hold: see what happens instead." in page
    assert "Expected that Ana is paged" in page
    client.force_login(user())
    assert "0 of 1 hold." in client.post("/oncall/paging-tests/check/", follow=True).content.decode()
    client.force_login(user(role=Role.VIEWER))
    assert client.post("/oncall/paging-tests/check/").status_code == 403
    assert "Check all now" not in client.get("/oncall/paging-tests/").content.decode()


def test_the_api_checks_and_keeps(client: Client, ana: User, manager: User) -> None:
    test = stored(manager)
    stored(manager, "Off", is_active=False)
    ana.contact_methods.update(is_enabled=False)
    key = {"Authorization": f"Bearer {api_key(manager)}"}
    said = client.post("/api/v1/paging-tests/run/", headers=key).json()
    assert [(each["name"], each["outcome"]) for each in said] == [("Nights", "broken"), ("Off", "broken")]
    row = client.get(f"/api/v1/paging-tests/{test.pk}/", headers=key).json()
    assert (row["outcome"], row["author"]) == ("broken", manager.pk)
    assert "expected that Ana is paged" in row["broken"][0]
    assert client.get("/api/v1/paging-tests/?outcome=holds", headers=key).json()["results"] == []
    assert len(client.get("/api/v1/paging-tests/?outcome=broken", headers=key).json()["results"]) == 2


def test_the_list_is_filtered_by_outcome(client: Client, ana: User, manager: User) -> None:
    stored(manager, "This one holds")
    stored(manager, "This one not", spec={"expect": [{"pages": "Nora"}]})
    client.force_login(manager)
    page = client.get("/oncall/paging-tests/?outcome=broken").content.decode()
    assert "This one not" in page
    assert "This one holds" not in page


@pytest.mark.parametrize("address", ["/oncall/paging-tests/", "/api/v1/paging-tests/", "/admin/oncall/pagingtest/"])
def test_a_long_list_takes_no_more_queries_than_a_short_one(
    client: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    client.force_login(user(role=Role.OWNER))
    stored(user(role=Role.MANAGER), "0")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        assert client.get(address).status_code == 200
    for number in range(1, 25):
        stored(user(role=Role.MANAGER), str(number))
    with django_assert_num_queries(len(few)):
        assert client.get(address).status_code == 200
