"""The pages on which postmortems are read and written, and action items followed up."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import Role, User
from incidents.membership import add_member
from incidents.models import Incident
from postmortems.action_items import create_action_item
from postmortems.actions import save_section
from postmortems.models import ActionItem, Postmortem
from postmortems.presets import load_presets
from tests.factories.accounts import actor, user
from tests.factories.catalog import service
from tests.factories.postmortems import postmortem, resolved_incident

pytestmark = pytest.mark.django_db


def client(role: Role = Role.RESPONDER, person: User | None = None) -> Client:
    made = Client()
    made.force_login(person or user(role=role))
    return made


def test_the_document_shows_header_sections_and_action_items(now: datetime) -> None:
    draft = postmortem(now=now, name="Errors on checkout")
    create_action_item(actor=actor(), incident=draft.incident, title="Watch the disks", now=now)
    text = client(Role.VIEWER).get(f"/postmortems/{draft.pk}/").content.decode()
    for words in ["Errors on checkout", "Blameless", "Root cause", "Where we got lucky", "Watch the disks", "<table"]:
        assert words in text
    assert "Publish" not in text


def test_the_list_finds_words_in_the_sections(now: datetime) -> None:
    first, second = postmortem(now=now, name="Errors"), postmortem(now=now, name="Slowness")
    save_section(actor=actor(), section=first.sections.get(slug="root-cause"), text="A full disk.", version=1, now=now)
    text = client().get("/postmortems/?q=DISK").content.decode()
    assert first.get_absolute_url() in text
    assert second.get_absolute_url() not in text
    assert "Nothing matches" in client().get("/postmortems/?status=published").content.decode()


def test_the_list_is_narrowed_by_severity_and_service(now: datetime) -> None:
    first = postmortem(now=now, severity="sev1", services=[service(name="payments", slug="payments")])
    second = postmortem(now=now, severity="sev2")
    for query in ["severity=sev1", "service=payments", "severity=sev1&service=payments"]:
        text = client().get(f"/postmortems/?{query}").content.decode()
        assert first.get_absolute_url() in text
        assert second.get_absolute_url() not in text


def test_a_button_on_the_incident_starts_it(now: datetime) -> None:
    load_presets()
    source = resolved_incident(now=now, severity="sev4")
    answer = client().post(f"/incidents/{source.number}/postmortem/")
    assert answer["Location"] == Postmortem.objects.get().get_absolute_url()
    assert client(Role.VIEWER).post(f"/incidents/{source.number}/postmortem/").status_code == 403


def test_a_section_is_edited_and_previewed(now: datetime) -> None:
    draft, responder = postmortem(now=now), client()
    path = f"/postmortems/{draft.pk}/sections/root-cause/"
    assert "Why did it happen?" in responder.get(path).content.decode()
    assert (
        "<strong>full</strong>"
        in responder.post("/postmortems/preview/", {"text": "A **full** disk."}).content.decode()
    )
    answer = responder.post(path, {"text": "A full disk.", "version": 1})
    assert answer["Location"] == f"/postmortems/{draft.pk}/#root-cause"
    assert draft.sections.get(slug="root-cause").text == "A full disk."
    assert client(Role.VIEWER).get(path).status_code == 403


def test_on_a_conflict_both_texts_are_there_and_can_be_saved_knowingly(now: datetime) -> None:
    draft, responder = postmortem(now=now), client()
    path = f"/postmortems/{draft.pk}/sections/root-cause/"
    section = draft.sections.get(slug="root-cause")
    save_section(actor=actor(name="Ana"), section=section, text="Ana's words.", version=1, now=now)
    answer = responder.post(path, {"text": "Words of Bob.", "version": 1})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Ana has saved this section in the meantime." in text
    assert "Ana’s words." in text or "Ana's words." in text
    assert "Words of Bob.</textarea>" in text
    assert 'name="version" value="2"' in text
    responder.post(path, {"text": "Words of both.", "version": 2})
    section.refresh_from_db()
    assert section.text == "Words of both."


def test_status_title_and_generated_sections_are_changed_from_the_document(now: datetime) -> None:
    draft, responder, ana = postmortem(now=now), client(), user()
    path = f"/postmortems/{draft.pk}/"
    responder.post(f"{path}edit/", {"title": "The full disk", "authors": [ana.pk]})
    responder.post(f"{path}sections/timeline/", {"text": "In short.", "version": 1})
    responder.post(f"{path}sections/timeline/refresh/", {"overwrite": "true"})
    responder.post(f"{path}status/", {"status": "published"})
    draft.refresh_from_db()
    assert (draft.title, draft.status, list(draft.authors.all())) == ("The full disk", "published", [ana])
    assert draft.sections.get(slug="timeline").is_generated
    assert "The full disk" in responder.get(path).content.decode()


def test_who_is_not_a_member_finds_no_trace_of_a_private_incident(now: datetime) -> None:
    ana, bob = actor(), user()
    draft = postmortem(ana, now=now, name="Breach of the vault", visibility=Incident.Visibility.PRIVATE)
    created = create_action_item(actor=ana, incident=draft.incident, title="Change the locks", now=now)
    outsider = client(person=bob)
    for path in ["/postmortems/", "/postmortems/?q=breach", "/action-items/", "/action-items/?q=locks"]:
        text = outsider.get(path).content.decode()
        assert "Breach" not in text
        assert "locks" not in text.replace('value="locks"', "").replace("q=locks", "")
    number = draft.incident.number
    for path in [draft.get_absolute_url(), f"/action-items/{created.pk}/", f"/incidents/{number}/action-items/new/"]:
        assert outsider.get(path).status_code == 404
    assert outsider.post(f"/incidents/{number}/postmortem/").status_code == 404
    assert outsider.post(f"/action-items/{created.pk}/status/", {"status": "done"}).status_code == 404
    add_member(actor=ana, incident=draft.incident, user=bob, now=now)
    assert "Breach of the vault" in outsider.get(draft.get_absolute_url()).content.decode()


def test_action_items_are_added_moved_on_and_edited(now: datetime) -> None:
    draft, responder, ana = postmortem(now=now), client(), user()
    new = f"/incidents/{draft.incident.number}/action-items/new/"
    given = {"title": "Watch the disks", "owner": ana.pk, "due_on": "2026-04-01", "priority": "P0", "status": "planned"}
    assert responder.get(new).status_code == 200
    assert responder.post(new, given)["Location"] == f"/postmortems/{draft.pk}/#action-items"
    item = ActionItem.objects.get()
    assert (item.owner, item.due_on) == (ana, date(2026, 4, 1))
    row = responder.post(f"/action-items/{item.pk}/status/", {"status": "done"}, headers={"HX-Request": "true"})
    assert "<html" not in row.content.decode()
    assert "Done" in row.content.decode()
    responder.post(f"/action-items/{item.pk}/", {**given, "title": "Watch all disks", "status": "in_progress"})
    item.refresh_from_db()
    assert (item.title, item.status, item.done_at) == ("Watch all disks", "in_progress", None)


def test_action_items_can_be_narrowed_to_mine_and_overdue(now: datetime) -> None:
    draft, bob = postmortem(now=now), user()
    yesterday = timezone.localdate() - timedelta(days=1)
    for title, owner, due in [("Late mine", bob, yesterday), ("Mine", bob, None), ("Late", None, yesterday)]:
        create_action_item(actor=Actor.system(), incident=draft.incident, title=title, owner=owner, due_on=due, now=now)
    reader = client(person=bob)

    def found(query: str) -> set[str]:
        text = reader.get(f"/action-items/?{query}").content.decode()
        return {title for title in ["Late mine", "Mine", "Late"] if f">{title}</a>" in text}

    assert found("mine=true") == {"Late mine", "Mine"}
    assert found("overdue=true") == {"Late mine", "Late"}
    assert found("mine=true&overdue=true") == {"Late mine"}
    assert found("status=done") == set()


def test_lists_take_the_same_queries_for_any_number_of_rows(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        draft = postmortem(now=now, name=f"Number {number}")
        create_action_item(actor=Actor.system(), incident=draft.incident, title=f"Item {number}", owner=user(), now=now)
    reader = client()
    with django_assert_max_num_queries(14):
        assert "Number 7" in reader.get("/postmortems/").content.decode()
    with django_assert_max_num_queries(12):
        assert "Item 7" in reader.get("/action-items/").content.decode()
