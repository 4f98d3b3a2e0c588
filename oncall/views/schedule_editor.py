"""Setting up a schedule: the editor, its live preview, and taking one away."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from events.errors import Conflict, Invalid, require
from oncall import permissions, scheduling
from oncall.calendar import Frame, people_in, rows_of
from oncall.foresight import CoverageGetsWorse, names_of
from oncall.forms import ChangeForm, RotationFormSet, ScheduleForm, rotation_initial
from oncall.forms.schedules import BaseRotationFormSet
from oncall.models import Schedule
from oncall.rotations import last_versions
from oncall.views.signed_in import user_of

PREVIEW_DAYS = 42
DIFFERENCES_SHOWN = 12


@dataclass
class Editor:
    """The parts of the page that are filled in together."""

    form: ScheduleForm
    rotations: BaseRotationFormSet
    change: ChangeForm

    def is_valid(self) -> bool:
        """Looks at every part, so that all that is wrong is told at once."""
        return all([self.form.is_valid(), self.rotations.is_valid(), self.change.is_valid()])

    def given(self, schedule: Schedule | None, now: datetime) -> dict[str, Any]:
        """What a save or a preview takes."""
        zone = ZoneInfo(self.form.cleaned_data["time_zone"])
        return {
            **self.form.cleaned_data,
            "rotations": self.rotations.drafts(zone),
            "effective_from": self.change.effective_from(zone, now) if schedule else None,
            "stamp": self.change.cleaned_data["stamp"],
            "confirm": self.change.cleaned_data["confirm"],
            "schedule": schedule,
            "now": now,
        }


def _editor(request: HttpRequest, schedule: Schedule | None, now: datetime) -> Editor:
    if schedule:
        zone = ZoneInfo(schedule.time_zone)
        rotations = schedule.rotations.prefetch_related("rotation_members__user")
        first = [rotation_initial(each, zone) for each in last_versions(rotations, now)]
        form = ScheduleForm(request.POST or None, initial=ScheduleForm.initial_of(schedule))
        change = ChangeForm(request.POST or None, initial={"stamp": scheduling.stamp_of(schedule)})
    else:
        today = timezone.localdate()
        first = [{"name": _("Weekly"), "starts_on": today - timedelta(days=today.weekday())}]
        form = ScheduleForm(request.POST or None, initial=ScheduleForm.initial_for_new(user_of(request).time_zone))
        change = ChangeForm(request.POST or None)
    return Editor(form, RotationFormSet(request.POST or None, prefix="rotations", initial=first), change)


def _found(request: HttpRequest, slug: str | None) -> Schedule | None:
    require(permissions.can_configure(actor_of(request)), permissions.NOT_A_MANAGER)
    return get_object_or_404(Schedule, slug=slug) if slug else None


def schedule_form(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Makes a schedule or changes one, with its rotations; what makes coverage worse is asked again."""
    schedule, now = _found(request, slug), timezone.now()
    editor = _editor(request, schedule, now)
    worse: CoverageGetsWorse | None = None
    if request.method == "POST" and editor.is_valid():
        try:
            saved = scheduling.save_schedule(actor=actor_of(request), **editor.given(schedule, now))
        except CoverageGetsWorse as error:
            worse = error
        except (Invalid, Conflict) as error:
            form = editor.form
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("The schedule is saved."))
            return redirect("oncall:schedule", saved.slug)
    context = {
        "form": editor.form,
        "rotations": editor.rotations,
        "change": editor.change,
        "schedule": schedule,
        "worse": worse,
        "asks_to_confirm": worse is not None or "confirm" in request.POST,
    }
    return render(request, "oncall/schedule_form.html", context)


@require_POST
def schedule_preview(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """The next six weeks as they would be after a save, and what that changes; nothing is stored."""
    schedule, now = _found(request, slug), timezone.now()
    editor = _editor(request, schedule, now)
    if not editor.is_valid():
        return render(request, "oncall/_schedule_preview.html", {"is_unfinished": True})
    try:
        preview = scheduling.preview_schedule(actor=actor_of(request), **editor.given(schedule, now))
    except (Invalid, Conflict) as error:
        return render(request, "oncall/_schedule_preview.html", {"error": error})
    zone = preview.after.zone
    today = now.astimezone(zone).date()
    frame = Frame(today - timedelta(days=today.weekday()), PREVIEW_DAYS, zone, preview.after.country)
    differences = list(preview.differences)
    context = {
        "days": frame.columns(now),
        "rows": rows_of(replace(preview.after, shadows=()), frame, names_of(people_in(preview.after))),
        "now_percent": frame.now_percent(now),
        "zone": zone.key,
        "schedule": schedule,
        "is_worse": preview.is_worse,
        "differences": [(each, each.in_words(zone)) for each in differences[:DIFFERENCES_SHOWN]],
        "more": max(len(differences) - DIFFERENCES_SHOWN, 0),
    }
    return render(request, "oncall/_schedule_preview.html", context)


@require_POST
def schedule_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a schedule away."""
    schedule = get_object_or_404(Schedule, slug=slug)
    scheduling.remove_schedule(actor=actor_of(request), schedule=schedule)
    messages.success(request, _("%(name)s is gone.") % {"name": schedule.name})
    return redirect("oncall:schedules")
