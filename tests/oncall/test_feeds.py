"""Feeds: what a calendar program reads, who may, and that it is the calendar's format to the letter."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.test import Client
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import User
from events.errors import NotAllowed
from oncall import feeds
from oncall.models import CalendarFeed, Override, Shadow
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def feed_for(person: User, now: datetime, **fields: object) -> CalendarFeed:
    return feeds.open_feed(actor=Actor.of_user(person, via="web"), user=person, now=now, **fields)  # type: ignore[arg-type]


def events_of(feed: CalendarFeed, now: datetime) -> list[tuple[str, datetime, datetime]]:
    calendar: Any = icalendar.Calendar.from_ical(feeds.calendar_of(feed, now))
    return [(str(each["SUMMARY"]), each["DTSTART"].dt, each["DTEND"].dt) for each in calendar.walk("VEVENT")]


def test_a_schedules_feed_holds_the_final_shifts_of_its_window(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana, bob)
    Override.objects.create(schedule=schedule, user=bob, starts_at=now, ends_at=now + timedelta(hours=4))
    found = events_of(feed_for(user(), now, schedule=schedule), now)
    assert ("Bob", now.replace(microsecond=0), now + timedelta(hours=4)) in found
    assert ("Ana", datetime(2026, 3, 16, 9, tzinfo=UTC), datetime(2026, 3, 23, 9, tzinfo=UTC)) in found
    begin, end = min(each[1] for each in found), max(each[2] for each in found)
    assert (begin, end) == (datetime(2026, 2, 27, tzinfo=UTC), datetime(2026, 9, 10, tzinfo=UTC))


def test_a_persons_feed_holds_their_own_shifts_and_shadows_everywhere(now: datetime) -> None:
    ana, bob = user(name="Ana"), user()
    mine, other = oncall.schedule(ana, bob), oncall.schedule(bob)
    Shadow.objects.create(schedule=other, user=ana, starts_at=now, ends_at=now + DAY)
    summaries = {each[0] for each in events_of(feed_for(ana, now), now)}
    assert summaries == {f"On call: {mine.name}", f"Shadowing: {other.name}"}


def test_the_bytes_are_a_calendar_to_the_letter(now: datetime) -> None:
    schedule = oncall.schedule(user(name="Somebody of a very long name " * 4), name="Zahlungen, 一次 " * 6)
    content = feeds.calendar_of(feed_for(user(), now, schedule=schedule), now)
    lines = content.split(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in lines)
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    uids = [str(each["UID"]) for each in icalendar.Calendar.from_ical(content).walk("VEVENT")]
    assert len(uids) == len(set(uids)) > 0


def test_the_address_needs_no_sign_in_and_answers_unchanged_with_304(now: datetime) -> None:
    schedule = oncall.schedule(user(name="Ana"))
    feed = feed_for(user(), now, schedule=schedule)
    address = reverse("oncall:feed", args=[feed.token])
    answer = Client().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert b"SUMMARY:Ana" in answer.content
    again = Client().get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert Client().get(reverse("oncall:feed", args=["guessed"])).status_code == 404


def test_a_new_address_stops_the_old_one_and_so_does_leaving(now: datetime) -> None:
    ana = user()
    feed = feed_for(ana, now)
    old = feed.token
    feeds.rotate_feed(actor=Actor.of_user(ana, via="web"), feed=feed, now=now)
    assert feeds.feed_of_token(old) is None
    assert feeds.feed_of_token(feed.token) == feed
    ana.is_active = False
    ana.save()
    assert feeds.feed_of_token(feed.token) is None


def test_the_secret_is_stored_as_a_hash_and_encrypted(now: datetime) -> None:
    feed = feed_for(user(), now)
    stored = CalendarFeed.objects.extra(select={"raw": "token"}).values_list("raw", flat=True).get()
    assert feed.token not in stored
    assert feed.token_hash == feeds.token_hash(feed.token)


def test_a_feed_is_ones_own_and_made_once(now: datetime) -> None:
    ana, schedule = user(), oncall.schedule()
    feed = feed_for(ana, now, schedule=schedule)
    assert feed_for(ana, now, schedule=schedule) == feed
    with pytest.raises(NotAllowed):
        feeds.open_feed(actor=actor(), user=ana, now=now)
    with pytest.raises(NotAllowed):
        feeds.rotate_feed(actor=actor(), feed=feed, now=now)
    with pytest.raises(NotAllowed):
        feeds.close_feed(actor=actor(), feed=feed)
    feeds.close_feed(actor=Actor.of_user(ana, via="web"), feed=feed)
    assert not CalendarFeed.objects.exists()
