"""Schedules: the list, the two-week calendar, setting one up, covering for somebody."""

from datetime import date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from accounts.models import User
from events.errors import require
from events.forms import try_action
from oncall import configuration, permissions
from oncall.calendar import MARGIN, Frame, rows_of
from oncall.filters import ScheduleFilter
from oncall.forms import OverrideForm, RotationFormSet, ScheduleForm, rotation_initial
from oncall.models import Override, Rotation, RotationMember, Schedule
from oncall.rota import Shift, gaps
from oncall.standings import spec_of, standings
from oncall.views.signed_in import user_of

DAYS = 14


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


@require_safe
def schedule_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The calendar from `?from=2026-03-09` (else this Monday), in the schedule's zone or the viewer's."""
    schedule = get_object_or_404(Schedule.objects.select_related("team"), slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    in_my_zone = request.GET.get("zone") == "mine"
    zone = ZoneInfo(user.time_zone if in_my_zone else schedule.time_zone)
    today = now.astimezone(zone).date()
    first = _day(request.GET.get("from", "")) or today - timedelta(days=today.weekday())
    frame = Frame(first, DAYS, zone)
    spec = spec_of(schedule, frame.start - MARGIN, frame.end + MARGIN)
    may_override = permissions.can_override(actor)
    rows = rows_of(spec, frame, _names(schedule), partial(_bar_url, schedule, may_override))
    coming = list(schedule.overrides.filter(ends_at__gt=now).select_related("user", "created_by").order_by("starts_at"))
    context = {
        "schedule": schedule,
        "days": frame.columns(now),
        "rows": rows,
        "now_percent": frame.now_percent(now),
        "zone": zone.key,
        "in_my_zone": in_my_zone,
        "first": first,
        "last": first + timedelta(days=DAYS - 1),
        "earlier": first - timedelta(days=DAYS),
        "later": first + timedelta(days=DAYS),
        "gaps": gaps(spec, max(frame.start, now), frame.end) if frame.end > now else [],
        "standing": standings(now, {schedule.pk})[0],
        "rotations": _with_members(schedule),
        "overrides": [(each, permissions.can_remove_override(actor, each)) for each in coming],
        "policies": schedule.targets.values_list("level__policy__name", "level__policy__slug").distinct(),
        "may_override": may_override,
        "may_configure": permissions.can_configure(actor),
    }
    return render(request, "oncall/schedule_detail.html", context)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _names(schedule: Schedule) -> dict[int, str]:
    involved = User.objects.filter(rotations__schedule=schedule) | User.objects.filter(overrides__schedule=schedule)
    return {user.pk: user.display_name for user in involved.distinct()}


def _bar_url(schedule: Schedule, may_override: bool, shift: Shift) -> str:
    """Where a bar leads: to covering for that stretch, else to the person."""
    if may_override:
        stretch = urlencode({"starts_at": shift.start.isoformat(), "ends_at": shift.end.isoformat()})
        return f"{reverse('oncall:override-add', args=[schedule.slug])}?{stretch}"
    return reverse("accounts:person", args=[shift.user_ids[0]]) if shift.user_ids else "#"


def _with_members(schedule: Schedule) -> QuerySet[Rotation]:
    members = Prefetch("rotation_members", RotationMember.objects.select_related("user").order_by("position"))
    return schedule.rotations.prefetch_related(members).order_by("-layer", "id")


def schedule_form(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Makes a schedule or changes one, with its rotations."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), configuration.NOT_A_MANAGER)
    schedule = get_object_or_404(Schedule, slug=slug) if slug else None
    fields = ("name", "slug", "time_zone", "team", "description")
    initial = {"time_zone": user_of(request).time_zone}
    if schedule:
        initial = {name: getattr(schedule, name) for name in fields}
    form = ScheduleForm(request.POST or None, initial=initial)
    rotations = RotationFormSet(
        request.POST or None,
        prefix="rotations",
        initial=[rotation_initial(each) for each in _with_members(schedule)] if schedule else _first_rotation(),
    )
    if request.method == "POST" and form.is_valid() and rotations.is_valid():
        kept = [each for each in rotations.forms if each.cleaned_data and not each.cleaned_data.get("DELETE")]
        drafts = [each.draft() for each in kept]
        save = partial(
            configuration.save_schedule, actor=actor, schedule=schedule, rotations=drafts, **form.cleaned_data
        )
        saved = try_action(form, save)
        if saved is not None:
            messages.success(request, _("The schedule is saved."))
            return redirect("oncall:schedule", saved.slug)
    return render(request, "oncall/schedule_form.html", {"form": form, "rotations": rotations, "schedule": schedule})


@require_POST
def schedule_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a schedule away."""
    schedule = get_object_or_404(Schedule, slug=slug)
    configuration.remove_schedule(actor=actor_of(request), schedule=schedule)
    messages.success(request, _("%(name)s is gone.") % {"name": schedule.name})
    return redirect("oncall:schedules")


def _first_rotation() -> list[dict[str, object]]:
    today = timezone.localdate()
    return [{"name": _("Weekly"), "starts_on": today - timedelta(days=today.weekday()), "handover_time": time(9)}]


def override_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts somebody on call for a while; `?starts_at=…&ends_at=…` says which stretch to begin with."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    require(permissions.can_override(actor), "Viewers may not change who is on call.")
    zone = ZoneInfo(user.time_zone)
    begin = _instant(request.GET.get("starts_at", "")) or now.replace(minute=0, second=0, microsecond=0)
    end = _instant(request.GET.get("ends_at", "")) or begin + timedelta(hours=8)
    initial = {"user": user, **OverrideForm.initial_for(max(begin, now.replace(second=0, microsecond=0)), end, zone)}
    form = OverrideForm(request.POST or None, initial=initial, zone=zone)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("user", "starts_at", "ends_at", "reason")}
        add = partial(configuration.add_override, actor=actor, schedule=schedule, now=now, **given)
        if try_action(form, add) is not None:
            messages.success(request, _("%(name)s is on call for that time.") % {"name": given["user"]})
            return redirect("oncall:schedule", slug)
    return render(request, "oncall/override_form.html", {"form": form, "schedule": schedule, "zone": zone.key})


def _instant(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


@require_POST
def override_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes an override away."""
    override = get_object_or_404(Override, schedule__slug=slug, pk=pk)
    configuration.remove_override(actor=actor_of(request), override=override, now=timezone.now())
    messages.success(request, _("The override is gone: the rotations hold again."))
    return redirect("oncall:schedule", slug)
