"""The draft that an incident leaves behind."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, NotAllowed, NotFound
from events.models import Event
from incidents.actions import resolve_incident
from incidents.entries import add_note
from incidents.models import Incident, TimelineEntry
from incidents.updates import post_update
from postmortems.actions import start_postmortem
from postmortems.document import parts_of
from postmortems.models import Postmortem
from postmortems.presets import load_presets
from tests.factories.accounts import actor, user
from tests.factories.catalog import service
from tests.factories.incidents import incident
from tests.factories.postmortems import postmortem, resolved_incident

pytestmark = pytest.mark.django_db


def texts(draft: Postmortem) -> dict[str, str]:
    return {part.section.slug: part.text for part in parts_of(draft)}


def test_the_draft_has_every_section_of_the_template_in_order(now: datetime) -> None:
    draft = postmortem(now=now)
    assert list(draft.sections.values_list("slug", flat=True)) == [
        "summary",
        "impact",
        "timeline",
        "root-cause",
        "contributing-factors",
        "what-went-well",
        "what-went-poorly",
        "where-we-got-lucky",
        "lessons-learned",
    ]
    assert draft.status == Postmortem.Status.DRAFT
    assert "Why is the system built in this way?" in texts(draft)["root-cause"]


def test_the_timeline_holds_every_step_with_time_who_what_and_via(now: datetime) -> None:
    ana = actor(name="Ana", via="slack")
    source = incident(ana, now=now)
    add_note(actor=ana, incident=source, text="`a | b`\nis **full**", now=now + timedelta(minutes=1))
    post_update(actor=ana, incident=source, text="Rolling back.", now=now + timedelta(minutes=2))
    resolve_incident(actor=ana, incident=source, now=now + timedelta(minutes=3))
    load_presets()
    draft = start_postmortem(actor=ana, incident=source, now=now + timedelta(minutes=4))
    lines = texts(draft)["timeline"].splitlines()
    assert lines[0] == "| Time (UTC) | Who | What | Via |"
    assert len(lines) - 2 == TimelineEntry.objects.filter(incident=source).count()
    assert "| 2026-03-14 09:27:53 | Ana | `a \\| b` is **full** | slack |" in lines
    assert "| 2026-03-14 09:28:53 | Ana | Rolling back. | slack |" in lines
    assert lines[-1] == "| 2026-03-14 09:30:53 | Ana | started the postmortem | slack |"


def test_plain_words_in_the_timeline_are_taken_as_they_stand(now: datetime) -> None:
    draft = postmortem(now=now, name="<b>Errors</b> | *everywhere*")
    assert "\\<b\\>Errors\\</b\\> \\| \\*everywhere\\*" in texts(draft)["timeline"]


def test_summary_and_impact_are_filled_in_from_the_incident(now: datetime) -> None:
    payments = service(name="payments")
    draft = postmortem(
        actor(name="Ana"),
        now=now,
        summary="A full **disk**.",
        services={payments: "major_outage"},
        users_affected=15000,
        started_at=now - timedelta(minutes=90),
    )
    summary, impact = texts(draft)["summary"], texts(draft)["impact"]
    assert "was declared as SEV2 by Ana on 2026-03-14 08:26 UTC. It was resolved after 1 h." in summary
    assert "A full **disk**." in summary
    assert "| Users affected | 15,000 |" in impact
    assert "| Services | payments (Major outage) |" in impact
    assert "| Duration | 1 h 30 min |" in impact


def test_what_happens_later_still_reaches_the_draft(now: datetime) -> None:
    draft = postmortem(now=now)
    add_note(actor=actor(), incident=draft.incident, text="One more thing.", now=now)
    assert "One more thing." in texts(draft)["timeline"]


def test_the_commander_and_the_one_who_starts_it_are_its_authors(now: datetime) -> None:
    lead, ana = user(), actor()
    draft = postmortem(ana, now=now, lead=lead)
    assert {author.pk for author in draft.authors.all()} == {lead.pk, ana.user_id}


def test_the_incident_gets_a_line_and_the_news_travels(now: datetime) -> None:
    draft = postmortem(now=now)
    entry = TimelineEntry.objects.filter(incident=draft.incident).latest("sequence")
    assert (entry.kind, entry.text) == ("postmortem", "started the postmortem")
    assert Event.objects.filter(name="postmortem.started", subject_id=draft.pk).exists()


def test_an_incident_has_one_postmortem(now: datetime) -> None:
    draft = postmortem(now=now)
    again = start_postmortem(actor=actor(), incident=draft.incident, now=now)
    assert again == draft
    assert TimelineEntry.objects.filter(incident=draft.incident, text="started the postmortem").count() == 1


def test_an_open_incident_has_none_yet(now: datetime) -> None:
    with pytest.raises(Conflict, match="still open"):
        start_postmortem(actor=actor(), incident=incident(now=now), now=now)


def test_viewers_may_not_start_one(now: datetime) -> None:
    with pytest.raises(NotAllowed):
        start_postmortem(actor=actor(Role.VIEWER), incident=resolved_incident(now=now), now=now)


def test_a_private_incident_does_not_exist_for_others(now: datetime) -> None:
    secret = resolved_incident(actor(), now=now, visibility=Incident.Visibility.PRIVATE)
    with pytest.raises(NotFound):
        start_postmortem(actor=actor(Role.OWNER), incident=secret, now=now)


def test_the_presets_are_loaded_once_and_then_belong_to_the_people(now: datetime) -> None:
    draft = postmortem(now=now)
    assert draft.sections.get(slug="summary").owner_role.slug == "lead"  # type: ignore[union-attr]
    load_presets()
    assert start_postmortem(actor=Actor.system(), incident=draft.incident, now=now) == draft
