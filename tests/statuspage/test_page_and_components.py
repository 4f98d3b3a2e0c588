"""Making pages and components, and what each component's record says."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from statuspage.actions import remove_component, save_component, save_page, set_component_status
from statuspage.models import Component, ComponentSpan, StatusPage
from tests.factories.accounts import actor
from tests.factories.catalog import service
from tests.factories.statuspage import LONG_AGO, page

pytestmark = pytest.mark.django_db


def test_a_manager_makes_a_page_and_changes_it(now: datetime) -> None:
    manager = actor(Role.MANAGER)
    made = save_page(actor=manager, name="Example", slug="example", now=now)
    changed = save_page(
        actor=manager,
        page=made,
        name="Example Inc",
        slug="example",
        time_zone="Asia/Bangkok",
        now=now + timedelta(days=1),
    )
    assert (changed.pk, changed.name, changed.time_zone, changed.created_at) == (
        made.pk,
        "Example Inc",
        "Asia/Bangkok",
        now,
    )


def test_responders_may_not_change_pages(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        save_page(actor=actor(), name="Example", slug="example", now=now)
    with pytest.raises(NotAllowed):
        save_component(actor=actor(), page=page(), name="API", now=now)


def test_two_pages_can_not_have_one_address(now: datetime) -> None:
    page(slug="example")
    with pytest.raises(Conflict, match="address"):
        save_page(actor=actor(Role.OWNER), name="Another", slug="example", now=now)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("slug", "no spaces"), ("time_zone", "Mars/Olympus"), ("support_url", "javascript:x")],
)
def test_a_page_that_makes_no_sense_is_refused(now: datetime, field: str, value: str) -> None:
    given: dict[str, Any] = {"name": "Example", "slug": "example", field: value}
    with pytest.raises(Invalid) as refusal:
        save_page(actor=actor(Role.OWNER), now=now, **given)
    assert refusal.value.field == field
    assert not StatusPage.objects.exists()


def test_components_go_last_and_are_bound_to_services(now: datetime) -> None:
    example, manager, payments = page("API"), actor(Role.MANAGER), service(name="payments")
    checkout = save_component(actor=manager, page=example, name="Checkout", services=[payments], now=now)
    assert checkout.position == 2
    assert list(checkout.services.all()) == [payments]
    changed = save_component(actor=manager, page=example, component=checkout, name="Till", position=1, now=now)
    assert (changed.name, changed.position) == ("Till", 1)
    assert list(changed.services.all()) == [payments]


def test_component_names_are_unique_on_their_page(now: datetime) -> None:
    example = page("API")
    with pytest.raises(Conflict):
        save_component(actor=actor(Role.MANAGER), page=example, name="API", now=now)


def test_a_component_can_be_taken_off(now: datetime) -> None:
    example = page("API")
    remove_component(actor=actor(Role.MANAGER), component=example.components.get(), now=now)
    assert not Component.objects.exists()


def test_each_change_of_status_ends_one_span_and_begins_another(now: datetime) -> None:
    api = page("API").components.get()
    for minutes, status in enumerate(["degraded_performance", "degraded_performance", "operational"]):
        set_component_status(actor=actor(), component=api, status=status, now=now + timedelta(minutes=minutes))
    spans = ComponentSpan.objects.filter(component=api).values_list("status", "starts_at", "ends_at")
    assert list(spans) == [
        ("operational", LONG_AGO, now),
        ("degraded_performance", now, now + timedelta(minutes=2)),
        ("operational", now + timedelta(minutes=2), None),
    ]


def test_two_changes_at_one_instant_leave_no_empty_span(now: datetime) -> None:
    api = page("API").components.get()
    set_component_status(actor=actor(), component=api, status="major_outage", now=now)
    set_component_status(actor=actor(), component=api, status="partial_outage", now=now)
    assert ComponentSpan.objects.filter(component=api).count() == 2
    assert ComponentSpan.objects.get(component=api, ends_at=None).status == "partial_outage"


def test_viewers_may_not_change_a_component(now: datetime) -> None:
    api = page("API").components.get()
    with pytest.raises(NotAllowed):
        set_component_status(actor=actor(Role.VIEWER), component=api, status="major_outage", now=now)


def test_an_unknown_status_is_refused(now: datetime) -> None:
    with pytest.raises(Invalid):
        set_component_status(actor=actor(), component=page("API").components.get(), status="burning", now=now)
