"""Schedules that are calendars elsewhere: their addresses, and the sweep that reads them."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
import structlog
from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Invalid, require
from events.outbound import AddressRefused, get
from oncall import permissions
from oncall.ical import Event, Unreadable, read_events
from oncall.models import ImportedCalendar, ImportedShift, Schedule
from oncall.permissions import NOT_A_MANAGER
from oncall.roster import zone_of

log = structlog.get_logger(__name__)

CALENDARS = Actor.system("Calendars")
EVERY = timedelta(minutes=10)
# A claim lasts longer than the slowest server may take.
LEASE = timedelta(minutes=2)
# Unchanged or not, everything is read anew after this, for the window moves on.
FRESH_FOR = timedelta(hours=12)
BACK, AHEAD = timedelta(days=15), timedelta(days=180)
MOST_BYTES = 2_000_000


@transaction.atomic
def set_calendar(*, actor: Actor, schedule: Schedule, kind: str, address: str, now: datetime) -> ImportedCalendar:
    """Lets a calendar's address say who is on call, or who overrides; it is read within a minute.

    `webcal://` means `https://`. The same address again changes nothing.
    """
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    if kind not in ImportedCalendar.Kind.values:
        raise Invalid(f"{kind!r} is no kind.", field="kind", remedy="Use primary or overrides.")
    address = address.strip()
    if address.lower().startswith("webcal://"):
        address = f"https://{address[len('webcal://') :]}"
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > 2000:
        raise Invalid("A calendar has an address.", field="address", remedy="It begins with https:// or webcal://.")
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    found = ImportedCalendar.objects.filter(schedule=schedule, kind=kind).first()
    if found is not None and found.address == address:
        return found
    found = found or ImportedCalendar(schedule=schedule, kind=kind)
    found.address, found.etag, found.error, found.due_at = address, "", "", now
    found.save()
    data = {"kind": kind, "host": parts.hostname}
    publish("schedule.calendar_set", subject=schedule, actor=actor, data=data)
    return found


@transaction.atomic
def remove_calendar(*, actor: Actor, calendar: ImportedCalendar) -> None:
    """Lets the calendar say nothing any more; its shifts go with it."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    data = {"kind": calendar.kind}
    publish("schedule.calendar_removed", subject=calendar.schedule, actor=actor, data=data)
    calendar.delete()


@transaction.atomic
def read_again(*, actor: Actor, calendar: ImportedCalendar, now: datetime) -> ImportedCalendar:
    """Makes the calendar due at once."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    calendar.due_at, calendar.etag = now, ""
    calendar.save(update_fields=["due_at", "etag"])
    return calendar


def fetch_calendars(now: datetime, *, limit: int = 50) -> int:
    """Reads the calendars that are due and returns how many. A claim is a lease: two sweeps at once read nothing twice.

    When one can't be read its last good shifts stay, and the schedule shows why.
    """
    with transaction.atomic():
        claimed = list(
            ImportedCalendar.objects.select_for_update(skip_locked=True)
            .filter(due_at__lte=now)
            .order_by("due_at")[:limit]
            .values_list("pk", flat=True)
        )
        ImportedCalendar.objects.filter(pk__in=claimed).update(due_at=now + LEASE)
    for calendar in ImportedCalendar.objects.filter(pk__in=claimed).select_related("schedule"):
        _fetch(calendar, now)
    return len(claimed)


def _fetch(calendar: ImportedCalendar, now: datetime) -> None:
    is_fresh = calendar.fetched_at is not None and now - calendar.fetched_at < FRESH_FOR
    headers = {"Accept": "text/calendar"}
    if calendar.etag and is_fresh:
        headers["If-None-Match"] = calendar.etag
    try:
        answer, content = get(calendar.address, headers=headers, most_bytes=MOST_BYTES)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            _conclude(calendar, now, error="")
            return
        if answer.status_code != httpx.codes.OK:
            raise Unreadable(f"The server answered {answer.status_code}.")
        zone = zone_of(calendar.schedule.time_zone)
        events = read_events(content, zone, now - BACK, now + AHEAD)
    except (AddressRefused, Unreadable, httpx.HTTPError, httpx.InvalidURL) as error:
        _conclude(calendar, now, error=_without_address(str(error) or type(error).__name__, calendar.address))
        return
    except Exception:
        # Whatever a stranger's calendar breaks, it breaks for its own schedule only.
        log.exception("calendar_unreadable", calendar_id=calendar.pk)
        _conclude(calendar, now, error="It can't be read.")
        return
    _store(calendar, events, etag=answer.headers.get("ETag", "")[:300], now=now)


def _without_address(words: str, address: str) -> str:
    """The words without the secret that the address holds."""
    return words.replace(address, urlsplit(address).hostname or "the server")


@transaction.atomic
def _store(calendar: ImportedCalendar, events: list[Event], *, etag: str, now: datetime) -> None:
    current = ImportedCalendar.objects.select_for_update().filter(pk=calendar.pk).first()
    if current is None or current.address != calendar.address:
        return
    people = _people()
    # What was over before the window stays: the past is not read again.
    calendar.shifts.filter(ends_at__gt=now - BACK).delete()
    ImportedShift.objects.bulk_create(
        ImportedShift(
            calendar=calendar,
            uid=event.uid,
            user_id=event.user_id(people),
            name=event.name[:300],
            layer=event.layer,
            starts_at=event.start,
            ends_at=event.end,
        )
        for event in events
    )
    calendar.etag, calendar.fetched_at = etag, now
    calendar.save(update_fields=["etag", "fetched_at"])
    _conclude(calendar, now, error="")


def _people() -> dict[str, int]:
    """Everybody by name, unless two have the same, and by e-mail address."""
    people: dict[str, int] = {}
    ambiguous: set[str] = set()
    for user in User.objects.filter(is_active=True):
        if user.display_name in people:
            ambiguous.add(user.display_name)
        people[user.display_name] = user.pk
        people[user.email.lower()] = user.pk
    return {name: pk for name, pk in people.items() if name not in ambiguous}


@transaction.atomic
def _conclude(calendar: ImportedCalendar, now: datetime, *, error: str) -> None:
    """Notes how the reading went, says so when that is news, and when it is read next."""
    was = calendar.error
    calendar.error, calendar.due_at = error[:500], now + EVERY
    # Whoever gave another address meanwhile has made it due at once: that stays.
    ImportedCalendar.objects.filter(pk=calendar.pk, due_at=now + LEASE).update(
        error=calendar.error, due_at=calendar.due_at
    )
    if bool(was) != bool(error):
        name = "schedule.calendar_failed" if error else "schedule.calendar_read"
        data = {"kind": calendar.kind, "error": calendar.error}
        publish(name, subject=calendar.schedule, actor=CALENDARS, data=data)
