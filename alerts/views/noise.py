"""The report of noise."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from alerts.noise import NoiseReport, Question, report
from oncall.forms.duty import DaysForm
from oncall.roster import zone_of
from oncall.views.reports import SHADES, day_of
from oncall.views.signed_in import user_of


@dataclass(frozen=True)
class Cell:
    """An hour of a weekday: how many alerts, and how deep its colour is, 0 (none) to 5."""

    alerts: int
    shade: int


@require_safe
def noise(request: HttpRequest) -> HttpResponse:
    """The last thirty days, or those that are asked for."""
    zone = zone_of(user_of(request).time_zone)
    form = DaysForm(request.GET, today=timezone.now().astimezone(zone).date())
    if not form.is_valid():
        days = {name: day_of(request.GET.get(name, "")) for name in ("first", "last")}
        return render(request, "alerts/noise.html", {"form": form, **days}, status=400)
    made = report(Question(actor_of(request), *form.stretch(zone), zone))
    context = {
        "form": form,
        "report": made,
        "first": form.cleaned_data["first"],
        "last": form.cleaned_data["last"],
        "week": [(WEEKDAYS[number], cells_of(made, day), sum(day)) for number, day in enumerate(made.hours)],
        "day": range(24),
        "zone": zone.key,
    }
    return render(request, "alerts/noise.html", context)


def cells_of(made: NoiseReport, day: list[int]) -> list[Cell]:
    """A weekday as cells; one alert is never as pale as none."""
    return [Cell(alerts, -(-alerts * SHADES // made.busiest) if alerts else 0) for alerts in day]
