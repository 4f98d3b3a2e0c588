"""Calendar feeds: a schedule's shifts, or one's own, at a secret address that calendar programs read.

The format is RFC 5545: CRLF ends lines, lines are folded at 75 octets, times are UTC.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

import icalendar
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import require
from oncall.foresight import names_of
from oncall.models import CalendarFeed, Schedule
from oncall.roster import schedule_ids_naming, schedule_specs
from oncall.rota import ScheduleSpec, Shift, shifts, stretches_of

BACK, AHEAD = timedelta(days=15), timedelta(days=180)
PRODUCT = "-//Sitrep//On call//EN"


def token_hash(token: str) -> str:
    """By which the feed behind a secret is found."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def open_feed(*, actor: Actor, user: User, now: datetime, schedule: Schedule | None = None) -> CalendarFeed:
    """The person's feed of a schedule, or of their own shifts on all; made if it is not there yet."""
    require(actor.user_id == user.pk, "A feed's address is for its own person.", remedy="Make one of your own.")
    token = secrets.token_urlsafe(32)
    defaults = {"token": token, "token_hash": token_hash(token), "created_at": now}
    feed, created = CalendarFeed.objects.get_or_create(user=user, schedule=schedule, defaults=defaults)
    if created:
        publish("calendar_feed.opened", subject=user, actor=actor, data={"schedule": schedule.pk if schedule else None})
    return feed


@transaction.atomic
def rotate_feed(*, actor: Actor, feed: CalendarFeed, now: datetime) -> CalendarFeed:
    """Gives the feed another address; the old one stops at once."""
    require(actor.user_id == feed.user_id, "This feed is not yours.")
    feed.token = secrets.token_urlsafe(32)
    feed.token_hash, feed.created_at = token_hash(feed.token), now
    feed.save(update_fields=["token", "token_hash", "created_at"])
    publish("calendar_feed.rotated", subject=feed.user, actor=actor, data={"schedule": feed.schedule_id})
    return feed


@transaction.atomic
def close_feed(*, actor: Actor, feed: CalendarFeed) -> None:
    """Takes the feed away; its address stops at once."""
    require(actor.user_id == feed.user_id, "This feed is not yours.")
    publish("calendar_feed.closed", subject=feed.user, actor=actor, data={"schedule": feed.schedule_id})
    feed.delete()


def address_of(feed: CalendarFeed) -> str:
    """Where a calendar program reads it."""
    return settings.PUBLIC_URL + reverse("oncall:feed", args=[feed.token])


def feed_of_token(token: str) -> CalendarFeed | None:
    """The feed behind a secret, unless its person has left."""
    found = CalendarFeed.objects.select_related("user", "schedule")
    return found.filter(token_hash=token_hash(token), user__is_active=True).first()


def calendar_of(feed: CalendarFeed, now: datetime) -> bytes:
    """The feed as iCalendar, from 15 days back to 180 days ahead.

    The bytes change only with the shifts and once a day, so that a program that asks again is told "unchanged".
    """
    today = datetime.combine(now.astimezone(UTC).date(), time(0), tzinfo=UTC)
    start, end = today - BACK, today + AHEAD
    if feed.schedule is not None:
        spec = schedule_specs(start, end, {feed.schedule.pk})[feed.schedule.pk]
        name = _("On call: %(schedule)s") % {"schedule": feed.schedule.name}
        events = _events_of_schedule(feed.schedule, spec, start, end)
    else:
        name = _("On call: %(name)s") % {"name": feed.user.display_name}
        events = _events_of_person(feed.user, start, end)
    calendar = icalendar.Calendar()
    for key, value in (
        ("PRODID", PRODUCT),
        ("VERSION", "2.0"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-CALNAME", name),
        ("X-WR-TIMEZONE", feed.schedule.time_zone if feed.schedule else feed.user.time_zone),
        ("X-PUBLISHED-TTL", "PT1H"),
    ):
        calendar.add(key, value)
    calendar.add("REFRESH-INTERVAL", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for event in events:
        event.add("DTSTAMP", today)
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _events_of_schedule(
    schedule: Schedule, spec: ScheduleSpec, start: datetime, end: datetime
) -> list[icalendar.Event]:
    course = shifts(spec, start, end)
    names = names_of(user_id for shift in course for user_id in shift.user_ids)
    return [
        _event(schedule, user_id, shift, names.get(user_id, "?"))
        for user_id in sorted(names)
        for shift in _own(course, user_id)
    ]


def _own(course: Iterable[Shift], user_id: int) -> list[Shift]:
    """A person's stretches of a course; those that meet are one."""
    found: list[Shift] = []
    for shift in course:
        if user_id not in shift.user_ids:
            continue
        if found and found[-1].end == shift.start and found[-1].is_override == shift.is_override:
            found[-1] = Shift(found[-1].start, shift.end, (user_id,), shift.is_override)
        else:
            found.append(Shift(shift.start, shift.end, (user_id,), shift.is_override))
    return found


def _events_of_person(user: User, start: datetime, end: datetime) -> list[icalendar.Event]:
    schedules = Schedule.objects.in_bulk(schedule_ids_naming({user.pk}, start, end))
    specs = schedule_specs(start, end, set(schedules))
    events = []
    for pk, spec in sorted(specs.items()):
        summary = _("On call: %(schedule)s") % {"schedule": spec.name}
        events += [_event(schedules[pk], user.pk, each, summary) for each in stretches_of(spec, user.pk, start, end)]
        shadowing = _("Shadowing: %(schedule)s") % {"schedule": spec.name}
        events += [
            _event(schedules[pk], user.pk, Shift(each.start, each.end, ()), shadowing, kind="shadow")
            for each in spec.shadows
            if each.user_id == user.pk
        ]
    return events


def _event(schedule: Schedule, user_id: int, shift: Shift, summary: str, *, kind: str = "shift") -> icalendar.Event:
    host = settings.PUBLIC_URL.partition("://")[2].partition("/")[0] or "sitrep"
    event = icalendar.Event()
    event.add("UID", f"{kind}-{schedule.pk}-{user_id}-{shift.start:%Y%m%dT%H%M%SZ}@{host}")
    event.add("SUMMARY", summary)
    event.add("DTSTART", shift.start)
    event.add("DTEND", shift.end)
    event.add("URL", settings.PUBLIC_URL + reverse("oncall:schedule", args=[schedule.slug]))
    # It says where somebody is reachable, not that they are busy.
    event.add("TRANSP", "TRANSPARENT")
    if shift.is_override:
        event.add("DESCRIPTION", _("An override."))
    return event
