"""Writing, reviewing and publishing a postmortem."""

from datetime import datetime, timedelta

import pytest

from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from incidents.entries import add_note
from incidents.models import Incident, TimelineEntry
from postmortems.actions import change_status, edit_postmortem, refresh_section, save_section
from postmortems.document import current_text
from postmortems.models import Postmortem, PostmortemSection
from tests.factories.accounts import actor, user
from tests.factories.postmortems import postmortem

pytestmark = pytest.mark.django_db


def section_of(draft: Postmortem, slug: str = "root-cause") -> PostmortemSection:
    found: PostmortemSection = draft.sections.get(slug=slug)
    return found


def test_a_section_is_saved_with_who_and_when(now: datetime) -> None:
    ana, draft = actor(), postmortem(now=now)
    later = now + timedelta(hours=1)
    saved = save_section(actor=ana, section=section_of(draft), text="A full disk.\r\n", version=1, now=later)
    draft.refresh_from_db()
    assert (saved.text, saved.version, saved.updated_by_id) == ("A full disk.", 2, ana.user_id)
    assert draft.updated_at == later


def test_nothing_is_overwritten_unread(now: datetime) -> None:
    draft = postmortem(now=now)
    save_section(actor=actor(name="Ana"), section=section_of(draft), text="Ana's words.", version=1, now=now)
    with pytest.raises(Conflict, match="Ana has saved this section in the meantime") as refusal:
        save_section(actor=actor(), section=section_of(draft), text="Bob's words.", version=1, now=now)
    assert refusal.value.code == "stale"
    assert section_of(draft).text == "Ana's words."


def test_saving_the_same_words_twice_is_no_conflict(now: datetime) -> None:
    draft = postmortem(now=now)
    for _ in range(2):
        saved = save_section(actor=actor(), section=section_of(draft), text="The same.", version=1, now=now)
    assert saved.version == 2


def test_a_generated_section_belongs_to_whoever_saves_it(now: datetime) -> None:
    draft = postmortem(now=now)
    saved = save_section(actor=actor(), section=section_of(draft, "timeline"), text="In short.", version=1, now=now)
    add_note(actor=actor(), incident=draft.incident, text="Later.", now=now)
    assert not saved.is_generated
    assert current_text(section_of(draft, "timeline"), draft) == "In short."


def test_filling_in_again_asks_before_the_words_of_a_person_go(now: datetime) -> None:
    draft = postmortem(now=now)
    save_section(actor=actor(), section=section_of(draft, "timeline"), text="In short.", version=1, now=now)
    with pytest.raises(Conflict, match="edited"):
        refresh_section(actor=actor(), section=section_of(draft, "timeline"), now=now)
    again = refresh_section(actor=actor(), section=section_of(draft, "timeline"), overwrite=True, now=now)
    assert again.is_generated
    assert "started the postmortem" in again.text


def test_what_people_write_can_not_be_filled_in(now: datetime) -> None:
    with pytest.raises(Invalid):
        refresh_section(actor=actor(), section=section_of(postmortem(now=now)), now=now)


def test_a_published_postmortem_stands_still(now: datetime) -> None:
    draft = postmortem(now=now)
    published = change_status(actor=actor(name="Ana"), postmortem=draft, status="published", now=now)
    add_note(actor=actor(), incident=draft.incident, text="Later.", now=now)
    text = current_text(section_of(published, "timeline"), published)
    assert published.published_at == now
    assert "| Ana | published the postmortem |" in text
    assert "Later." not in text


def test_it_can_go_to_review_and_back_and_says_on_the_incident_when_it_is_out(now: datetime) -> None:
    draft = postmortem(now=now)
    for status in ["in_review", "published", "published", "draft"]:
        draft = change_status(actor=actor(), postmortem=draft, status=status, now=now)
    assert (draft.status, draft.published_at) == ("draft", None)
    assert TimelineEntry.objects.filter(incident=draft.incident, text="published the postmortem").count() == 1


def test_title_and_authors_can_be_changed(now: datetime) -> None:
    draft, bob = postmortem(now=now), user()
    changed = edit_postmortem(actor=actor(), postmortem=draft, title="The  full disk", authors=[bob], now=now)
    assert (changed.title, list(changed.authors.all())) == ("The full disk", [bob])
    with pytest.raises(Invalid):
        edit_postmortem(actor=actor(), postmortem=draft, title=" ", now=now)


def test_an_author_must_be_able_to_see_the_incident(now: datetime) -> None:
    ana = actor()
    draft = postmortem(ana, now=now, visibility=Incident.Visibility.PRIVATE)
    with pytest.raises(Invalid, match="may not see"):
        edit_postmortem(actor=ana, postmortem=draft, authors=[user()], now=now)


def test_viewers_may_not_write(now: datetime) -> None:
    draft, viewer = postmortem(now=now), actor(Role.VIEWER)
    with pytest.raises(NotAllowed):
        save_section(actor=viewer, section=section_of(draft), text="x", version=1, now=now)
    with pytest.raises(NotAllowed):
        change_status(actor=viewer, postmortem=draft, status="published", now=now)
    with pytest.raises(NotAllowed):
        edit_postmortem(actor=viewer, postmortem=draft, title="x", now=now)
