"""Entries that people write: edited, moved, marked, removed; who is mentioned hears of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.errors import Conflict, Invalid, NotAllowed, NotFound
from events.models import Event
from incidents import entries, membership, merging, reactions
from incidents.export import as_csv, as_json, as_markdown
from incidents.mentions import names_in
from incidents.models import Incident, TimelineEntry
from incidents.timeline import changed_after
from postmortems.draft import timeline_text
from tests.factories import accounts, incidents


@pytest.fixture
def ana(db: None) -> User:
    return accounts.user(name="Ana Ferreira", email="ana@example.com")


@pytest.fixture
def bob(db: None) -> User:
    return accounts.user(name="Bob Okafor", email="bob@example.com")


@pytest.fixture
def room(ana: User, now: datetime) -> Incident:
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


def web(user: User) -> Actor:
    return Actor.of_user(user, via="web")


def said(user: User, room: Incident, text: str, now: datetime) -> TimelineEntry:
    return entries.write_entry(actor=web(user), incident=room, text=text, now=now)


def test_an_edit_keeps_how_it_stood_and_counts_as_a_change(ana: User, room: Incident, now: datetime) -> None:
    entry = said(ana, room, "The pool is ful", now)
    later = now + timedelta(minutes=3)
    changed = entries.edit_entry(actor=web(ana), entry=entry, text="The pool is full", reason="typo", now=later)
    assert (changed.text, changed.edited_at, changed.change) == ("The pool is full", later, 1)
    kept = changed.revisions.get()
    assert (kept.text, kept.replaced_by_name, kept.reason) == ("The pool is ful", "Ana Ferreira", "typo")
    entries.edit_entry(actor=web(ana), entry=entry, text="The pool is full", now=later)
    assert changed.revisions.count() == 1, "the same again changes nothing"


def test_text_belongs_to_its_author_and_to_managers(ana: User, bob: User, room: Incident, now: datetime) -> None:
    entry = said(ana, room, "Mine", now)
    with pytest.raises(NotAllowed):
        entries.edit_entry(actor=web(bob), entry=entry, text="His", now=now)
    with pytest.raises(NotAllowed):
        entries.remove_entry(actor=web(bob), entry=entry, now=now)
    entries.edit_entry(actor=web(bob), entry=entry, is_pinned=True, is_key=True, now=now)
    manager = accounts.user(role=Role.MANAGER)
    assert entries.edit_entry(actor=web(manager), entry=entry, text="Ours", now=now).text == "Ours"


def test_what_sitrep_wrote_can_be_moved_and_marked_but_not_reworded(ana: User, room: Incident, now: datetime) -> None:
    declared = room.timeline.get(sequence=1)
    earlier = now - timedelta(minutes=10)
    moved = entries.edit_entry(actor=web(ana), entry=declared, occurred_at=earlier, in_postmortem=False, now=now)
    assert (moved.occurred_at, moved.in_postmortem, moved.is_told_later) == (earlier, False, True)
    with pytest.raises(Invalid):
        entries.edit_entry(actor=web(ana), entry=declared, text="declared nothing", now=now)
    with pytest.raises(Conflict):
        entries.remove_entry(actor=web(ana), entry=declared, now=now)
    with pytest.raises(Invalid, match="has happened"):
        entries.edit_entry(actor=web(ana), entry=declared, occurred_at=now + timedelta(minutes=1), now=now)


def test_a_removed_entry_says_by_whom_and_stays_for_the_audit(ana: User, room: Incident, now: datetime) -> None:
    entry = said(ana, room, "A password", now)
    answer = entries.write_entry(actor=web(ana), incident=room, text="Oops", reply_to=entry, now=now)
    removed = entries.remove_entry(actor=web(ana), entry=entry, now=now)
    assert removed.removed_by == "Ana Ferreira"
    assert removed.text == "A password"
    assert Event.objects.filter(name="incident.entry_removed").count() == 1
    assert [each.pk for each in changed_after(room.pk, 0, limit=9)] == [entry.pk, answer.pk], "replies quote it"
    entries.remove_entry(actor=web(ana), entry=entry, now=now)
    assert Event.objects.filter(name="incident.entry_removed").count() == 1
    with pytest.raises(Conflict):
        reactions.react(actor=web(ana), entry=entry, emoji="👍", now=now)
    assert not any("A password" in line for write in (as_csv, as_json, as_markdown) for line in _lines(write, room))


def test_what_was_removed_is_put_back_as_it_stood(ana: User, room: Incident, now: datetime) -> None:
    entry = said(ana, room, "Not a password", now)
    answer = entries.write_entry(actor=web(ana), incident=room, text="Fine", reply_to=entry, now=now)
    before = dict(TimelineEntry.objects.filter(pk=entry.pk).values().get())
    removed = entries.remove_entry(actor=web(ana), entry=entry, now=now)
    entries.restore_entry(actor=web(ana), entry=entry, now=now)
    back = TimelineEntry.objects.filter(pk=entry.pk).values().get()
    assert back == {**before, "change": back["change"]}
    assert [each.pk for each in changed_after(room.pk, removed.change, limit=9)] == [entry.pk, answer.pk]
    entries.restore_entry(actor=web(ana), entry=entry, now=now)
    assert Event.objects.filter(name="incident.entry_restored").count() == 1
    assert any("Not a password" in line for line in _lines(as_markdown, room))


def test_what_a_manager_took_away_only_managers_put_back(ana: User, bob: User, room: Incident, now: datetime) -> None:
    manager, own, other = web(accounts.user(role=Role.MANAGER)), said(ana, room, "Own", now), said(ana, room, "x", now)
    entries.remove_entry(actor=web(ana), entry=own, now=now)
    entries.remove_entry(actor=manager, entry=other, now=now)
    for person, entry in [(bob, own), (bob, other), (ana, other)]:
        with pytest.raises(NotAllowed):
            entries.restore_entry(actor=web(person), entry=entry, now=now)
    for entry in (own, other):
        assert entries.restore_entry(actor=manager, entry=entry, now=now).removed_at is None


def test_the_copy_of_an_entry_is_not_put_back_once_its_incident_has_left(room: Incident, now: datetime) -> None:
    manager = accounts.actor(Role.MANAGER)
    gone = incidents.incident(manager, now=now)
    entries.write_entry(actor=manager, incident=gone, text="We fail over", kind="decision", now=now)
    merging.merge_incident(actor=manager, incident=gone, into=room, now=now)
    copy = room.timeline.get(text="We fail over")
    entries.remove_entry(actor=manager, entry=copy, now=now)
    assert entries.restore_entry(actor=manager, entry=copy, now=now).removed_at is None
    merging.unmerge_incident(actor=manager, incident=gone, now=now)
    with pytest.raises(Conflict, match="no longer part"):
        entries.restore_entry(actor=manager, entry=copy, now=now)


def _lines(write: object, room: Incident) -> list[str]:
    assert callable(write)
    return list(write(room, TimelineEntry.objects.for_timeline().filter(incident=room)))


def test_a_draft_of_the_postmortem_leaves_out_what_was_kept_out_or_removed(
    ana: User, room: Incident, now: datetime
) -> None:
    first, second = said(ana, room, "Lunch?", now), said(ana, room, "A guess", now)
    said(ana, room, "The *cause*", now)
    entries.edit_entry(actor=web(ana), entry=first, in_postmortem=False, now=now)
    entries.remove_entry(actor=web(ana), entry=second, now=now)
    draft = timeline_text(room)
    assert "The *cause*" in draft
    assert "Lunch" not in draft
    assert "A guess" not in draft


def test_a_spreadsheet_takes_no_cell_for_a_formula(ana: User, room: Incident, now: datetime) -> None:
    said(ana, room, "=1+1", now)
    assert any("'=1+1" in line for line in _lines(as_csv, room))


# --- Reactions --------------------------------------------------------------------------------------------------------


def test_an_emoji_is_given_and_taken_back(ana: User, bob: User, room: Incident, now: datetime) -> None:
    entry = said(ana, room, "Rolled back", now)
    for person in (ana, bob):
        reactions.react(actor=web(person), entry=entry, emoji="🎉", now=now)
    [group] = TimelineEntry.objects.for_timeline().get(pk=entry.pk).reaction_groups
    assert (group.emoji, group.count, group.names) == ("🎉", 2, ("Ana Ferreira", "Bob Okafor"))
    reactions.react(actor=web(bob), entry=entry, emoji="🎉", now=now)
    reactions.react(actor=web(ana), entry=entry, emoji="🎉", wanted=True, now=now)
    assert list(entry.reactions.values_list("user", flat=True)) == [ana.pk]


@pytest.mark.parametrize("text", ["", "ok", "👍👍", "<b>", "👍 "])
def test_only_one_emoji_is_a_reaction(ana: User, room: Incident, now: datetime, text: str) -> None:
    entry = said(ana, room, "Rolled back", now)
    if text.strip() == "👍":
        assert reactions.react(actor=web(ana), entry=entry, emoji=text, now=now).reactions.count() == 1
        return
    with pytest.raises(Invalid):
        reactions.react(actor=web(ana), entry=entry, emoji=text, now=now)


# --- Mentions ---------------------------------------------------------------------------------------------------------


def test_names_are_read_out_of_a_text() -> None:
    text = 'Ask @bob, @"Ana Ferreira" or @dan@example.com. Not me@example.com, not /@x.'
    assert names_in(text) == ["bob", "ana ferreira", "dan@example.com"]


def test_who_is_mentioned_is_told_where(ana: User, bob: User, room: Incident, now: datetime) -> None:
    bob.contact_methods.create(kind="email", address="bob@example.com", verified_at=now)
    entry = said(ana, room, "@bob please look, @ana too, @nobody", now)
    assert entry.data["mentions"] == [bob.pk]
    deliver_due(now + timedelta(days=300))
    [sent] = mail.outbox
    assert sent.to == ["bob@example.com"]
    assert "mentioned you in INC-" in sent.subject
    assert f"/incidents/{room.number}/?around={entry.sequence}" in sent.body


def test_of_a_private_incident_only_members_are_told_and_no_more_than_that(
    ana: User, bob: User, room: Incident, now: datetime
) -> None:
    dan = accounts.user(name="Dan Alves", email="dan@example.com")
    for person in (bob, dan):
        person.contact_methods.create(kind="email", address=person.email, verified_at=now)
    membership.set_visibility(actor=web(ana), incident=room, visibility="private", now=now)
    membership.add_member(actor=web(ana), incident=room, user=bob, now=now)
    entry = said(ana, room, "The key leaked, @bob @dan", now)
    assert entry.not_told == ["Dan Alves"]
    deliver_due(now + timedelta(days=300))
    about = [sent for sent in mail.outbox if "mentioned" in sent.subject]
    assert [sent.to for sent in about] == [["bob@example.com"]]
    told = f"{about[0].subject} {about[0].body}"
    assert "leaked" not in told
    assert room.name not in told


def test_outside_of_a_private_incident_no_entry_can_be_touched(
    ana: User, bob: User, room: Incident, now: datetime
) -> None:
    entry = said(ana, room, "Inside", now)
    membership.set_visibility(actor=web(ana), incident=room, visibility="private", now=now)
    refused: list[Callable[[], object]] = [
        lambda: said(bob, room, "Hello", now),
        lambda: entries.edit_entry(actor=web(bob), entry=entry, is_pinned=True, now=now),
        lambda: reactions.react(actor=web(bob), entry=entry, emoji="👍", now=now),
    ]
    for attempt in refused:
        with pytest.raises(NotFound):
            attempt()
