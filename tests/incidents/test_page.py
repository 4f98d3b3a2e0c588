"""The page of an incident: what is on it, and what it costs however long the timeline has become."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Role, User
from incidents import updates
from incidents.models import Incident, Severity, TimelineEntry
from tests.factories import accounts, catalog, incidents

Queries = Callable[[int], AbstractContextManager[Any]]
MANY = 2_000


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def burning(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), severity="sev1", now=now)


def write(incident: Incident, entries: int, now: datetime) -> None:
    """Adds messages as they would be stored, without a transaction for each."""
    incident.refresh_from_db()
    first = incident.last_sequence + 1
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident=incident,
            sequence=sequence,
            kind=TimelineEntry.Kind.MESSAGE,
            text=f"Message **{sequence}**",
            actor_kind="user",
            actor_name="Ana Ferreira",
            via="web",
            occurred_at=now,
            recorded_at=now,
        )
        for sequence in range(first, first + entries)
    )
    Incident.objects.filter(pk=incident.pk).update(last_sequence=first + entries - 1)


def test_the_page_costs_the_same_with_two_thousand_entries(
    ana: User, burning: Incident, client: Client, now: datetime
) -> None:
    client.force_login(ana)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(burning.get_absolute_url()).status_code == 200
        return len(captured)

    write(burning, 120, now)
    cost()
    before = cost()
    write(burning, MANY, now)
    assert cost() == before
    assert before < 90


def test_what_matters_is_on_the_page_and_editable_by_responders_only(
    ana: User, burning: Incident, client: Client, now: datetime
) -> None:
    updates.post_update(actor=Actor.of_user(ana, via="web"), incident=burning, text="The pool is full.", now=now)
    client.force_login(ana)
    page = client.get(burning.get_absolute_url()).content.decode()
    for what in (
        'field="severity"',
        'field="status"',
        'field="name"',
        "The pool is full.",
        "next update",
        'id="presence"',
    ):
        assert what in page
    assert 'class="sheet incident-page may-respond"' in page
    assert 'data-opens="update-dialog"' in page
    client.force_login(accounts.user(role="viewer"))
    page = client.get(burning.get_absolute_url()).content.decode()
    assert "may-respond" not in page
    assert 'data-opens="update-dialog"' not in page
    assert 'id="message"' not in page


def test_the_step_to_the_next_incident_passes_over_those_that_are_not_there(
    ana: User, burning: Incident, client: Client, now: datetime
) -> None:
    bob = accounts.actor()
    hidden = incidents.incident(bob, name="A key has leaked", visibility="private", now=now)
    after = incidents.incident(bob, name="The one after", now=now)
    client.force_login(ana)
    page = client.get(burning.get_absolute_url()).content.decode()
    assert f'href="{after.get_absolute_url()}"' in page
    assert f'href="{hidden.get_absolute_url()}"' not in page


def test_the_menus_offer_what_can_be_done_without_a_word_of_why(ana: User, burning: Incident, client: Client) -> None:
    client.force_login(ana)
    kind = burning.incident_type
    kind.severities.set(Severity.objects.filter(slug__in=["sev1", "sev2"]))
    page = client.get(burning.get_absolute_url()).text
    menus = client.get(reverse("incidents:dialogs", args=[burning.number])).text
    offered = re.findall(r'<template id="choices-(\w+)">(.*?)</template>', menus, re.DOTALL)
    values = {name: re.findall(r'value="([\w-]+)"', menu) for name, menu in offered}
    assert values["severities"] == ["sev1", "sev2"]
    assert "monitoring" in values["statuses"]
    assert not {"triage", "declined", "canceled", "merged"} & set(values["statuses"])
    update = re.search(r'<select[^>]*name="status".*?</select>', page, re.DOTALL)
    assert update is not None
    assert "Monitoring" in update[0]
    assert "Declined" not in update[0]


def test_what_only_responders_open_is_for_no_one_else(ana: User, burning: Incident, client: Client) -> None:
    address = reverse("incidents:dialogs", args=[burning.number])
    client.force_login(ana)
    assert 'id="page-dialog"' in client.get(address).text
    client.force_login(accounts.user(role=Role.VIEWER))
    assert client.get(address).content == b""


def test_the_dialogs_cost_the_same_however_many_people_and_services(
    ana: User, burning: Incident, client: Client, django_assert_max_num_queries: Queries
) -> None:
    for _ in range(12):
        accounts.user()
        catalog.service()
    client.force_login(ana)
    with django_assert_max_num_queries(21):
        client.get(reverse("incidents:dialogs", args=[burning.number]))
