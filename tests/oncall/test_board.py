"""The board: every team's on call, and a secret address that shows it on a wall."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from events.errors import Conflict, NotAllowed
from oncall.board import add_board_address, board, board_link
from oncall.models import BoardAddress, Schedule
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, team, user

pytestmark = pytest.mark.django_db


def owned(schedule: Schedule, **fields: str) -> Schedule:
    Schedule.objects.filter(pk=schedule.pk).update(team=team(**fields))
    schedule.refresh_from_db()
    return schedule


def address(**fields: object) -> BoardAddress:
    given = {"actor": actor(Role.MANAGER), "name": "Kitchen", "now": timezone.now(), **fields}
    return add_board_address(**given)  # type: ignore[arg-type]


def path_of(given: BoardAddress) -> str:
    return reverse("oncall:board-embed", args=[given.token])


def test_schedules_stand_by_team_and_those_of_none_come_last() -> None:
    oncall.schedule(user(), name="Aardvark")
    owned(oncall.schedule(user(), name="Search primary"), name="Search")
    owned(oncall.schedule(name="Payments primary"), name="Payments")
    shown = [(str(each.team), [row.schedule.name for row in each.rows]) for each in board(timezone.now())]
    assert shown == [
        ("Payments", ["Payments primary"]),
        ("Search", ["Search primary"]),
        ("None", ["Aardvark"]),
    ]


def test_whether_people_can_be_reached_is_told() -> None:
    now = timezone.now()
    proved, old, browser, nothing = user(), user(), user(), user()
    oncall.contact_method(proved, proved_at=now - timedelta(days=3))
    oncall.contact_method(old, proved_at=now - timedelta(days=300))
    oncall.contact_method(browser, "web")
    for person in (proved, old, browser, nothing):
        oncall.schedule(person)
    found = {duty.person: duty.reach for each in board(now) for row in each.rows for duty in row.on_duty}
    assert found == {proved: "proved", old: "unproved", browser: "unreachable", nothing: "unreachable"}


def test_the_page_shows_it_to_those_who_sign_in() -> None:
    ana = user(name="Ana Ferreira")
    owned(oncall.schedule(ana, name="Payments primary"), name="Payments")
    oncall.schedule(name="Deserted")
    client = Client()
    client.force_login(ana)
    html = client.get(reverse("oncall:now")).content.decode()
    for words in ("Payments primary", "Ana Ferreira", "t be reached", "Nobody is on call"):
        assert words in html, words


def test_another_instant_is_asked_for_in_the_viewers_zone() -> None:
    ana, bob = user(name="Ana Ferreira", time_zone="Asia/Bangkok"), user(name="Bob Ito")
    oncall.contact_method(bob, proved_at=timezone.now())
    oncall.schedule(ana, bob)
    client = Client()
    client.force_login(ana)

    def shown(at: str) -> str:
        return client.get(reverse("oncall:now"), {"at": at}).content.decode().partition('class="board"')[2]

    # 16:00 in Bangkok is 09:00 UTC: the handover of Monday 2026-01-12.
    before, after = shown("2026-01-12T15:59"), shown("2026-01-12T16:00")
    assert before.index("Ana Ferreira") < before.index("Bob Ito")
    assert after.index("Bob Ito") < after.index("Ana Ferreira")
    assert "Reachable" in after
    html = client.get(reverse("oncall:now"), {"at": "2026-01-12T16:00"}).content.decode()
    for words in ("Asia/Bangkok", "Back to now", 'value="2026-01-12T16:00"'):
        assert words in html, words
    assert "Back to now" not in client.get(reverse("oncall:now")).content.decode()
    assert "Enter a valid date/time." in client.get(reverse("oncall:now"), {"at": "soon"}).content.decode()


def test_a_secret_address_shows_names_without_signing_in_and_nothing_else() -> None:
    ana = user(name="Ana Ferreira")
    oncall.schedule(ana, name="Payments primary")
    answer = Client().get(path_of(address()))
    html = answer.content.decode().partition("</main>")[0]
    assert answer.status_code == 200
    for words in ("Payments primary", "Ana Ferreira"):
        assert words in html
    assert ana.email not in html
    assert "reached" not in html
    assert "/people/" not in html


def test_it_may_stand_in_a_frame_and_other_pages_may_not() -> None:
    oncall.schedule(user())
    client = Client()
    answer = client.get(path_of(address()))
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    client.force_login(user())
    answer = client.get(reverse("oncall:now"))
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_board_of_one_team_shows_no_other() -> None:
    mine = owned(oncall.schedule(user(), name="Payments primary"), name="Payments")
    owned(oncall.schedule(user(), name="Search primary"), name="Search")
    html = Client().get(path_of(address(team=mine.team))).content.decode()
    assert ("Payments primary" in html, "Search primary" in html) == (True, False)


def test_an_address_that_was_taken_away_shows_nothing() -> None:
    given = address()
    client = Client()
    client.force_login(user(role=Role.MANAGER))
    assert board_link(given) in client.get(reverse("oncall:boards")).content.decode()
    client.post(reverse("oncall:board-remove", args=[given.pk]))
    assert Client().get(path_of(given)).status_code == 404


def test_only_managers_give_addresses_and_the_database_does_not_know_the_secret() -> None:
    with pytest.raises(NotAllowed):
        address(actor=actor())
    given = address()
    with pytest.raises(Conflict, match="taken"):
        address()
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, token_hash FROM oncall_boardaddress WHERE id = %s", [given.pk])
        assert given.token not in str(cursor.fetchone())
    client = Client()
    client.force_login(user())
    assert client.get(reverse("oncall:boards")).status_code == 403


def test_a_manager_makes_an_address_on_screen() -> None:
    client = Client()
    client.force_login(user(role=Role.MANAGER))
    assert client.get(reverse("oncall:boards")).status_code == 200
    client.post(reverse("oncall:boards"), {"name": "Hall", "team": ""})
    assert BoardAddress.objects.get().name == "Hall"
    assert "taken" in client.post(reverse("oncall:boards"), {"name": "Hall", "team": ""}).content.decode()


def test_the_board_costs_the_same_for_ten_schedules_as_for_two() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            board(timezone.now())
        return len(captured)

    for _ in range(2):
        owned(oncall.schedule(user(), user()))
    few = queries()
    for _ in range(8):
        owned(oncall.schedule(user(), user()))
    assert queries() == few


def test_the_api_shows_the_board_and_keeps_its_addresses() -> None:
    ana = user()
    schedule = owned(oncall.schedule(ana), slug="payments")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(role=Role.MANAGER))}")
    [shown] = client.get("/api/v1/on-call/board/").json()
    assert (shown["team"], shown["schedules"][0]["schedule"]) == ("payments", schedule.slug)
    assert shown["schedules"][0]["on_duty"][0]["person"]["id"] == ana.pk
    assert client.get("/api/v1/on-call/board/?team=payments").json() == [shown]
    assert client.get("/api/v1/on-call/board/?team=none").status_code == 404
    [then] = client.get("/api/v1/on-call/board/?at=2026-01-02T00:00:00Z").json()
    assert then["schedules"][0]["on_duty"] == []
    made = client.post("/api/v1/on-call/boards/", {"name": "Hall", "team": "payments"})
    assert made.status_code == 201
    assert client.get("/api/v1/on-call/boards/").json()["results"][0]["link"] == made.json()["link"]
    assert client.delete(f"/api/v1/on-call/boards/{made.json()['id']}/").status_code == 204
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user())}")
    assert client.get("/api/v1/on-call/boards/").status_code == 403
