"""Leave and shadows: who is away, and who learns."""

from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import absences, permissions
from oncall.filters import LeaveFilter
from oncall.forms.cover import LeaveForm, ShadowForm
from oncall.models import Leave, Schedule, Shadow
from oncall.rota import instant_of
from oncall.views.overrides import asked_stretch, asked_zone
from oncall.views.signed_in import user_of


def leave_list(request: HttpRequest) -> HttpResponse:
    """Who is away, now and coming; entering one's own, for managers anybody's."""
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    zone = ZoneInfo(user.time_zone)
    form = LeaveForm(
        request.POST or None,
        initial={"user": user.pk, **LeaveForm.initial_for(*_tomorrow(now, zone), zone)},
        zone=zone,
        viewer=user,
        may_enter_others=permissions.can_configure(actor),
    )
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("user", "reason")}
        add = partial(absences.add_leave, actor=actor, now=now, **form.stretch(), **given)
        if try_action(form, add) is not None:
            messages.success(request, _("It is entered. Shifts within it show as conflicts until somebody takes them."))
            return redirect("oncall:leave")
    coming = Leave.objects.filter(ends_at__gt=now).select_related("user").order_by("starts_at", "id")
    listing = list_page(request, coming, LeaveFilter, sortable=("starts_at", "ends_at"))
    context = {
        "form": form,
        "list": listing,
        "rows": [(leave, permissions.can_manage_leave(actor, leave.user_id)) for leave in listing.page],
        "zone": zone.key,
    }
    return render(request, "oncall/leave_list.html", context)


def _tomorrow(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    day = now.astimezone(zone).date() + timedelta(days=1)
    return instant_of(day, time(0), zone), instant_of(day + timedelta(days=1), time(0), zone)


@require_POST
def leave_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a leave away."""
    leave = get_object_or_404(Leave.objects.select_related("user"), pk=pk)
    absences.remove_leave(actor=actor_of(request), leave=leave)
    messages.success(request, _("The leave is removed."))
    return redirect("oncall:leave")


def shadow_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Lets somebody shadow for a while."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, user, now = actor_of(request), user_of(request), timezone.now()
    require(permissions.can_override(actor), "Viewers may not shadow.")
    zone = asked_zone(request, schedule)
    begin, _end = asked_stretch(request, now)
    form = ShadowForm(
        request.POST or None,
        initial={"user": user.pk, **ShadowForm.initial_for(begin, begin + timedelta(weeks=2), zone)},
        zone=zone,
        viewer=user,
        may_choose_others=permissions.can_configure(actor),
    )
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("user", "follows")}
        add = partial(absences.add_shadow, actor=actor, schedule=schedule, now=now, **form.stretch(), **given)
        if try_action(form, add) is not None:
            messages.success(request, _("%(name)s is told, and never paged.") % {"name": given["user"]})
            return redirect("oncall:schedule", slug)
    context = {"form": form, "schedule": schedule, "zone": zone.key, "query": request.GET.urlencode()}
    return render(request, "oncall/shadow_form.html", context)


@require_POST
def shadow_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Ends a shadow."""
    shadow = get_object_or_404(Shadow.objects.select_related("schedule"), schedule__slug=slug, pk=pk)
    absences.remove_shadow(actor=actor_of(request), shadow=shadow, now=timezone.now())
    messages.success(request, _("It has ended."))
    return redirect("oncall:schedule", slug)
