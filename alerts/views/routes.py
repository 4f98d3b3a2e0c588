"""The screens of routes."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from alerts import routes
from alerts.actions import NOT_A_MANAGER
from alerts.forms.routes import FACTS, RouteForm, conditions_of
from alerts.models import AlertRoute
from alerts.permissions import can_configure
from events.condition_forms import ConditionFormSet, condition_rows
from events.conditions import in_words
from events.errors import require
from events.forms import try_action


def route_list(request: HttpRequest) -> HttpResponse:
    """The ordered list, each route in words."""
    listed = list(AlertRoute.objects.select_related("escalation_policy", "severity").order_by("position", "id"))
    rows = [{"route": route, "words": in_words(route.conditions)} for route in listed]
    return render(request, "alerts/route_list.html", {"rows": rows, "can_configure": can_configure(actor_of(request))})


def route_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a route, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), NOT_A_MANAGER)
    route = get_object_or_404(AlertRoute, pk=pk) if pk else None
    initial: dict[str, Any] = {}
    rows_initial: list[dict[str, str]] = []
    if route:
        initial = {name: getattr(route, name) for name in RouteForm.base_fields if hasattr(route, name)}
        shown = condition_rows(route.conditions)
        if shown is None:
            initial["conditions_json"] = json.dumps(route.conditions, indent=2)
        else:
            initial["combine"], rows_initial = shown
    form = RouteForm(request.POST or None, initial=initial)
    rows = ConditionFormSet(request.POST or None, initial=rows_initial, prefix="conditions")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        data = {key: value for key, value in form.cleaned_data.items() if key not in {"combine", "conditions_json"}}
        conditions = conditions_of(form, rows)
        saved = try_action(
            form, lambda: routes.save_route(actor=actor, route=route, conditions=conditions, now=timezone.now(), **data)
        )
        if saved is not None:
            return HttpResponseRedirect(reverse("alerts:routes"))
    context = {"form": form, "rows": rows, "route": route, "facts": FACTS}
    return render(request, "alerts/route_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def route_remove(request: HttpRequest, pk: int) -> HttpResponse:
    routes.remove_route(actor=actor_of(request), route=get_object_or_404(AlertRoute, pk=pk), now=timezone.now())
    messages.success(request, _("The route is gone."))
    return HttpResponseRedirect(reverse("alerts:routes"))


@require_POST
def route_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves a route one place up or down."""
    ordered = list(AlertRoute.objects.order_by("position", "id"))
    index = next((number for number, route in enumerate(ordered) if route.pk == pk), None)
    if index is None:
        raise Http404
    other = index - 1 if request.POST.get("direction") == "up" else index + 1
    if 0 <= other < len(ordered):
        ordered[index], ordered[other] = ordered[other], ordered[index]
        routes.order_routes(actor=actor_of(request), routes=ordered, now=timezone.now())
    return HttpResponseRedirect(reverse("alerts:routes"))
