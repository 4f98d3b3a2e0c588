"""The screens of routes: the ordered list, changing one, and putting them in order."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from alerts import routes
from alerts.actions import NOT_A_MANAGER
from alerts.facts import known_facts
from alerts.forms.previews import PayloadForm
from alerts.forms.routes import RouteForms
from alerts.models import Alert, AlertRoute
from alerts.permissions import can_configure
from alerts.route_words import lines_of, routes_in_order
from events.errors import Conflict, require

COUNTED_DAYS = 7


@require_safe
def route_list(request: HttpRequest) -> HttpResponse:
    """The ordered list, each route in words, with how many alerts took it of late and how many of them were noise."""
    return _listed(request)


def _listed(request: HttpRequest, *, refused: dict[str, Any] | None = None) -> HttpResponse:
    """The list; what a paging test has refused can be done there all the same, with a reason."""
    actor, now = actor_of(request), timezone.now()
    taken = _taken(actor)
    nothing = {"alerts": 0, "noise": 0}
    rows = [
        {"route": route, "lines": lines_of(route), "taken": taken.get(route.pk, nothing)} for route in routes_in_order()
    ]
    may = can_configure(actor)
    context = {
        "rows": rows,
        "can_configure": may,
        "days": COUNTED_DAYS,
        "refused": refused,
        "payload": PayloadForm.start(None, now, viewer=actor) if may else None,
    }
    return render(request, "alerts/route_list.html", context, status=409 if refused else 200)


def _taken(viewer: Actor) -> dict[int, dict[str, int]]:
    """How many alerts took each route in the last days, and how many of them somebody has marked as noise."""
    since = timezone.now() - timedelta(days=COUNTED_DAYS)
    recent = Alert.objects.visible_to(viewer).filter(first_event_at__gte=since, route__isnull=False).order_by()
    counted = recent.values("route").annotate(alerts=Count("pk"), noise=Count("pk", filter=~Q(noise="")))
    return {row["route"]: {"alerts": row["alerts"], "noise": row["noise"]} for row in counted}


def route_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a route, or changes one."""
    actor, now = actor_of(request), timezone.now()
    require(can_configure(actor), NOT_A_MANAGER)
    route = get_object_or_404(routes_in_order(), pk=pk) if pk else None
    called = route.name if route else ""
    forms = RouteForms(request.POST if request.method == "POST" else None, route)
    if request.method == "POST" and forms.is_valid():
        reason = forms.form.cleaned_data["override_reason"]
        save = partial(routes.save_route, actor=actor, route=route, now=now, notices=forms.told())
        saved = forms.attempt(partial(save, override_reason=reason, **forms.fields()))
        if saved is not None:
            messages.success(request, _("The route is saved. It decides about alerts from now on."))
            return redirect("alerts:routes")
    context = {
        "forms": forms,
        "form": forms.form,
        "pk": pk,
        "called": called,
        "facts": known_facts(actor),
        "payload": PayloadForm.start(None, now, viewer=actor),
    }
    return render(request, "alerts/route_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def route_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a route off the list."""
    route = get_object_or_404(AlertRoute, pk=pk)
    remove = partial(routes.remove_route, actor=actor_of(request), route=route, now=timezone.now())
    return _unless_refused(request, remove, verb=_("Remove it all the same"), done=_("The route is gone."))


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
    return _order(request, ordered)


@require_POST
def routes_order(request: HttpRequest) -> HttpResponse:
    """Puts the routes in the order of `routes`, their ids; a script hears 204, or 409 if that was refused."""
    asked = [int(pk) for pk in request.POST.getlist("routes") if pk.isdecimal()]
    found = AlertRoute.objects.in_bulk(asked)
    return _order(request, [found[pk] for pk in asked if pk in found])


def _order(request: HttpRequest, ordered: list[AlertRoute]) -> HttpResponse:
    order = partial(routes.order_routes, actor=actor_of(request), routes=ordered, now=timezone.now())
    if request.headers.get("X-Requested-With") == "fetch":
        try:
            order()
        except Conflict as error:
            return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
        return HttpResponse(status=204)
    return _unless_refused(request, order, verb=_("Move it all the same"))


def _unless_refused(request: HttpRequest, action: Callable[..., None], *, verb: str, done: str = "") -> HttpResponse:
    """Does it; if a paging test forbids it, the list says so and asks for a reason."""
    try:
        action(override_reason=request.POST.get("override_reason", ""))
    except Conflict as error:
        kept = {name: request.POST.getlist(name) for name in ("routes", "direction") if name in request.POST}
        given = [(name, value) for name, values in kept.items() for value in values]
        return _listed(request, refused={"why": error.message, "address": request.path, "given": given, "verb": verb})
    if done:
        messages.success(request, done)
    return redirect("alerts:routes")
