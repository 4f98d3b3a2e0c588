"""Schedules: the list, and one as a calendar of a day, two weeks or a month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from oncall import permissions
from oncall.calendar import MARGIN, Frame, people_in, rows_of
from oncall.filters import ScheduleFilter
from oncall.foresight import names_of
from oncall.models import CoverRequest, Rotation, RotationMember, Schedule
from oncall.roster import zone_of
from oncall.rota import Shift
from oncall.rotations import last_versions
from oncall.soundness import leaves_of, soundness_of
from oncall.standings import spec_of, standings
from oncall.views.signed_in import user_of

FINDINGS_SHOWN = 8
# A swapped turn is listed until its middle is this long ago.
SWAP_SHOWN = timedelta(days=4)
SPANS = {"day": _("Day"), "weeks": _("Two weeks"), "month": _("Month")}


@require_safe
def schedule_list(request: HttpRequest) -> HttpResponse:
    """All schedules with who is on call."""
    listing = list_page(request, Schedule.objects.select_related("team"), ScheduleFilter, sortable=("name",))
    now_on_call = {
        standing.schedule.pk: standing
        for standing in standings(timezone.now(), {schedule.pk for schedule in listing.page})
    }
    context = {
        "list": listing,
        "rows": [(schedule, now_on_call.get(schedule.pk)) for schedule in listing.page],
        "may_configure": permissions.can_configure(actor_of(request)),
    }
    return render(request, "oncall/schedule_list.html", context)


@dataclass(frozen=True)
class View:
    """What `?span=…&from=…&zone=…` asks to see, and the addresses around it."""

    span: str
    first: date
    days: int
    in_my_zone: bool

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    def query(self, **changes: object) -> str:
        """The address of this view with changes; what is the default is left out."""
        asked: dict[str, object] = {"span": self.span, "from": self.first, "zone": "mine" if self.in_my_zone else ""}
        asked |= changes
        if asked["span"] == "weeks":
            del asked["span"]
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    @property
    def earlier(self) -> str:
        if self.span == "month":
            return self.query(**{"from": (self.first - timedelta(days=1)).replace(day=1)})
        return self.query(**{"from": self.first - timedelta(days=self.days)})

    @property
    def later(self) -> str:
        return self.query(**{"from": self.last + timedelta(days=1)})

    @property
    def today(self) -> str:
        return self.query(**{"from": ""})

    @property
    def spans(self) -> list[tuple[str, object, bool]]:
        """Every span as (address, words, whether it is this one)."""
        return [(self.query(span=span), words, span == self.span) for span, words in SPANS.items()]

    @property
    def in_schedule_zone(self) -> str:
        return self.query(zone="")

    @property
    def in_viewers_zone(self) -> str:
        return self.query(zone="mine")


def asked_view(asked: Mapping[str, str], today: date) -> View:
    """The view that the query asks for; what makes no sense is this Monday's two weeks."""
    span = asked.get("span", "")
    span = span if span in SPANS else "weeks"
    first = _day(asked.get("from", ""))
    if span == "day":
        first, days = first or today, 1
    elif span == "month":
        first = (first or today).replace(day=1)
        days = ((first + timedelta(days=31)).replace(day=1) - first).days
    else:
        first, days = first or today - timedelta(days=today.weekday()), 14
    return View(span, first, days, asked.get("zone") == "mine")


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 1990 <= found.year < 2200 else None


@require_safe
def schedule_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The calendar, in the schedule's zone or the viewer's; what is wrong with it; what changes it."""
    schedule = get_object_or_404(Schedule.objects.select_related("team"), slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    in_my_zone = request.GET.get("zone") == "mine"
    zone = ZoneInfo(user.time_zone) if in_my_zone else zone_of(schedule.time_zone)
    view = asked_view(request.GET, now.astimezone(zone).date())
    frame = Frame(view.first, view.days, zone, schedule.country)
    spec = spec_of(schedule, frame.start - MARGIN, frame.end + MARGIN)
    people, may_override = people_in(spec), permissions.can_override(actor)
    # What opens from the calendar speaks in its zone.
    asked_zone = "mine" if in_my_zone else "schedule"
    address = f"{reverse('oncall:override-add', args=[schedule.slug])}?zone={asked_zone}"
    take_over = address if may_override else ""
    rows = rows_of(
        spec,
        frame,
        names_of(people),
        url_of=partial(_bar_url, take_over, now),
        leaves=leaves_of(people, frame.start, frame.end),
    )
    context = {
        "schedule": schedule,
        "view": view,
        "days": frame.columns(now),
        "rows": rows,
        "midnights": frame.midnights,
        "take_over": take_over,
        "now_percent": frame.now_percent(now),
        "now": now,
        "zone": zone.key,
        "standing": standings(now, {schedule.pk})[0],
        "rotations": _with_members(schedule, now),
        "calendars": list(schedule.calendars.order_by("-kind")),
        "policies": schedule.targets.values_list("level__policy__name", "level__policy__slug").distinct(),
        "may_override": may_override,
        "may_configure": permissions.can_configure(actor),
        **_changes(schedule, actor, now),
        **_soundness(schedule, zone, now),
    }
    return render(request, "oncall/schedule_detail.html", context)


def _changes(schedule: Schedule, actor: Actor, now: datetime) -> dict[str, object]:
    """What changes the rotations, now and coming, each with whether the viewer may take it back."""
    overrides = schedule.overrides.filter(ends_at__gt=now).select_related("user", "replaces").order_by("starts_at")
    swapped = schedule.substitutions.filter(anchor__gt=now - SWAP_SHOWN).select_related("going", "coming")
    shadows = schedule.shadows.filter(ends_at__gt=now).select_related("user", "follows").order_by("starts_at")
    asked = schedule.cover_requests.filter(status=CoverRequest.Status.OPEN, ends_at__gt=now).select_related("user")
    return {
        "overrides": [(each, permissions.can_remove_override(actor, each)) for each in overrides],
        "swaps": [
            (each, permissions.can_swap(actor, {each.going_id, each.coming_id}))
            for each in swapped.order_by("anchor", "id")
        ],
        "shadows": [(each, permissions.can_shadow(actor, each.user_id)) for each in shadows],
        "cover_requests": asked.order_by("starts_at"),
    }


def _soundness(schedule: Schedule, zone: ZoneInfo, now: datetime) -> dict[str, object]:
    """What lowers the schedule's score in the coming weeks, in words."""
    sound = soundness_of(schedule, now)
    findings = sound.quality.findings
    return {
        "sound": sound,
        "findings": [(each, sound.in_words(each, zone)) for each in findings[:FINDINGS_SHOWN]],
        "more_findings": max(len(findings) - FINDINGS_SHOWN, 0),
    }


def _bar_url(take_over: str, now: datetime, shift: Shift) -> str:
    """Where a bar leads: to covering for that stretch, else to the person."""
    if take_over and shift.end > now:
        asked = {"starts_at": shift.start.isoformat(), "ends_at": shift.end.isoformat()}
        if len(shift.user_ids) == 1:
            asked["replaces"] = str(shift.user_ids[0])
        return f"{take_over}&{urlencode(asked)}"
    return reverse("accounts:person", args=[shift.user_ids[0]]) if shift.user_ids else ""


def _with_members(schedule: Schedule, now: datetime) -> list[Rotation]:
    members = Prefetch("rotation_members", RotationMember.objects.select_related("user").order_by("position"))
    return last_versions(schedule.rotations.prefetch_related(members), now)
