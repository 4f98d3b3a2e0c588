"""Calendars elsewhere as schedules: how they are read, when a server fails, and what they may not do."""

import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from accounts.models import Role
from events.errors import Invalid, NotAllowed
from events.models import Event
from oncall import calendars
from oncall.ical import Unreadable, read_events
from oncall.models import ImportedCalendar, ImportedShift, Schedule
from oncall.roster import on_call_at
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC)


def ics(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\nUID:u{number}\r\n{text}\r\nEND:VEVENT\r\n" for number, text in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{head}{body}END:VCALENDAR\r\n".encode()


def event(summary: str, start: str = "20260314T080000Z", end: str = "20260314T160000Z", *more: str) -> str:
    return "\r\n".join([f"SUMMARY:{summary}", f"DTSTART:{start}", f"DTEND:{end}", *more])


class Server(ThreadingHTTPServer):
    """A calendar's server: it knows one path, says 304 when it is asked with its ETag, and can fail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Serves)
        self.content, self.status, self.etag = ics(), 200, '"1"'
        self.asked: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/secret-token/basic.ics"


class Serves(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(dict(self.headers))
        status, content = self.server.status, self.server.content
        if self.path == "/secret-token/moved.ics":
            status, content = 302, b""
        elif self.path != "/secret-token/basic.ics":
            status, content = 404, b""
        elif status == 200 and self.headers.get("If-None-Match") == self.server.etag:
            status, content = 304, b""
        self.send_response(status)
        self.send_header("ETag", self.server.etag)
        if status == 302:
            self.send_header("Location", "/secret-token/basic.ics")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(settings: Settings) -> Generator[Server]:
    settings.OUTBOUND_PRIVATE_ADDRESSES = True
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def reading(server: Server, now: datetime, schedule: Schedule | None = None, kind: str = "primary") -> ImportedCalendar:
    return calendars.set_calendar(
        actor=oncall.SYSTEM, schedule=schedule or oncall.schedule(), kind=kind, address=server.url, now=now
    )


def test_an_event_is_a_shift_of_whoever_it_names(server: Server, now: datetime) -> None:
    ana = user(name="Ana")
    server.content = ics(event("Ana"))
    calendar = reading(server, now)
    assert calendars.fetch_calendars(now) == 1
    assert on_call_at(now)[calendar.schedule_id] == [ana]
    assert on_call_at(now + 12 * HOUR)[calendar.schedule_id] == []
    assert calendars.fetch_calendars(now) == 0
    assert server.asked[0]["Accept"] == "text/calendar"


@pytest.mark.parametrize(
    "text",
    [
        event("ANA@example.com"),
        event("[L2] Ana"),
        event("Holiday duty\r\nDESCRIPTION:ana@example.com"),
        event("On Call - A. - Alpha\r\nATTENDEE:ana@example.com"),
        event("On Call - A. - Alpha\r\nATTENDEE;CN=Ana:mailto:ana@example.com"),
    ],
)
def test_a_person_is_found_by_title_description_or_the_one_attendee(server: Server, now: datetime, text: str) -> None:
    ana = user(name="Ana", email="ana@example.com")
    server.content = ics(text)
    calendar = reading(server, now)
    calendars.fetch_calendars(now)
    assert on_call_at(now)[calendar.schedule_id] == [ana]


def test_several_attendees_say_nothing_and_an_unknown_name_is_an_empty_shift(server: Server, now: datetime) -> None:
    user(name="Ana", email="ana@example.com")
    server.content = ics(event("Somebody\r\nATTENDEE:ana@example.com\r\nATTENDEE:bob@example.com"))
    calendar = reading(server, now)
    calendars.fetch_calendars(now)
    shift = ImportedShift.objects.get()
    assert (shift.user, shift.name) == (None, "Somebody")
    assert on_call_at(now)[calendar.schedule_id] == []


def test_a_name_that_two_people_have_names_neither(server: Server, now: datetime) -> None:
    user(name="Ana"), user(name="Ana")
    server.content = ics(event("Ana"))
    reading(server, now)
    calendars.fetch_calendars(now)
    assert ImportedShift.objects.get().user is None


def test_the_higher_layer_wins_and_overrides_beat_everything(server: Server, now: datetime) -> None:
    ana, bob, eve = user(name="Ana"), user(name="Bob"), user(name="Eve")
    schedule = oncall.schedule()
    server.content = ics(event("Ana"), event("[L3] Bob", "20260314T120000Z", "20260314T140000Z"))
    reading(server, now, schedule)
    calendars.fetch_calendars(now)
    at = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    assert (on_call_at(now)[schedule.pk], on_call_at(at)[schedule.pk]) == ([ana], [bob])
    server.content = ics(event("Eve", "20260314T122000Z", "20260314T124000Z"))
    reading(server, now, schedule, "overrides")
    calendars.fetch_calendars(now)
    assert on_call_at(at)[schedule.pk] == [eve]


def test_repetitions_exceptions_and_cancelled_events_are_read_as_a_calendar_program_does() -> None:
    rule = ["RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20260309T090000Z"]
    weekly = event("Ana", "20260302T090000Z", "20260302T170000Z", *rule)
    moved = event("Bob", "20260316T100000Z", "20260316T120000Z", "RECURRENCE-ID:20260316T090000Z")
    cancelled = event("Eve", "20260305T090000Z", "20260305T170000Z", "STATUS:CANCELLED")
    content = ics(weekly, cancelled, moved).replace(b"UID:u2", b"UID:u0")
    found = [(each.name, each.start.day, each.start.hour) for each in read_events(content, UTC_ZONE, START, END)]
    assert found == [("Ana", 2, 9), ("Bob", 16, 10), ("Ana", 23, 9)]


def test_whole_days_and_floating_times_are_those_of_the_calendars_zone() -> None:
    whole = "SUMMARY:Ana\r\nDTSTART;VALUE=DATE:20260329\r\nDTEND;VALUE=DATE:20260330"
    floating = event("Bob", "20260310T090000", "20260310T100000")
    found = read_events(ics(whole, floating, head="X-WR-TIMEZONE:Europe/Berlin\r\n"), UTC_ZONE, START, END)
    assert [(each.start, each.end - each.start) for each in found] == [
        (datetime(2026, 3, 10, 8, tzinfo=UTC), HOUR),
        # The clocks go forward on this day.
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23 * HOUR),
    ]
    found = read_events(ics(whole), ZoneInfo("Asia/Bangkok"), START, END)
    assert found[0].start == datetime(2026, 3, 28, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Sign in</html>",
        b"BEGIN:VCALENDAR",
        ics(event("Ana", "20260314T080000Z", "20260314T080001Z", "RRULE:FREQ=SECONDLY")),
        ics(event("Ana", "20260314T080000Z", "20260314T080001Z", "RRULE:FREQ=DAILY;BYMINUTE=1,2,3")),
        ics(*[event("Ana", "20260301T000000Z", "20260301T003000Z", "RRULE:FREQ=HOURLY")] * 5),
    ],
)
def test_what_is_no_calendar_or_too_much_of_one_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_events(content, UTC_ZONE, START, END)


def test_the_last_good_shifts_stay_when_the_server_fails_and_the_schedule_says_why(
    server: Server, now: datetime
) -> None:
    ana = user(name="Ana")
    server.content = ics(event("Ana"))
    calendar = reading(server, now)
    calendars.fetch_calendars(now)
    server.status = 500
    for minutes in (15, 30):
        calendars.fetch_calendars(now + timedelta(minutes=minutes))
    calendar.refresh_from_db()
    assert "500" in calendar.error
    assert on_call_at(now)[calendar.schedule_id] == [ana]
    assert Event.objects.filter(name="schedule.calendar_failed").count() == 1
    server.status = 200
    calendars.fetch_calendars(now + HOUR)
    calendar.refresh_from_db()
    assert calendar.error == ""
    assert Event.objects.filter(name="schedule.calendar_read").count() == 1


def test_an_unchanged_calendar_is_not_read_twice_but_once_a_while_anew(server: Server, now: datetime) -> None:
    user(name="Ana")
    server.content = ics(event("Ana"))
    calendar = reading(server, now)
    for later in (timedelta(0), HOUR, timedelta(hours=13)):
        calendars.fetch_calendars(now + later)
    assert [asked.get("If-None-Match") for asked in server.asked] == [None, '"1"', None]
    calendar.refresh_from_db()
    assert calendar.fetched_at == now + timedelta(hours=13)
    assert ImportedShift.objects.count() == 1


def test_a_redirect_is_followed_and_too_much_is_not_read(
    server: Server, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(name="Ana")
    server.content = ics(event("Ana"))
    address = server.url.replace("basic", "moved")
    given = {"actor": oncall.SYSTEM, "schedule": oncall.schedule(), "kind": "primary", "now": now}
    calendar = calendars.set_calendar(address=address, **given)  # type: ignore[arg-type]
    calendars.fetch_calendars(now)
    calendar.refresh_from_db()
    assert (calendar.error, ImportedShift.objects.count()) == ("", 1)
    monkeypatch.setattr(calendars, "MOST_BYTES", 100)
    calendars.read_again(actor=oncall.SYSTEM, calendar=calendar, now=now)
    calendars.fetch_calendars(now)
    calendar.refresh_from_db()
    assert "larger than 100 bytes" in calendar.error


def test_a_calendar_never_leads_into_the_private_network(server: Server, now: datetime, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE_ADDRESSES = False
    calendar = reading(server, now)
    calendars.fetch_calendars(now)
    calendar.refresh_from_db()
    assert "private network" in calendar.error
    assert "secret-token" not in calendar.error
    assert server.asked == []


def test_shifts_that_were_over_before_the_window_stay(server: Server, now: datetime) -> None:
    ana = user(name="Ana")
    server.content = ics(event("Ana"))
    calendar = reading(server, now)
    calendars.fetch_calendars(now)
    server.content, server.etag = ics(), '"2"'
    calendars.fetch_calendars(now + timedelta(days=30))
    assert on_call_at(now)[calendar.schedule_id] == [ana]
    server.etag = '"3"'
    calendars.fetch_calendars(now + HOUR)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "third"}, "kind"),
        ({"address": "ftp://example.com/x.ics"}, "address"),
        ({"address": "https://"}, "address"),
        ({"address": f"https://example.com/{'x' * 2000}"}, "address"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(now: datetime, fields: dict[str, Any], field: str) -> None:
    given = {"kind": "primary", "address": "https://example.com/x.ics", **fields}
    with pytest.raises(Invalid) as refused:
        calendars.set_calendar(actor=oncall.SYSTEM, schedule=oncall.schedule(), now=now, **given)
    assert refused.value.field == field


def test_managers_set_and_remove_calendars_and_webcal_is_https(now: datetime) -> None:
    schedule, manager = oncall.schedule(), actor(Role.MANAGER)
    given: dict[str, Any] = {"schedule": schedule, "kind": "primary", "address": "webcal://example.com/x.ics"}
    with pytest.raises(NotAllowed):
        calendars.set_calendar(actor=actor(), now=now, **given)
    made = calendars.set_calendar(actor=manager, now=now, **given)
    assert made.address == "https://example.com/x.ics"
    assert calendars.set_calendar(actor=manager, now=now + HOUR, **given).due_at == now
    with pytest.raises(NotAllowed):
        calendars.remove_calendar(actor=actor(), calendar=made)
    calendars.remove_calendar(actor=manager, calendar=made)
    assert not ImportedCalendar.objects.exists()
