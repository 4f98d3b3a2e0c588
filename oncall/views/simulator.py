"""The simulator: who would be paged, by what, at which second."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from oncall.forms.simulation import SimulationForm
from oncall.models import EscalationPolicy, Urgency
from oncall.simulation import simulate
from oncall.views.signed_in import user_of


@require_safe
def simulator(request: HttpRequest) -> HttpResponse:
    """A form in the address, so that what it shows can be sent to somebody; the slider asks for the result alone."""
    zone = ZoneInfo(user_of(request).time_zone)
    given = request.GET.copy()
    if "at" not in given:
        given["at"] = f"{timezone.now().astimezone(zone):%Y-%m-%dT%H:%M}"
    given.setdefault("urgency", Urgency.HIGH)
    given.setdefault("later", "0")
    if "policy" not in given:
        given["policy"] = EscalationPolicy.objects.order_by("name").values_list("slug", flat=True).first() or ""
    form = SimulationForm(given)
    is_valid = form.is_valid()
    context: dict[str, Any] = {"form": form, "zone": zone.key, "has_policies": bool(given["policy"])}
    if is_valid:
        at = form.moment(zone)
        asked = form.cleaned_data
        context["at"] = at
        context["found"] = simulate(asked["policy"], at, asked["urgency"], asked["facts"])
    is_part = bool(request.headers.get("HX-Request")) and request.headers.get("HX-Target") == "simulation"
    return render(request, "oncall/_simulation.html" if is_part else "oncall/simulator.html", context)
