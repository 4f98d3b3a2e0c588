"""Schedule a meeting: an invitation that calendars understand, by mail.

Follows RFC 5545 and RFC 5546 (METHOD:REQUEST): the UID is the same each time the same step is tried again, so that a
calendar that has the meeting already changes it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from oncall.roster import zone_of
from oncall.schedule_mail import HEADERS
from workflows.naming import Found, missed, people_called
from workflows.registry import Context, Failed, Group, Outcome, Param, Skip, Step, listed, people_in_words, step

WORKING_HOURS = (10, 17)
MONDAY_TO_FRIDAY = range(5)
QUARTER = timedelta(minutes=15)
LONGEST_SEARCH = timedelta(days=10)


@step
class ScheduleMeeting(Step):
    """At the first quarter of an hour that suits all zones, within working hours if that is asked."""

    kind: ClassVar[str] = "schedule_meeting"
    label: ClassVar[Any] = _("Schedule a meeting")
    icon: ClassVar[str] = "calendar-plus"
    group: ClassVar[Group] = Group.WORK
    is_outside: ClassVar[bool] = True
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("starts_at", "invited", "uid")
    params: ClassVar[tuple[Param, ...]] = (
        Param(
            "title", "text", _("Title"), required=True, default="Review of {{ incident.reference }}", is_template=True
        ),
        Param("text", "long_text", _("Text"), default="{{ incident.name }}\n{{ incident.url }}", is_template=True),
        Param("people", "people", _("People"), required=True, is_template=True),
        Param("in_hours", "number", _("Not before (hours from now)"), default=24, is_template=True),
        Param("minutes", "minutes", _("Minutes"), default=45),
        Param("in_working_hours", "boolean", _("Within working hours of those invited"), default=True),
        Param("place", "text", _("Place or call"), default="{{ incident.call_url }}", is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Invite {people_in_words(params.get('people'))} to “{params.get('title')}”"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        found = self._people(context, params)
        starts_at = start_of(params, found.users, context.now)
        return f"Would invite {listed(found.names)}{missed(found)} at {starts_at.isoformat()}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        found = self._people(context, params)
        starts_at = start_of(params, found.users, context.now)
        uid = f"{context.key}@{settings.PUBLIC_URL.partition('//')[2].partition('/')[0].partition(':')[0]}"
        to = [*(user.email for user in found.users), *found.addresses]
        invitation = invitation_of(params, uid=uid, starts_at=starts_at, to=to, now=context.now)
        title = " ".join(str(params["title"]).split())[:200]
        when = f"{starts_at:%Y-%m-%d %H:%M} UTC"
        body = f"{params.get('text') or ''}\n\n{when}".strip()
        mail = EmailMultiAlternatives(title, body, to=to, headers=HEADERS)
        mail.attach_alternative(invitation.decode(), "text/calendar; method=REQUEST; charset=utf-8")
        mail.attach("invite.ics", invitation, "application/ics")
        mail.send()
        output = {"starts_at": starts_at.isoformat(), "invited": found.names, "uid": uid}
        return Outcome(f"Invited {listed(found.names)}{missed(found)} to {when}.", output)

    def _people(self, context: Context, params: Mapping[str, Any]) -> Found:
        found = people_called(params.get("people"), context)
        if context.incident is not None and context.incident.is_private:
            found.addresses = []
        if not found.names:
            raise Skip(f"There is nobody to invite{missed(found)}.")
        return found


def start_of(params: Mapping[str, Any], users: Sequence[User], now: datetime) -> datetime:
    """When the meeting begins (UTC): the first quarter of an hour that is not too early, and suits everybody's zone.

    Where no hour suits all zones within ten days, that of the first person counts.
    """
    earliest = now + timedelta(hours=float(params.get("in_hours") or 0))
    since_midnight = timedelta(hours=earliest.hour, minutes=earliest.minute, seconds=earliest.second)
    start = earliest.replace(microsecond=0) + (-since_midnight % QUARTER)
    if not params.get("in_working_hours") or not users:
        return start.astimezone(UTC)
    length = timedelta(minutes=float(params.get("minutes") or 0))
    zones = list(dict.fromkeys(zone_of(user.time_zone) for user in users))
    for among in (zones, zones[:1]):
        at = start
        while at < start + LONGEST_SEARCH:
            if all(_suits(at, length, zone) for zone in among):
                return at.astimezone(UTC)
            at += QUARTER
    raise Failed("No hour suits those invited.")


def _suits(at: datetime, length: timedelta, zone: ZoneInfo) -> bool:
    begin, end = at.astimezone(zone), (at + length).astimezone(zone)
    opens, closes = WORKING_HOURS
    is_early_enough = end.date() == begin.date() and end <= end.replace(hour=closes, minute=0, second=0)
    return begin.weekday() in MONDAY_TO_FRIDAY and begin.hour >= opens and is_early_enough


def invitation_of(
    params: Mapping[str, Any], *, uid: str, starts_at: datetime, to: Sequence[str], now: datetime
) -> bytes:
    """The invitation as an iCalendar object."""
    calendar = icalendar.Calendar()
    for name, value in (("prodid", "-//Sitrep//Workflows//EN"), ("version", "2.0"), ("method", "REQUEST")):
        calendar.add(name, value)
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + timedelta(minutes=float(params.get("minutes") or 0)))
    event.add("summary", " ".join(str(params["title"]).split())[:200])
    event.add("description", str(params.get("text") or ""))
    event.add("status", "CONFIRMED")
    event.add("sequence", 0)
    if params.get("place"):
        event.add("location", str(params["place"]))
    event.add("organizer", icalendar.vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"))
    for address in to:
        attendee = icalendar.vCalAddress(f"mailto:{address}")
        attendee.params["ROLE"] = icalendar.vText("REQ-PARTICIPANT")
        attendee.params["RSVP"] = icalendar.vText("TRUE")
        event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
