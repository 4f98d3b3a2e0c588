"""The change of shift: it is seen once, told to those who come, with the note of those who go."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.actor import Actor
from accounts.models import Role, User
from alerts.models import Alert
from events.actions import deliver_due
from events.errors import Conflict, NotAllowed
from events.models import Event
from oncall.duty import hand_over, tell_handover, write_handover_note
from oncall.engine import tick
from oncall.models import Handover, Override, Schedule, Shadow, ShiftSurvey
from oncall.sending import send_due
from oncall.shadowing import tell_new_shadow
from tests.factories import alerts, incidents, oncall
from tests.factories.accounts import api_key, user
from tests.journeys.harness import free_port

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 16, 9, tzinfo=UTC)
SOON_AFTER = MONDAY + timedelta(seconds=30)


def acting(person: User) -> Actor:
    return Actor.of_user(person, via="web")


def weekly() -> tuple[Schedule, User, User]:
    """A schedule on which Ana hands over to Bob on that Monday."""
    ana, bob = user(name="Ana Ferreira"), user(name="Bob Okafor")
    schedule = oncall.schedule(bob, ana, name="Primary on call", slug="primary-on-call")
    return schedule, ana, bob


def told(now: datetime = SOON_AFTER) -> Handover:
    """The one handover, mailed if it is fresh."""
    hand_over(now)
    handover = Handover.objects.get()
    tell_handover(handover_id=handover.pk, now=now)
    handover.refresh_from_db()
    return handover


def test_a_handover_is_recorded_once_however_often_it_is_looked_for() -> None:
    _schedule, ana, bob = weekly()
    assert hand_over(MONDAY - timedelta(seconds=1)) == 0
    assert hand_over(MONDAY) == 1
    assert hand_over(SOON_AFTER) == 0
    handover = Handover.objects.get()
    assert (handover.at, list(handover.going.all()), list(handover.coming.all())) == (MONDAY, [ana], [bob])
    assert Event.objects.filter(name="handover.happened").count() == 1


def test_those_who_come_are_mailed_and_those_who_go_get_a_copy() -> None:
    _schedule, ana, bob = weekly()
    handover = told()
    [message] = mail.outbox
    assert (message.to, message.cc) == ([bob.email], [ana.email])
    assert message.subject == "You are on call: Primary on call"
    assert "Ana Ferreira handed over to Bob Okafor." in message.body
    assert "Monday, 16 March 2026, 09:00 UTC" in message.body
    assert "Nothing is open" in message.body
    assert reverse("oncall:handover", args=[handover.pk]) in message.body
    assert handover.mailed_at == SOON_AFTER


def test_those_who_shadow_whoever_comes_get_the_same_and_are_told_that_they_are_not_paged() -> None:
    schedule, ana, bob = weekly()
    kim, lee, max_ = user(name="Kim"), user(name="Lee"), user(name="Max")
    until = MONDAY + timedelta(days=14)
    for person, follows in ((kim, bob), (lee, ana), (max_, None)):
        Shadow.objects.create(schedule=schedule, user=person, follows=follows, starts_at=MONDAY, ends_at=until)
    write_handover_note(
        actor=acting(ana), schedule=schedule, note="The cache is slow.", now=MONDAY - timedelta(hours=1)
    )
    told()
    while deliver_due(timezone.now()):
        pass
    [to_shadows] = [message for message in mail.outbox if message.subject == "You are shadowing: Primary on call"]
    assert (to_shadows.to, to_shadows.cc) == ([kim.email, max_.email], [])
    assert "you shadow Bob Okafor on Primary on call. You are not paged." in to_shadows.body
    assert "The cache is slow." in to_shadows.body
    assert "you are on call on Primary" not in to_shadows.body


def begins_to_shadow(schedule: Schedule, name: str, at: datetime, **fields: Any) -> Shadow:
    until = at + timedelta(days=14)
    return Shadow.objects.create(schedule=schedule, user=user(name=name), starts_at=at, ends_at=until, **fields)


def new_shadows_told(now: datetime) -> list[Shadow]:
    """Those who begin to shadow by then, each told; twice over, since a sweep and a delivery may be made again."""
    hand_over(now)
    hand_over(now)
    events = Event.objects.filter(name="shadow.began").order_by("id")
    told = [event.subject_id for event in events if tell_new_shadow(shadow_id=event.subject_id, now=now)]
    return [Shadow.objects.get(pk=pk) for pk in told]


def test_whoever_begins_to_shadow_within_a_shift_gets_its_handover_once() -> None:
    schedule, ana, bob = weekly()
    write_handover_note(
        actor=acting(ana), schedule=schedule, note="The cache is slow.", now=MONDAY - timedelta(hours=1)
    )
    told()
    mail.outbox.clear()
    wednesday = MONDAY + timedelta(days=2)
    kim = begins_to_shadow(schedule, "Kim", wednesday, follows=bob)
    assert new_shadows_told(wednesday - timedelta(minutes=1)) == []
    assert new_shadows_told(wednesday) == [kim]
    [message] = mail.outbox
    assert (message.to, message.cc) == ([kim.user.email], [])
    assert message.subject == "You are shadowing: Primary on call"
    assert "Since Wednesday, 18 March 2026, 09:00 UTC you shadow Bob Okafor on Primary on call." in message.body
    assert "You are not paged." in message.body
    assert "The cache is slow." in message.body
    hand_over(wednesday + timedelta(minutes=1))
    assert Event.objects.filter(name="shadow.began").count() == 1


def test_a_shadow_who_learns_it_another_way_is_not_told_again() -> None:
    schedule, ana, bob = weekly()
    told()
    wednesday = MONDAY + timedelta(days=2)
    begins_to_shadow(schedule, "Begins with the handover, which is mailed", MONDAY)
    begins_to_shadow(schedule, "Follows somebody who is off duty until the next one", wednesday, follows=ana)
    goes_on = begins_to_shadow(schedule, "Has shadowed before", MONDAY - timedelta(days=3), follows=bob)
    Shadow.objects.filter(pk=goes_on.pk).update(ends_at=wednesday, begun_at=MONDAY - timedelta(days=3))
    later = wednesday + timedelta(days=1)
    Shadow.objects.create(schedule=schedule, user=goes_on.user, follows=bob, starts_at=wednesday, ends_at=later)
    over = begins_to_shadow(schedule, "Is over already", wednesday - timedelta(days=1))
    Shadow.objects.filter(pk=over.pk).update(ends_at=wednesday)
    assert new_shadows_told(wednesday) == []
    assert not Shadow.objects.filter(begun_at=None).exists()


def test_it_is_mailed_once() -> None:
    weekly()
    handover = told()
    assert tell_handover(handover_id=handover.pk, now=SOON_AFTER) is False
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_leaves_it_to_be_tried_again(settings: Settings) -> None:
    weekly()
    hand_over(SOON_AFTER)
    handover = Handover.objects.get()
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    with pytest.raises(OSError, match="refused"):
        tell_handover(handover_id=handover.pk, now=SOON_AFTER)
    handover.refresh_from_db()
    assert handover.mailed_at is None
    settings.EMAIL_BACKEND = working
    assert tell_handover(handover_id=handover.pk, now=SOON_AFTER) is True
    assert len(mail.outbox) == 1


def test_news_older_than_an_hour_is_kept_and_not_mailed() -> None:
    weekly()
    hand_over(SOON_AFTER)
    handover = Handover.objects.get()
    assert tell_handover(handover_id=handover.pk, now=MONDAY + timedelta(minutes=61)) is False
    handover.refresh_from_db()
    assert (mail.outbox, handover.mailed_at, handover.summary["sections"]) == ([], None, [])


def test_a_change_more_than_an_hour_ago_is_none_of_the_sweeps_business() -> None:
    weekly()
    assert hand_over(MONDAY + timedelta(minutes=61)) == 0


def test_the_summary_tells_what_is_open_what_fired_and_what_was_noisy() -> None:
    schedule, ana, _bob = weekly()
    oncall.contact_method(ana)
    during = MONDAY - timedelta(days=2)
    escalation = oncall.escalation(oncall.level(schedule), now=during, title="Disk is full")
    tick(during)
    send_due(during)
    mail.outbox.clear()
    incident = incidents.incident(name="Checkout fails", now=during)
    incident.escalations.add(escalation)
    times = {"started_at": during, "first_event_at": during, "last_event_at": during}
    source = alerts.source()
    for status in ("resolved", "resolved", "firing"):
        Alert.objects.create(
            source=source, dedup_key="d", title="Disk 95 % full", status=status, escalation=escalation, **times
        )
    told()
    [message] = mail.outbox
    for words in ("Open escalations", "Disk is full", "Checkout fails", "Disk 95 % full", "fired 3 times"):
        assert words in message.body, words


def test_what_is_private_is_told_to_nobody() -> None:
    schedule, ana, _bob = weekly()
    oncall.contact_method(ana)
    during = MONDAY - timedelta(days=2)
    oncall.escalation(oncall.level(schedule), now=during, title="Secret matter", is_private=True)
    tick(during)
    send_due(during)
    mail.outbox.clear()
    handover = told()
    assert "Secret matter" not in mail.outbox[0].body
    assert "Secret matter" not in str(handover.summary)


def test_the_note_that_was_written_before_goes_along() -> None:
    schedule, ana, _bob = weekly()
    written = write_handover_note(
        actor=acting(ana), schedule=schedule, note="The **disk** is nearly full.", now=MONDAY - timedelta(hours=2)
    )
    assert written is not None
    assert written.at == MONDAY
    handover = told()
    assert handover.pk == written.pk
    assert "The **disk** is nearly full." in mail.outbox[0].body
    assert "Note by Ana Ferreira" in mail.outbox[0].body
    [(html, _type)] = mail.outbox[0].alternatives  # type: ignore[attr-defined]
    assert "The <strong>disk</strong> is nearly full." in str(html)


def test_a_note_follows_a_handover_that_comes_early() -> None:
    schedule, ana, bob = weekly()
    write_handover_note(actor=acting(ana), schedule=schedule, note="Mind the disk.", now=MONDAY - timedelta(days=3))
    early = MONDAY - timedelta(days=1)
    Override.objects.create(schedule=schedule, user=bob, starts_at=early, ends_at=MONDAY)
    handover = told(early + timedelta(seconds=5))
    assert (handover.at, handover.note, handover.note_by) == (early, "Mind the disk.", ana)


def test_a_note_for_monday_waits_while_somebody_covers_for_a_day() -> None:
    schedule, ana, bob = weekly()
    write_handover_note(actor=acting(ana), schedule=schedule, note="Mind the disk.", now=MONDAY - timedelta(days=3))
    early = MONDAY - timedelta(days=2)
    Override.objects.create(schedule=schedule, user=user(), starts_at=early, ends_at=early + timedelta(hours=5))
    hand_over(early)
    assert Handover.objects.get(at=early).note == ""
    assert Handover.objects.get(at=MONDAY).note == "Mind the disk."
    assert bob not in Handover.objects.get(at=early).coming.all()


def test_an_empty_note_takes_it_away() -> None:
    schedule, ana, _bob = weekly()
    now = MONDAY - timedelta(hours=2)
    write_handover_note(actor=acting(ana), schedule=schedule, note="Mind the disk.", now=now)
    assert write_handover_note(actor=acting(ana), schedule=schedule, note=" ", now=now) is None
    assert not Handover.objects.exists()


def test_what_somebody_else_wrote_meanwhile_is_not_lost() -> None:
    schedule, ana, bob = weekly()
    now = MONDAY - timedelta(hours=2)
    write_handover_note(actor=acting(ana), schedule=schedule, note="Mind the disk.", now=now, before="")
    with pytest.raises(Conflict, match="Ana Ferreira has changed the note"):
        write_handover_note(actor=acting(bob), schedule=schedule, note="All quiet.", now=now, before="")
    write_handover_note(actor=acting(bob), schedule=schedule, note="All quiet.", now=now, before="Mind the disk.\r\n")
    assert Handover.objects.get().note == "All quiet."


def test_only_those_on_the_schedule_and_managers_write() -> None:
    schedule, _ana, _bob = weekly()
    now = MONDAY - timedelta(hours=2)
    with pytest.raises(NotAllowed):
        write_handover_note(actor=acting(user()), schedule=schedule, note="Hello", now=now)
    assert write_handover_note(actor=acting(user(role=Role.MANAGER)), schedule=schedule, note="Hello", now=now)


def test_a_schedule_that_nobody_takes_over_takes_no_note() -> None:
    ana = user()
    schedule = oncall.schedule(ana)
    with pytest.raises(Conflict, match="Nobody takes over"):
        write_handover_note(actor=acting(ana), schedule=schedule, note="Hello", now=MONDAY)


def test_looking_costs_as_many_queries_for_six_handovers_as_for_one() -> None:
    def queries(now: datetime) -> int:
        with CaptureQueriesContext(connection) as captured:
            hand_over(now)
        return len(captured)

    weekly()
    few = queries(SOON_AFTER)
    for _ in range(6):
        oncall.schedule(user(), user())
    assert queries(SOON_AFTER + timedelta(days=7)) == few
    assert Handover.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_record_a_handover_once() -> None:
    for _ in range(5):
        oncall.schedule(user(), user())
    together = threading.Barrier(2)
    found: list[int] = []

    def sweep() -> None:
        together.wait()
        try:
            found.append(hand_over(SOON_AFTER))
        finally:
            connection.close()

    sweeps = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join()
    assert sum(found) + hand_over(SOON_AFTER) == 5
    assert (Handover.objects.count(), ShiftSurvey.objects.count()) == (5, 5)
    assert Event.objects.filter(name="handover.happened").count() == 5


# --- Screens and API --------------------------------------------------------------------------------------------------


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_the_screens_show_the_handover_and_take_a_note() -> None:
    schedule, ana, _bob = weekly()
    handover = told()
    client = signed_in(ana)
    assert "Primary on call" in client.get(reverse("oncall:handovers")).content.decode()
    html = client.get(reverse("oncall:handover", args=[handover.pk])).content.decode()
    assert "Bob Okafor" in html
    address = reverse("oncall:handover-note", args=[schedule.slug])
    assert client.get(address).status_code == 200
    client.post(address, {"note": "Mind the disk.", "before": ""})
    assert Handover.objects.get(summary={}).note == "Mind the disk."
    assert "Mind the disk." in client.get(address).content.decode()
    # Whoever is late keeps what they typed.
    late = client.post(address, {"note": "All quiet.", "before": ""}).content.decode()
    assert "has changed the note" in late
    assert "All quiet." in late
    assert signed_in(user()).get(address).status_code == 403


def test_the_list_asks_the_same_for_many_handovers_as_for_few() -> None:
    schedule, ana, bob = weekly()
    client = signed_in(ana)

    def add(number: int) -> None:
        for each in range(number):
            row = Handover.objects.create(
                schedule=schedule, at=MONDAY - timedelta(hours=each + 10 * number), summary={"since": "x"}
            )
            row.going.add(ana)
            row.coming.add(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("oncall:handovers")).status_code == 200
        return len(captured)

    add(2)
    queries()
    few = queries()
    add(8)
    assert queries() == few


def test_the_api_lists_handovers_and_writes_notes() -> None:
    schedule, ana, _bob = weekly()
    told()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    [shown] = client.get("/api/v1/handovers/?schedule=primary-on-call").json()["results"]
    assert (shown["schedule"], shown["coming"][0]["name"]) == ("primary-on-call", "Bob Okafor")
    made = client.post("/api/v1/handovers/", {"schedule": schedule.slug, "note": "Mind the disk."})
    assert made.status_code == 201, made.json()
    assert made.json()["note"] == "Mind the disk."
    assert datetime.fromisoformat(made.json()["at"]) > timezone.now()
    assert client.post("/api/v1/handovers/", {"schedule": schedule.slug, "note": ""}).status_code == 204
