"""The screens of maintenance windows."""

import json
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import matchers, windows
from alerts.forms.windows import FACTS, MaintenanceWindowForm
from alerts.models import Alert, AlertSource, MaintenanceWindow
from alerts.occurrences import occurrences, rule_in_words
from alerts.permissions import can_mute
from alerts.window_filters import MaintenanceWindowFilter
from catalog.models import Service
from events.condition_forms import ConditionFormSet, condition_rows
from events.conditions import in_words
from events.errors import Invalid, require
from events.forms import try_action
from oncall.views.signed_in import user_of

SHOWN = 50
EXTENSION_MINUTES = 30


def asked_for(window: MaintenanceWindow) -> list[str]:
    """What an alert must be to be muted, a line for each part. Takes services and sources as they were fetched."""
    lines = []
    if names := [service.name for service in window.services.all()]:
        lines.append(_("Service: %(names)s") % {"names": ", ".join(names)})
    if names := [source.name for source in window.sources.all()]:
        lines.append(_("Source: %(names)s") % {"names": ", ".join(names)})
    if window.conditions:
        lines.append(in_words(window.conditions))
    return lines + [matchers.in_words(matcher) for matcher in window.matchers]


def recurrence_words(window: MaintenanceWindow) -> str:
    """How it recurs, or nothing."""
    return rule_in_words(window.recurrence) if window.recurrence else ""


@require_safe
def window_list(request: HttpRequest) -> HttpResponse:
    """Those that run and come first, then those that are over, the latest first."""
    now = timezone.now()
    found = (
        MaintenanceWindow.objects.prefetch_related("services", "sources")
        .annotate(held=Count("alerts", filter=Q(alerts__held=Alert.Held.MUTED, alerts__status=Alert.Status.FIRING)))
        .order_by(F("from_at").asc(nulls_last=True), "-ends_at", "-id")
    )
    listing = list_page(request, found, MaintenanceWindowFilter, sortable=("name", "starts_at"))
    rows = [
        {
            "window": window,
            "state": window.state_at(now),
            "state_label": MaintenanceWindow.State(window.state_at(now)).label,
            "lines": asked_for(window),
            "recurs": recurrence_words(window),
        }
        for window in listing.page
    ]
    context = {"list": listing, "rows": rows, "may_mute": can_mute(actor_of(request))}
    return render(request, "alerts/window_list.html", context)


@require_safe
def window_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Who mutes what, why and until when, and what it has held back."""
    actor, now = actor_of(request), timezone.now()
    found = MaintenanceWindow.objects.select_related("created_by").prefetch_related("services", "sources")
    window = get_object_or_404(found, pk=pk)
    state = window.state_at(now)
    muted = Alert.objects.visible_to(actor).for_lists().filter(muted_by=window).order_by("status", "-id")
    is_open = state in {MaintenanceWindow.State.RUNNING, MaintenanceWindow.State.COMING}
    context = {
        "window": window,
        "state": state,
        "state_label": MaintenanceWindow.State(state).label,
        "lines": asked_for(window),
        "recurs": recurrence_words(window),
        "coming": occurrences(windows.series_of(window), after=now, count=5) if is_open and window.recurrence else [],
        "held": muted.filter(held=Alert.Held.MUTED, status=Alert.Status.FIRING).count(),
        "alerts": list(muted[:SHOWN]),
        "muted": muted.count(),
        "may_mute": can_mute(actor) and is_open,
        "extension": EXTENSION_MINUTES,
    }
    return render(request, "alerts/window_detail.html", context)


def window_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a window, or changes one; `?service=payments` and `?source=prometheus` choose what to begin with."""
    actor, now = actor_of(request), timezone.now()
    require(can_mute(actor), windows.NOT_ALLOWED)
    window = get_object_or_404(MaintenanceWindow, pk=pk) if pk else None
    zone = ZoneInfo(window.time_zone if window else user_of(request).time_zone)
    initial, rows_initial = _initial(request, window, zone)
    form = MaintenanceWindowForm(request.POST or None, zone=zone, initial=initial)
    rows = ConditionFormSet(request.POST or None, initial=rows_initial, prefix="conditions")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        save = partial(
            windows.save_window,
            actor=actor,
            window=window,
            conditions=form.conditions(rows),
            matchers=window.matchers if window else (),
            now=now,
            **form.window(),
            **form.timing(),
        )
        saved = try_action(form, save)
        if saved is not None:
            return redirect(saved)
    context = {"form": form, "rows": rows, "window": window, "facts": FACTS}
    return render(request, "alerts/window_form.html", context, status=422 if request.method == "POST" else 200)


def _initial(
    request: HttpRequest, window: MaintenanceWindow | None, zone: ZoneInfo
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The first values of the form and of its rows of conditions."""
    if window is None:
        start = timezone.now().astimezone(zone).replace(second=0, microsecond=0)
        chosen = {
            "services": Service.objects.filter(slug__in=request.GET.getlist("service")),
            "sources": AlertSource.objects.filter(slug__in=request.GET.getlist("source")),
        }
        return {
            "time_zone": zone.key,
            **MaintenanceWindowForm.initial_for(start, start + timedelta(hours=1), zone),
            **chosen,
        }, []
    initial = MaintenanceWindowForm.initial_of(window)
    shown = condition_rows(window.conditions)
    if shown is None:
        return {**initial, "conditions_json": json.dumps(window.conditions, indent=2)}, []
    return {**initial, "combine": shown[0]}, shown[1]


@require_POST
def window_preview(request: HttpRequest) -> HttpResponse:
    """The next occurrences that a form would make, as a fragment; what is wrong with it in their place."""
    form = MaintenanceWindowForm(request.POST, zone=ZoneInfo(user_of(request).time_zone))
    form.full_clean()
    context: dict[str, Any] = {}
    timed = {"starts_at", "ends_at", "time_zone", "every", "repeats"}
    if timed <= form.cleaned_data.keys():
        try:
            timing = form.timing()
            found = windows.preview(**timing, now=timezone.now())
            recurs = rule_in_words(timing["recurrence"]) if timing["recurrence"] else ""
            context = {"occurrences": found, "recurs": recurs, "zone": timing["time_zone"]}
        except Invalid as error:
            context = {"problem": str(error)}
    return render(request, "alerts/_window_preview.html", context)


@require_POST
def window_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets what runs last half an hour longer, unless `minutes` says otherwise."""
    window = get_object_or_404(MaintenanceWindow, pk=pk)
    asked = request.POST.get("minutes", "")
    minutes = int(asked) if asked.isdecimal() and len(asked) < 6 else EXTENSION_MINUTES
    windows.extend_window(actor=actor_of(request), window=window, minutes=minutes, now=timezone.now())
    messages.success(request, _("It lasts %(minutes)d minutes longer.") % {"minutes": minutes})
    return redirect(window)


@require_POST
def window_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends what runs now."""
    window = get_object_or_404(MaintenanceWindow, pk=pk)
    windows.end_occurrence(actor=actor_of(request), window=window, now=timezone.now())
    messages.success(request, _("It has ended. What fires still is routed now."))
    return redirect(window)


@require_POST
def window_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends the window for good."""
    window = get_object_or_404(MaintenanceWindow, pk=pk)
    windows.cancel_window(actor=actor_of(request), window=window, now=timezone.now())
    messages.success(request, _("It will not take place again."))
    return redirect(window)
