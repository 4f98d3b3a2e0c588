"""The room of an incident's page: one box for words, commands and files."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import Role, User
from config.templatetags.ui import entry_filters
from incidents import entries, files, membership, reactions
from incidents.models import Incident, TimelineEntry
from incidents.timeline_pages import FILTERS
from tests.factories import accounts, incidents

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira", email="ana@example.com")


@pytest.fixture
def room(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


@pytest.fixture
def client(ana: User) -> Client:
    client = Client()
    client.force_login(ana)
    return client


def send(client: Client, room: Incident, **fields: Any) -> Any:
    return client.post(f"/incidents/{room.number}/room/", {"text": "", "kind": "message", **fields}, headers=HTMX)


def test_words_are_a_message_and_the_kind_can_be_chosen(client: Client, room: Incident) -> None:
    assert send(client, room, text="Looking at it").status_code == 200
    assert send(client, room, text="We roll back", kind="decision").status_code == 200
    written = list(room.timeline.order_by("sequence").values_list("kind", "text", "via"))[-2:]
    assert written == [("message", "Looking at it", "web"), ("decision", "We roll back", "web")]


def test_a_slash_is_a_command_and_its_answer_is_for_its_author(client: Client, room: Incident) -> None:
    assert send(client, room, text="/severity sev1").status_code == 200
    room.refresh_from_db()
    assert room.severity.slug == "sev1"
    answer = send(client, room, text="/help")
    assert "/severity &lt;severity&gt;" in answer.content.decode()
    assert not room.timeline.filter(text__contains="/help").exists()


def test_a_refused_command_comes_back_with_its_reason(client: Client, room: Incident) -> None:
    answer = send(client, room, text="/severity sev9")
    assert answer.status_code == 400
    assert "There is no severity" in answer.headers["HX-Trigger"]


def test_a_reply_shows_what_it_answers(client: Client, room: Incident) -> None:
    send(client, room, text="Who has the runbook?")
    asked = room.timeline.get(text="Who has the runbook?")
    send(client, room, text="I do", reply_to=asked.sequence)
    page = client.get(f"/incidents/{room.number}/").content.decode()
    assert f'href="#entry-{asked.sequence}"' in page
    assert send(client, room, text="x", reply_to=999).status_code == 400


def test_files_go_into_one_entry_with_words_to_them(client: Client, room: Incident) -> None:
    file = SimpleUploadedFile("trace.log", b"one line\n", content_type="image/png")
    assert send(client, room, text="The trace", attachments=[file]).status_code == 200
    entry = TimelineEntry.objects.for_timeline().get(incident=room, kind="file")
    assert entry.text == "The trace"
    assert [(each.name, each.content_type) for each in entry.shown_files] == [("trace.log", "text/plain")]
    assert "trace.log" in client.get(f"/incidents/{room.number}/").content.decode()


def test_marks_reactions_and_removal_by_the_buttons_of_an_entry(client: Client, room: Incident) -> None:
    send(client, room, text="A guess")
    entry = room.timeline.get(text="A guess")
    address = f"/incidents/{room.number}/entries/{entry.sequence}/"
    assert client.post(f"{address}mark/", {"is_pinned": "true"}, headers=HTMX).status_code == 204
    assert client.post(f"{address}react/", {"emoji": "👍"}, headers=HTMX).status_code == 204
    entry.refresh_from_db()
    assert entry.pinned_at is not None
    assert entry.reactions.get().emoji == "👍"
    form = client.get(address).content.decode()
    assert "A guess" in form
    sent = {"text": "A better guess", "occurred_at": entry.occurred_at.strftime("%Y-%m-%dT%H:%M:%S"), "reason": "typo"}
    assert client.post(address, sent, headers=HTMX).status_code == 204
    entry.refresh_from_db()
    assert entry.text == "A better guess"
    assert entry.revisions.get().occurred_at == entry.occurred_at, "saving the form as it is moves nothing"
    assert client.post(f"{address}remove/", headers=HTMX).status_code == 204
    page = client.get(f"/incidents/{room.number}/").content.decode()
    assert "removed by Ana Ferreira" in page
    assert "A better guess" not in page
    assert client.post(f"{address}restore/", headers=HTMX).status_code == 204
    assert "A better guess" in client.get(f"/incidents/{room.number}/").content.decode()


def test_rest_puts_files_into_an_answer_and_restores_what_was_removed(client: Client, room: Incident) -> None:
    rest = f"/api/v1/incidents/{room.number}/"
    upload = SimpleUploadedFile("trace.log", b"one line")
    answer = client.post(f"{rest}files/", {"files": [upload], "reply_to": 1})
    assert (answer.status_code, answer.json()["reply_to"]) == (201, 1), answer.content
    lost = client.post(f"{rest}files/", {"files": [SimpleUploadedFile("a.log", b"x")], "reply_to": 999})
    assert lost.status_code == 400, lost.content
    assert "reply_to" in lost.content.decode()
    entry = f"{rest}timeline/{answer.json()['sequence']}/"
    assert client.delete(entry).json()["files"] == []
    assert [file["name"] for file in client.post(f"{entry}restore/").json()["files"]] == ["trace.log"]


def test_links_are_added_and_taken_off(client: Client, room: Incident) -> None:
    sent = {"url": "grafana.example.com/d/abc/payments", "title": "Payments"}
    assert client.post(f"/incidents/{room.number}/links/", sent, headers=HTMX).status_code == 204
    link = room.links.get()
    assert (link.kind, link.url) == ("dashboard", "https://grafana.example.com/d/abc/payments")
    assert "Payments" in client.get(f"/incidents/{room.number}/").content.decode()
    assert client.post(f"/incidents/{room.number}/links/{link.pk}/remove/", headers=HTMX).status_code == 204
    assert not room.links.exists()


def test_those_outside_of_a_private_incident_find_no_room(room: Incident, ana: User, now: datetime) -> None:
    membership.set_visibility(actor=Actor.of_user(ana, via="web"), incident=room, visibility="private", now=now)
    outsider = Client()
    outsider.force_login(accounts.user(role=Role.OWNER))
    base = f"/incidents/{room.number}/"
    for address in ["room/completions/?text=/", "entries/1/", "timeline.md", "timeline.csv"]:
        assert outsider.get(base + address).status_code == 404, address
    for address in ["room/", "links/", "entries/1/react/", "entries/1/mark/", "entries/1/remove/"]:
        assert outsider.post(base + address, {"text": "x", "url": "https://x.example"}).status_code == 404, address


# --- Which entries a page shows ---------------------------------------------------------------------------------------


def shown(client: Client, address: str) -> list[int]:
    page = client.get(address, headers=HTMX).content.decode()
    return [int(part.partition('"')[0]) for part in page.split('data-sequence="')[1:]]


def test_older_pages_follow_without_a_gap_and_a_moved_entry_stands_where_it_happened(
    client: Client, room: Incident, ana: User, now: datetime
) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident=room,
            sequence=2 + each,
            kind="note",
            text="x",
            actor_kind="user",
            actor_name="A",
            via="web",
            occurred_at=now,
        )
        for each in range(250)
    )
    first = shown(client, f"/incidents/{room.number}/?kinds=all")
    second = shown(client, f"/incidents/{room.number}/?before={first[-1]}")
    assert first == list(range(251, 151, -1))
    assert second == list(range(151, 51, -1))
    actor = Actor.of_user(ana, via="web")
    newest = room.timeline.get(sequence=251)
    entries.edit_entry(actor=actor, entry=newest, occurred_at=datetime(2026, 1, 1, tzinfo=now.tzinfo), now=now)
    assert shown(client, f"/incidents/{room.number}/?kinds=all")[0] == 250
    around = shown(client, f"/incidents/{room.number}/?around=100&kinds=all")
    assert around[0] == 149
    assert around[-1] == 50
    assert len(around) == 100


@pytest.mark.parametrize("kind", TimelineEntry.Kind.values)
def test_the_filters_on_screen_and_in_sql_let_the_same_entries_through(
    room: Incident, now: datetime, kind: str
) -> None:
    entry = room.timeline.get(sequence=1)
    entry.kind, entry.is_key, entry.pinned_at = kind, True, now
    entry.save()
    on_screen = set(entry_filters(entry).split()) & set(FILTERS)
    in_sql = {name for name, wanted in FILTERS.items() if room.timeline.filter(wanted).exists()}
    assert on_screen == in_sql - {"all"}


def test_a_hundred_entries_with_all_that_hangs_on_them_take_as_many_queries_as_one(
    client: Client, room: Incident, ana: User, now: datetime
) -> None:
    def queries(most: int) -> int:
        with CaptureQueriesContext(connection) as counted:
            assert len(shown(client, f"/incidents/{room.number}/?kinds=chat")) == most
        return len(counted)

    actor = Actor.of_user(ana, via="web")

    def write(number: int) -> None:
        file = SimpleUploadedFile(f"{number}.log", b"x")
        entry = files.attach_files(actor=actor, incident=room, files=[file], text=f"n {number}", now=now)
        reactions.react(actor=actor, entry=entry, emoji="👀", now=now)
        entries.write_entry(actor=actor, incident=room, text="seen", reply_to=entry, now=now)

    write(0)
    of_two = queries(2)
    for number in range(1, 10):
        write(number)
    assert queries(20) == of_two


def test_who_is_mentioned_stands_out_but_not_in_code_or_links(client: Client, room: Incident) -> None:
    accounts.user(name="Bob Okafor")
    text = "@bob.okafor, `@bob.okafor`, [@bob.okafor](https://example.com/@bob.okafor) and mail@bob.okafor <b>"
    client.post(f"/incidents/{room.number}/room/", {"text": text})
    shown = client.get(f"/incidents/{room.number}/").text
    assert shown.count('<span class="mention">@bob.okafor</span>') == 1
    assert "<code>@bob.okafor</code>" in shown
    assert "&lt;b&gt;" in shown
