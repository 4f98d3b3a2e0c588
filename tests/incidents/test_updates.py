"""Internal updates: their structure, words to start with, corrections, and when the next one is due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from incidents.actions import change_severity, reopen_incident, resolve_incident
from incidents.merging import merge_incident
from incidents.models import Incident, IncidentUpdate, TimelineRevision, UpdateTemplate
from incidents.todo import add_action, complete_action
from incidents.update_words import filled, starts_for
from incidents.updates import correct_update, plain_text, post_update, start_update_timer, stop_update_timer
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_an_update_says_what_is_known_and_what_is_done(responder: Actor, incident: Incident, now: datetime) -> None:
    update = post_update(
        actor=responder, incident=incident, text=" Pool exhausted. ", doing="Raising it to 200", now=now
    )
    assert (update.text, update.doing) == ("Pool exhausted.", "Raising it to 200")
    entry = incident.timeline.get(kind="update")
    assert entry.text == "Pool exhausted.\n\nWhat we do: Raising it to 200"
    assert plain_text(update, UTC) == "[UPDATE 09:26] Pool exhausted.\n\nWhat we do: Raising it to 200"


def test_the_next_update_is_due_when_it_says(responder: Actor, incident: Incident, now: datetime) -> None:
    at = now + timedelta(minutes=42)
    update = post_update(actor=responder, incident=incident, text="Found it", now=now, next_update_at=at)
    incident.refresh_from_db()
    assert update.next_update_due_at == incident.next_update_due_at == at


@pytest.mark.parametrize(
    ("ahead", "message"),
    [(timedelta(seconds=-5), "at least a minute"), (timedelta(days=8), "more than a week")],
    ids=["past", "far"],
)
def test_the_next_update_must_be_ahead(
    responder: Actor, incident: Incident, now: datetime, ahead: timedelta, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        post_update(actor=responder, incident=incident, text="Found it", now=now, next_update_at=now + ahead)
    assert refused.value.field == "next_update_at"


def test_in_a_pause_the_timer_stands_still(responder: Actor, incident: Incident, now: datetime) -> None:
    incident.paused_at = now - timedelta(minutes=20)
    incident.save(update_fields=["paused_at"])
    start_update_timer(actor=responder, incident=incident, interval=15 * MINUTE, now=now)
    incident.refresh_from_db()
    # The end of the pause adds its whole length: fifteen minutes are then left.
    assert incident.next_update_due_at == incident.paused_at + 15 * MINUTE


def test_the_timer_is_started_and_stopped_and_both_are_told(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    start_update_timer(actor=responder, incident=incident, interval=15 * MINUTE, now=now)
    start_update_timer(actor=responder, incident=incident, interval=15 * MINUTE, now=now)
    incident.refresh_from_db()
    assert incident.next_update_due_at == now + 15 * MINUTE
    stop_update_timer(actor=responder, incident=incident, now=now)
    stop_update_timer(actor=responder, incident=incident, now=now)
    stopped = Incident.objects.get(pk=incident.pk)
    assert stopped.next_update_due_at is None
    told = incident.timeline.filter(kind="edit").order_by("sequence").values_list("text", flat=True)
    assert list(told) == ["set the update timer: an update is due every 15 minutes", "stopped the update timer"]
    names = Event.objects.filter(name__startswith="incident.timer").values_list("name", flat=True)
    assert sorted(names) == ["incident.timer_started", "incident.timer_stopped"]


def due_after(incident: Incident, now: datetime) -> timedelta | None:
    """In how long the next update is due."""
    incident.refresh_from_db()
    return incident.next_update_due_at - now if incident.next_update_due_at else None


def test_an_interval_goes_on_until_another_is_set(responder: Actor, incident: Incident, now: datetime) -> None:
    about: dict[str, Any] = {"actor": responder, "incident": incident}
    post_update(text="Looking", next_update_in=10 * MINUTE, now=now, **about)
    later = now + 9 * MINUTE
    post_update(text="Still looking", now=later, **about)
    assert due_after(incident, later) == 10 * MINUTE
    post_update(text="Back at noon", next_update_at=later + 90 * MINUTE, now=later, **about)
    assert due_after(incident, later) == 90 * MINUTE
    post_update(text="Noon", now=later, **about)
    assert due_after(incident, later) == 10 * MINUTE
    start_update_timer(interval=20 * MINUTE, now=later, **about)
    post_update(text="And on", now=later + MINUTE, **about)
    assert due_after(incident, later + MINUTE) == 20 * MINUTE


def test_a_timer_that_was_stopped_stays_so_until_somebody_sets_it(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    about: dict[str, Any] = {"actor": responder, "incident": incident, "now": now}
    stop_update_timer(**about)
    post_update(text="Nothing more for now", **about)
    assert due_after(incident, now) is None
    post_update(text="It goes on", next_update_in=5 * MINUTE, **about)
    assert due_after(incident, now) == 5 * MINUTE


def test_a_new_severity_brings_its_own_interval_and_an_end_forgets_what_was_set(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    about: dict[str, Any] = {"actor": responder, "incident": incident, "now": now}
    start_update_timer(interval=50 * MINUTE, **about)
    change_severity(severity=incidents.severity("sev1"), **about)
    assert due_after(incident, now) == 15 * MINUTE
    stop_update_timer(**about)
    resolve_incident(**about)
    reopen_incident(**about)
    assert due_after(incident, now) == 15 * MINUTE
    change_severity(severity=incidents.severity("sev4"), **about)
    start_update_timer(interval=50 * MINUTE, **about)
    post_update(text="One that has no interval of its own", **about)
    assert due_after(incident, now) == 50 * MINUTE


def test_an_incident_that_is_over_has_no_timer(responder: Actor, incident: Incident, now: datetime) -> None:
    resolve_incident(actor=responder, incident=incident, now=now)
    with pytest.raises(Conflict, match="no longer open"):
        start_update_timer(actor=responder, incident=incident, interval=MINUTE, now=now)


def test_a_correction_keeps_how_it_stood(responder: Actor, incident: Incident, now: datetime) -> None:
    update = post_update(actor=responder, incident=incident, text="Pool exausted", doing="Raising it", now=now)
    later = now + MINUTE
    for _again in range(2):
        correct_update(actor=responder, update=update, text="Pool exhausted", now=later)
    update.refresh_from_db()
    assert (update.text, update.doing) == ("Pool exhausted", "Raising it")
    entry = incident.timeline.get(kind="update")
    assert (entry.text, entry.edited_at) == ("Pool exhausted\n\nWhat we do: Raising it", later)
    assert TimelineRevision.objects.get(entry=entry).text == "Pool exausted\n\nWhat we do: Raising it"
    assert entry.change == 1


def test_only_the_author_and_managers_correct(responder: Actor, incident: Incident, now: datetime) -> None:
    update = post_update(actor=responder, incident=incident, text="Pool", now=now)
    with pytest.raises(NotAllowed):
        correct_update(actor=accounts.actor(), update=update, text="Pond", now=now)
    correct_update(actor=accounts.actor(Role.MANAGER), update=update, text="Pond", now=now)
    update.refresh_from_db()
    assert update.text == "Pond"


# --- Words to start with ----------------------------------------------------------------------------------------------


def test_what_is_not_known_is_marked() -> None:
    text, unknown = filled("Update: {done}. Next: {next}. ETA: {eta}.", {"done": "rolled back", "next": ""})
    assert text == "Update: rolled back. Next: [next?]. ETA: [eta?]."
    assert unknown == ["next", "eta"]


def test_templates_are_filled_from_the_incident(responder: Actor, now: datetime) -> None:
    incidents.configuration()
    payments = Service.objects.create(name="Payments", slug="payments")
    incident = incidents.incident(responder, now=now, services=[payments])
    done = add_action(actor=responder, incident=incident, title="Roll back", now=now)
    complete_action(actor=responder, action=done, now=now)
    add_action(actor=responder, incident=incident, title="Check the pool", now=now)
    starts = {start.moment: start for start in starts_for(incident, "en")}
    assert starts["initial"].text == "We are looking into Payment API returning 500 errors, which affects Payments."
    assert starts["update"].text == "Update: Roll back. Next: Check the pool. ETA: [eta?]."
    assert starts["update"].unknown == ["eta"]
    assert {start.locale for start in starts_for(incident, "th")} == {"th"}
    UpdateTemplate.objects.filter(locale="th").delete()
    assert {start.locale for start in starts_for(incident, "th")} == {"en"}


def test_a_blank_that_nobody_filled_is_not_posted(responder: Actor, incident: Incident, now: datetime) -> None:
    with pytest.raises(Invalid, match=r"\[eta\?\]") as refused:
        post_update(actor=responder, incident=incident, text="ETA: [eta?].", now=now)
    assert refused.value.field == "text"


def test_the_screen_and_rest_offer_the_words_and_take_the_structure(incident: Incident) -> None:
    client = Client()
    client.force_login(accounts.user())
    assert "We are looking into" in client.get(f"/incidents/{incident.number}/updates/starts/").content.decode()
    starts = client.get(f"/api/v1/incidents/{incident.number}/update-starts/").json()
    assert {start["moment"] for start in starts} == {"initial", "update", "resolved"}
    form = {"text": "Found it", "doing": "Mending it", "next_update_minutes": "30"}
    client.post(f"/incidents/{incident.number}/updates/", form)
    answer = client.post(
        f"/api/v1/incidents/{incident.number}/updates/", {"text": "Found it", "doing": "Mending it"}, "application/json"
    )
    assert answer.status_code == 201
    assert set(IncidentUpdate.objects.values_list("text", "doing")) == {("Found it", "Mending it")}
    pk = answer.json()["id"]
    fields = client.get(f"/incidents/{incident.number}/updates/{pk}/form/").content.decode()
    assert "Mending it" in fields
    client.post(f"/incidents/{incident.number}/updates/correct/", {"update": pk, "text": "Found", "doing": "Mending"})
    assert incident.timeline.latest("sequence").text == "Found\n\nWhat we do: Mending"
    corrected = {"text": "Found it all", "doing": ""}
    address = f"/api/v1/incidents/{incident.number}/updates/{answer.json()['id']}/correct/"
    assert client.post(address, corrected, "application/json").json()["text"] == "Found it all"
    assert client.post(address.replace("/correct", "000/correct"), corrected).status_code == 404
    timer = f"/api/v1/incidents/{incident.number}/timer/"
    assert client.post(timer, {"minutes": None}, "application/json").json()["next_update_due_at"] is None
    client.post(f"/incidents/{incident.number}/timer/", {"minutes": 15})
    incident.refresh_from_db()
    assert incident.next_update_due_at is not None
    assert User.objects.count() == 2


def test_what_is_part_of_another_incident_has_no_updates_of_its_own(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    whole = incidents.incident(responder, now=now)
    merge_incident(actor=responder, incident=incident, into=whole, now=now)
    with pytest.raises(Conflict, match="merged"):
        post_update(actor=responder, incident=incident, text="Found it", now=now)
    assert not incident.updates.exists()
