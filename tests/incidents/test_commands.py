"""Commands: what is typed after a slash, from the grammar to what it leaves behind."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, DomainError, Invalid, NotAllowed
from incidents.commands import all_commands, complete, is_command, run_command
from incidents.commands.grammar import parse
from incidents.models import CustomField, Incident, IncidentAction, RoleAssignment, TimelineEntry
from tests.factories import accounts, catalog, incidents

# --- The grammar, pure ------------------------------------------------------------------------------------------------


def test_a_line_is_parted_into_words_people_numbers_and_what_is_quoted() -> None:
    line = parse('/assign comms @bob @"Ana Ferreira" #142 "in two words" rest')
    assert line.name == "assign"
    assert [(token.kind, token.text) for token in line.tokens] == [
        ("word", "comms"),
        ("person", "bob"),
        ("person", "Ana Ferreira"),
        ("tag", "142"),
        ("quoted", "in two words"),
        ("word", "rest"),
    ]


def test_what_follows_is_kept_as_it_was_typed() -> None:
    line = parse("  /note  first line\n\n  second   line  ")
    assert line.rest_from(line.tokens[0]) == "first line\n\n  second   line"


@pytest.mark.parametrize("text", ["/help", " /Severity sev1", "/note\nin lines"])
def test_a_slash_and_a_word_is_a_command(text: str) -> None:
    assert is_command(text)


@pytest.mark.parametrize("text", ["/var/log is full", "/ help", "50/50", "and/or", "//comment", ""])
def test_a_path_or_a_fraction_is_none(text: str) -> None:
    assert not is_command(text)


# --- What they do -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira", email="ana@example.com")


@pytest.fixture
def bob(db: None) -> User:
    return accounts.user(name="Bob Okafor", email="bob@example.com")


@pytest.fixture
def room(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


def say(user: User, room: Incident, text: str, now: datetime) -> str:
    return run_command(actor=Actor.of_user(user, via="web"), incident=room, text=text, now=now).text


def test_severity_by_its_slug_or_its_name(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/severity sev1", now)
    room.refresh_from_db()
    assert room.severity.slug == "sev1"
    say(ana, room, "/severity SEV3", now)
    room.refresh_from_db()
    assert room.severity.slug == "sev3"


def test_status_with_words_posts_them_as_an_update(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/status monitoring The pool is at 200,\nerrors are falling", now)
    room.refresh_from_db()
    assert room.status.slug == "monitoring"
    assert room.updates.get().text == "The pool is at 200,\nerrors are falling"


def test_assign_finds_people_by_name_by_address_and_me(ana: User, bob: User, room: Incident, now: datetime) -> None:
    def lead() -> User:
        return RoleAssignment.objects.get(incident=room, role__slug="lead", ended_at=None).user

    for typed, expected in [("@bob", bob), ("me", ana), ('@"bob okafor"', bob), ("@ana@example.com", ana)]:
        say(ana, room, f"/assign lead {typed}", now)
        assert lead() == expected, typed
    say(ana, room, "/assign @bob.okafor lead", now)
    assert lead() == bob
    say(ana, room, "/assign lead nobody", now)
    assert not RoleAssignment.objects.filter(incident=room, role__slug="lead", ended_at=None).exists()


def test_a_name_that_two_people_have_is_asked_about(ana: User, room: Incident, now: datetime) -> None:
    accounts.user(name="Bob Okafor", email="bob.o@example.com")
    accounts.user(name="Bob Smith", email="b.smith@example.com")
    with pytest.raises(Invalid, match=r"can be Bob Okafor \(bob.o@example.com\), Bob Smith") as refused:
        say(ana, room, "/assign lead @bob", now)
    assert "address" in refused.value.remedy


def test_an_action_for_somebody_named_first_or_last(ana: User, bob: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/action @bob roll back 2026.11.3", now)
    say(ana, room, '/action ask "the bank" about @bob', now)
    say(ana, room, "/action call them", now)
    assert list(room.actions.order_by("id").values_list("title", "assignee")) == [
        ("roll back 2026.11.3", bob.pk),
        ('ask "the bank" about', bob.pk),
        ("call them", None),
    ]
    say(ana, room, "/done 1", now)
    say(ana, room, "/done call", now)
    assert list(IncidentAction.objects.filter(done_at=None).values_list("title", flat=True)) == ['ask "the bank" about']


def test_a_service_without_an_impact_is_partly_out_and_none_takes_it_off(
    ana: User, room: Incident, now: datetime
) -> None:
    catalog.service(name="Search", slug="search")
    say(ana, room, "/service search", now)
    assert room.affected_services.get().impact == "partial_outage"
    say(ana, room, "/service search major", now)
    assert room.affected_services.get().impact == "major_outage"
    say(ana, room, "/service search none", now)
    assert not room.affected_services.exists()


def test_words_that_are_written_stand_in_the_timeline(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/note one", now)
    say(ana, room, '/decision "we roll back"', now)
    say(ana, room, "/finding the pool is full", now)
    written = room.timeline.order_by("sequence").values_list("kind", "text", "is_key")
    assert list(written)[-3:] == [
        ("note", "one", False),
        ("decision", "we roll back", True),
        ("finding", "the pool is full", False),
    ]


def test_pin_takes_the_number_of_an_entry(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/pin #1", now)
    assert room.timeline.get(sequence=1).pinned_at == now


def test_what_asks_for_a_confirmation_gets_it_at_the_end_of_the_line(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/stream Disks", now)
    for typed in ["/resolve", "/close", "/cancel a drill", "/status resolved", "/status resolved All is well"]:
        with pytest.raises(Conflict, match="still open") as refused:
            say(ana, room, typed, now)
        assert "--confirm at the end" in refused.value.remedy
    say(ana, room, "/status resolved All is well --confirm", now)
    room.refresh_from_db()
    assert (room.is_open, room.updates.get().text, room.streams.get().is_open) == (False, "All is well", False)


def test_a_clock_is_the_last_one_that_was_on_the_wall_of_whoever_types(
    ana: User, room: Incident, now: datetime
) -> None:
    ana.time_zone = "Europe/Berlin"
    ana.save()
    here = now.astimezone(ZoneInfo("Europe/Berlin"))

    def started(typed: str) -> datetime | None:
        say(ana, room, f"/time started {typed} Logs", now)
        room.refresh_from_db()
        return room.started_at

    earlier, later = here - timedelta(minutes=30), here + timedelta(minutes=30)
    assert started(f"{earlier:%H:%M}") == earlier.replace(second=0, microsecond=0)
    assert started(f"{later:%H:%M}") == (later - timedelta(days=1)).replace(second=0, microsecond=0)
    assert started("2026-03-01T09:00") == datetime.fromisoformat("2026-03-01T09:00+01:00")
    assert started("2026-03-01T09:00Z") == datetime.fromisoformat("2026-03-01T09:00+00:00")
    assert started("unknown") is None


def test_correct_takes_the_newest_update(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/update first", now)
    say(ana, room, "/update secnod", now + timedelta(minutes=1))
    say(ana, room, "/correct second", now + timedelta(minutes=2))
    assert sorted(room.updates.values_list("text", flat=True)) == ["first", "second"]


@pytest.mark.parametrize(
    "mistake",
    [
        ("/sevrity sev1", "There is no command “/sevrity”", "Did you mean /severity"),
        ("/blah", "There is no command “/blah”", "/help lists all"),
        ("/severity", "/severity needs: severity", "Usage: /severity <severity>, such as /severity sev1"),
        ("/severity sev9", "There is no severity “sev9”", "sev"),
        ("/severity sev1 now", "/severity does not take “now”", "Usage"),
        ("/assign lead @nobody.here", "There is nobody called “nobody.here”", "Type @"),
        ("/assign captain me", "There is no role “captain”", "lead"),
        ("/page nothing", "There is no service, policy or team “nothing”", ""),
        ("/note", "/note needs: text…", "Usage: /note <text…>"),
        ("/pin #99", "There is no entry “99”", "number"),
        ("/type fire", "There is no type “fire”", "Use"),
        ("/time begun 14:05 logs", "There is no time “begun”", "Use started"),
        ("/time started soon logs", "“soon” is no time", "14:05"),
        ("/time started 27:05 logs", "“27:05” is no time", "14:05"),
        ("/correct anything", "There is no update yet", "/update"),
        ("/timer soon", "“soon” is no length of time", "15m"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(
    ana: User, room: Incident, now: datetime, mistake: tuple[str, str, str]
) -> None:
    typed, message, remedy = mistake
    with pytest.raises(DomainError) as refused:
        say(ana, room, typed, now)
    assert message in refused.value.message
    assert remedy in refused.value.remedy
    assert refused.value.field == ("" if isinstance(refused.value, Conflict) else "text")


def test_viewers_may_ask_for_help_and_follow_but_change_nothing(room: Incident, now: datetime) -> None:
    viewer = accounts.user(role=Role.VIEWER)
    assert "/severity <severity>" in say(viewer, room, "/help", now)
    assert "follow" in say(viewer, room, "/follow", now)
    with pytest.raises(NotAllowed):
        say(viewer, room, "/severity sev1", now)
    assert TimelineEntry.objects.filter(incident=room, user=viewer).count() == 0


# --- What can come next -----------------------------------------------------------------------------------------------


def offered(user: User, room: Incident, text: str, now: datetime) -> list[str]:
    found = complete(actor=Actor.of_user(user, via="web"), incident=room, text=text, now=now)
    return [text[: found.start] + each.insert for each in found.suggestions]


def test_a_slash_offers_commands_and_a_command_its_values(ana: User, bob: User, room: Incident, now: datetime) -> None:
    catalog.service(name="Search", slug="search")
    assert offered(ana, room, "/sev", now)[0] == "/severity"
    assert {f"/{each.name}" for each in all_commands()} == set(offered(ana, room, "/", now))
    assert offered(ana, room, "/severity sev1", now) == ["/severity sev1"]
    assert "/severity sev2" in offered(ana, room, "/severity ", now)
    assert offered(ana, room, "/status mon", now) == ["/status monitoring"]
    assert offered(ana, room, "/assign lead @bo", now) == ["/assign lead @bob.okafor"]
    assert offered(ana, room, "/service sea", now) == ["/service search"]
    assert "/service search major_outage" in offered(ana, room, "/service search ma", now)
    assert offered(ana, room, "Ask @bo", now) == ["Ask @bob.okafor"]
    assert offered(ana, room, "Nothing to complete", now) == []
    assert offered(ana, room, "mail bob@exa", now) == []


def test_what_is_offered_means_one_person(ana: User, room: Incident, now: datetime) -> None:
    accounts.user(name="Bob Okafor", email="one@example.com")
    accounts.user(name="Bob Okafor", email="two@example.com")
    assert offered(ana, room, "@bob", now) == ["@one@example.com", "@two@example.com"]


def test_actions_are_offered_by_number_with_their_words(ana: User, room: Incident, now: datetime) -> None:
    say(ana, room, "/action roll back", now)
    assert offered(ana, room, "/done ro", now) == ["/done 1"]


def test_a_field_takes_what_its_kind_takes_a_person_as_in_a_message_and_none_for_nothing(
    ana: User, room: Incident, now: datetime
) -> None:
    CustomField.objects.create(name="Customer contact", slug="contact", kind=CustomField.Kind.PERSON)
    say(ana, room, f"/field contact @{ana.email}", now)
    room.refresh_from_db()
    assert room.fields == {"contact": ana.pk}
    with pytest.raises(Invalid, match="no active person"):
        say(ana, room, "/field contact @nobody.here", now)
    say(ana, room, '/field "Customer contact" none', now)
    room.refresh_from_db()
    assert room.fields == {}


def test_the_guide_lists_every_command_as_it_is() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "user" / "incident-room.md").read_text()
    rows = {line.split("`")[1]: line for line in guide.splitlines() if line.startswith("| `/")}
    assert set(rows) == {each.usage for each in all_commands()}
    for each in all_commands():
        assert str(each.help) in rows[each.usage]
