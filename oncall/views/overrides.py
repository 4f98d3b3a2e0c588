"""Putting somebody on call for a while, and taking that back."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from events.errors import require
from events.forms import try_action
from oncall import permissions, scheduling
from oncall.foresight import CoverageGetsWorse
from oncall.forms import OverrideForm
from oncall.models import Override, Schedule
from oncall.roster import zone_of
from oncall.views.signed_in import user_of


def asked_stretch(request: HttpRequest, now: datetime) -> tuple[datetime, datetime]:
    """The stretch that `?starts_at=…&ends_at=…` asks for, what is left of it; else eight hours from this hour on."""
    begin = _instant(request.GET.get("starts_at", "")) or now.replace(minute=0, second=0, microsecond=0)
    end = _instant(request.GET.get("ends_at", "")) or begin + timedelta(hours=8)
    return max(begin, now.replace(second=0, microsecond=0)), end


def asked_zone(request: HttpRequest, schedule: Schedule) -> ZoneInfo:
    """In which zone a form speaks: the schedule's with `?zone=schedule`, as its calendar links here, else one's own."""
    is_schedules = request.GET.get("zone") == "schedule"
    return zone_of(schedule.time_zone if is_schedules else user_of(request).time_zone)


def _instant(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def override_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Puts somebody on call for a while; `?starts_at=…&ends_at=…&replaces=…` says what to begin with."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    require(permissions.can_override(actor), "Viewers may not change who is on call.")
    zone = asked_zone(request, schedule)
    replaces = request.GET.get("replaces", "")
    initial: dict[str, Any] = {"replaces": replaces if replaces.isdecimal() and replaces != str(user.pk) else ""}
    initial |= {"user": user, **OverrideForm.initial_for(*asked_stretch(request, now), zone)}
    form = OverrideForm(request.POST or None, initial=initial, zone=zone)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("user", "replaces", "reason")}
        add = partial(scheduling.add_override, actor=actor, schedule=schedule, now=now, **form.stretch(), **given)
        if try_action(form, add) is not None:
            messages.success(request, _("%(name)s is on call for that time.") % {"name": given["user"]})
            return redirect("oncall:schedule", slug)
    context = {"form": form, "schedule": schedule, "zone": zone.key, "query": request.GET.urlencode()}
    return render(request, "oncall/override_form.html", context)


@require_POST
def override_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Takes an override away; if too few are on call then, it asks again."""
    override = get_object_or_404(Override.objects.select_related("schedule"), schedule__slug=slug, pk=pk)
    now, confirm = timezone.now(), request.POST.get("confirm") == "yes"
    try:
        scheduling.remove_override(actor=actor_of(request), override=override, now=now, confirm=confirm)
    except CoverageGetsWorse as worse:
        return confirm_worse(
            request,
            override.schedule,
            worse,
            action=reverse("oncall:override-remove", args=[slug, pk]),
            verb=_("Remove the override"),
        )
    messages.success(request, _("The override is gone: the rotations hold again."))
    return redirect("oncall:schedule", slug)


def confirm_worse(
    request: HttpRequest, schedule: Schedule, worse: CoverageGetsWorse, *, action: str, verb: str
) -> HttpResponse:
    """Shows what a change would leave with too few on call, and asks whether it is meant (409)."""
    zone = ZoneInfo(schedule.time_zone)
    context = {
        "schedule": schedule,
        "worse": worse,
        "is_worse": True,
        "differences": [(each, each.in_words(zone)) for each in worse.differences],
        "action": action,
        "verb": verb,
    }
    return render(request, "oncall/confirm_worse.html", context, status=409)
