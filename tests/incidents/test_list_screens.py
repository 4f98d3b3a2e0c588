"""The lists of incidents on screen: filters, the board, the wall, and CSV; what they cost does not grow."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import User
from incidents import actions, fields, membership
from incidents.models import CustomField, Incident, IncidentStatus
from tests.factories import accounts, catalog, incidents


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira")


@pytest.fixture
def actor(ana: User) -> Actor:
    return Actor.of_user(ana, via="web")


@pytest.fixture
def browser(ana: User, client: Client) -> Client:
    client.force_login(ana)
    return client


def rows(browser: Client, query: str = "") -> list[dict[str, str]]:
    """What the export says."""
    text = file_of(browser.get(f"/incidents/export.csv{query}"))
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def file_of(response: Any) -> str:
    """A streamed answer, whole."""
    return b"".join(response.streaming_content).decode()


def test_filters_find_by_who_what_and_when(browser: Client, ana: User, actor: Actor, now: datetime) -> None:
    team = accounts.team()
    service = catalog.service(team=team)
    led = incidents.incident(actor, name="Led and late", services=[service], lead=ana, now=now)
    Incident.objects.filter(pk=led.pk).update(next_update_due_at=now - timedelta(days=400))
    other = incidents.incident(accounts.actor(), name="Another", now=now)
    Incident.objects.filter(pk=other.pk).update(next_update_due_at=None)
    for query in (
        *(f"lead={ana.pk}", f"person={ana.pk}", "role=lead", f"service={service.slug}", f"team={team.slug}"),
        *(f"declared_by={ana.pk}", "overdue=true", f"category=active&lead={ana.pk}"),
    ):
        assert [row["name"] for row in rows(browser, f"?{query}")] == ["Led and late"], query
        page = browser.get(f"/incidents/?{query}").content.decode()
        assert "Led and late" in page, query
        assert "Another" not in page, query
    assert rows(browser, "?resolved_after=2020-01-01T00:00Z") == []


def test_a_spreadsheet_gets_every_column_and_field_and_no_formula(
    browser: Client, ana: User, actor: Actor, now: datetime
) -> None:
    CustomField.objects.create(name="Region", slug="region", position=1)
    incident = incidents.incident(actor, name="=1+1", lead=ana, now=now)
    fields.set_fields(actor=actor, incident=incident, values={"region": "@north"}, now=now)
    (row,) = rows(browser)
    assert row["name"] == "'=1+1"
    assert row["Region"] == "'@north"
    assert row["reference"] == incident.reference
    assert row["lead"] == "Ana Ferreira"
    assert row["declared at"] == now.isoformat(timespec="seconds")


def test_the_board_moves_by_the_same_verbs_and_shows_columns(browser: Client, actor: Actor, now: datetime) -> None:
    incident = incidents.incident(actor, name="On the board", now=now)
    page = browser.get("/incidents/board/").content.decode()
    for status in IncidentStatus.objects.filter(category__in=["triage", "active"]):
        assert f'data-column="{status.slug}"' in page
    assert f'data-value="{incident.status.slug}"' in page
    assert f'data-value="{incident.severity.slug}"' in browser.get("/incidents/board/?by=severity").content.decode()
    actions.resolve_incident(actor=actor, incident=incident, now=now)
    assert "On the board" in browser.get("/incidents/board/").content.decode(), "what is left to do after it stays"


def test_nobody_sees_a_private_incident_on_list_board_wall_or_in_csv(
    browser: Client, actor: Actor, now: datetime
) -> None:
    bob = accounts.actor()
    hidden = incidents.incident(bob, name="A key has leaked", now=now)
    membership.set_visibility(actor=bob, incident=hidden, visibility="private", now=now)
    mine = incidents.incident(actor, name="Our own secret", now=now)
    membership.set_visibility(actor=actor, incident=mine, visibility="private", now=now)
    for address in ("/incidents/", "/incidents/board/", "/incidents/wall/"):
        assert "A key has leaked" not in browser.get(address).content.decode(), address
    assert "Our own secret" in browser.get("/incidents/").content.decode()
    assert "Our own secret" not in browser.get("/incidents/wall/").content.decode(), "everybody reads the wall"
    assert [row["name"] for row in rows(browser)] == ["Our own secret"]


def test_the_wall_tells_the_worst_first_and_who_is_missing(
    browser: Client, ana: User, actor: Actor, now: datetime
) -> None:
    incidents.incident(actor, name="A small one", severity="sev4", now=now)
    incidents.incident(actor, name="A large one", severity="sev1", lead=ana, now=now)
    page = browser.get("/incidents/wall/").content.decode()
    assert page.index("A large one") < page.index("A small one")
    assert "Ana Ferreira leads" in page
    assert "Nobody leads" in page


@pytest.mark.parametrize("address", ["/incidents/", "/incidents/board/", "/incidents/wall/"])
def test_a_list_costs_the_same_with_more_incidents(browser: Client, actor: Actor, now: datetime, address: str) -> None:
    def add() -> None:
        incidents.incident(actor, services=[catalog.service()], lead=accounts.user(), now=now)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address).status_code == 200
        return len(captured)

    add()
    browser.get(address)
    before = cost()
    for _ in range(5):
        add()
    assert cost() == before


def test_programs_get_the_same_file(browser: Client, actor: Actor, now: datetime) -> None:
    incidents.incident(actor, name="Small", severity="sev4", now=now)
    incidents.incident(actor, name="Large", severity="sev1", now=now)
    response = browser.get("/api/v1/incidents/csv/?severity=sev1")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = file_of(response)
    assert "Large" in text
    assert "Small" not in text
