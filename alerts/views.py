"""The screens of alerts, sources and routes: parse, find what the actor may see, call one action, render."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import actions, forms
from alerts.addresses import curl_line, guides, receive_address, token_apart
from alerts.filters import AlertFilter, AlertSourceFilter
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from alerts.permissions import can_configure, can_handle
from alerts.receive import pretty_body
from events.condition_forms import ConditionFormSet, condition_rows
from events.conditions import in_words
from events.errors import require
from events.forms import try_action
from incidents.permissions import can_view

EVENTS_SHOWN = 20


def alert_list(request: HttpRequest) -> HttpResponse:
    """Alerts: firing ones unless asked otherwise, the newest first."""
    actor = actor_of(request)
    alerts = Alert.objects.visible_to(actor).for_lists().order_by("-id")
    if not request.GET:
        return HttpResponseRedirect(f"{request.path}?status=firing")
    listing = list_page(request, alerts, AlertFilter, sortable=("title", "count", "first_event_at", "last_event_at"))
    return render(request, "alerts/list.html", {"list": listing, "can_handle": can_handle(actor)})


def visible(request: HttpRequest, pk: int) -> Alert:
    """The alert; 404 for one that the viewer may not see."""
    alert = (
        Alert.objects.visible_to(actor_of(request)).for_lists().select_related("last_raw_event").filter(pk=pk).first()
    )
    if alert is None:
        raise Http404
    return alert


def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What, since when, how often, who has it, and what the source really sent."""
    alert = visible(request, pk)
    actor = actor_of(request)
    context = {
        "alert": alert,
        "escalation": alert.escalation,
        "entries": alert.escalation.entries.all() if alert.escalation else [],
        "payload": pretty_body(alert.last_raw_event) if alert.last_raw_event else "",
        "attributes": json.dumps(alert.attributes, indent=2, ensure_ascii=False),
        "earlier": Alert.objects.visible_to(actor)
        .filter(source=alert.source, dedup_key=alert.dedup_key, pk__lt=alert.pk)
        .order_by("-pk")[:10],
        "can_handle": can_handle(actor) and (alert.incident is None or can_view(actor, alert.incident)),
    }
    return render(request, "alerts/detail.html", context)


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    alert = visible(request, pk)
    actions.acknowledge_alert(actor=actor_of(request), alert=alert, now=timezone.now())
    messages.success(request, _("Acknowledged: paging has stopped."))
    return HttpResponseRedirect(alert.get_absolute_url())


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    alert = visible(request, pk)
    actions.resolve_alert(actor=actor_of(request), alert=alert, now=timezone.now())
    messages.success(request, _("Resolved."))
    return HttpResponseRedirect(alert.get_absolute_url())


# --- Sources ----------------------------------------------------------------------------------------------------------


def source_list(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    listing = list_page(
        request,
        AlertSource.objects.select_related("team"),
        AlertSourceFilter,
        sortable=("name", "dialect", "last_event_at"),
    )
    return render(request, "alerts/source_list.html", {"list": listing, "can_configure": can_configure(actor)})


def source_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """How to send to a source, and its last events with what became of them. The token is for managers' eyes."""
    source = get_object_or_404(AlertSource.objects.select_related("team"), slug=slug)
    may_see_token = can_configure(actor_of(request))
    context: dict[str, Any] = {"source": source, "can_configure": may_see_token}
    if may_see_token:
        context |= {
            "address": receive_address(source),
            "token": token_apart(source),
            "curl": curl_line(source),
            "guides": guides(source),
            "raw_events": RawEvent.objects.filter(source=source).defer("body", "headers")[:EVENTS_SHOWN],
        }
    return render(request, "alerts/source_detail.html", context)


def source_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a source, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), actions.NOT_A_MANAGER)
    source = get_object_or_404(AlertSource, slug=slug) if slug else None
    initial = {name: getattr(source, name) for name in forms.SourceForm.base_fields} if source else {}
    form = forms.SourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        data["slug"] = data["slug"] or slugify(data["name"])
        saved = try_action(form, lambda: actions.save_source(actor=actor, source=source, now=timezone.now(), **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("alerts:source", args=[saved.slug]))
    status = 422 if request.method == "POST" else 200
    return render(request, "alerts/source_form.html", {"form": form, "source": source}, status=status)


@require_POST
def source_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(AlertSource, slug=slug)
    actions.rotate_token(actor=actor_of(request), source=source)
    messages.success(request, _("The source has a new address. The old one no longer works."))
    return HttpResponseRedirect(reverse("alerts:source", args=[slug]))


@require_POST
def raw_event_retry(request: HttpRequest, pk: int) -> HttpResponse:
    raw_event = get_object_or_404(RawEvent.objects.select_related("source"), pk=pk)
    actions.retry_raw_event(actor=actor_of(request), raw_event=raw_event, now=timezone.now())
    messages.success(request, _("The event is being tried again."))
    return HttpResponseRedirect(reverse("alerts:source", args=[raw_event.source.slug]))


# --- Routes -----------------------------------------------------------------------------------------------------------


def route_list(request: HttpRequest) -> HttpResponse:
    """The ordered list, each route in words."""
    routes = list(AlertRoute.objects.select_related("escalation_policy", "severity").order_by("position", "id"))
    rows = [{"route": route, "words": in_words(route.conditions)} for route in routes]
    return render(request, "alerts/route_list.html", {"rows": rows, "can_configure": can_configure(actor_of(request))})


def route_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a route, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), actions.NOT_A_MANAGER)
    route = get_object_or_404(AlertRoute, pk=pk) if pk else None
    initial: dict[str, Any] = {}
    rows_initial: list[dict[str, str]] = []
    if route:
        initial = {name: getattr(route, name) for name in forms.RouteForm.base_fields if hasattr(route, name)}
        shown = condition_rows(route.conditions)
        if shown is None:
            initial["conditions_json"] = json.dumps(route.conditions, indent=2)
        else:
            initial["combine"], rows_initial = shown
    form = forms.RouteForm(request.POST or None, initial=initial)
    rows = ConditionFormSet(request.POST or None, initial=rows_initial, prefix="conditions")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        data = {key: value for key, value in form.cleaned_data.items() if key not in {"combine", "conditions_json"}}
        conditions = forms.conditions_of(form, rows)
        saved = try_action(form, lambda: actions.save_route(actor=actor, route=route, conditions=conditions, **data))
        if saved is not None:
            return HttpResponseRedirect(reverse("alerts:routes"))
    context = {"form": form, "rows": rows, "route": route, "facts": forms.FACTS}
    return render(request, "alerts/route_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def route_remove(request: HttpRequest, pk: int) -> HttpResponse:
    actions.remove_route(actor=actor_of(request), route=get_object_or_404(AlertRoute, pk=pk))
    messages.success(request, _("The route is gone."))
    return HttpResponseRedirect(reverse("alerts:routes"))


@require_POST
def route_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves a route one place up or down."""
    routes = list(AlertRoute.objects.order_by("position", "id"))
    index = next((number for number, route in enumerate(routes) if route.pk == pk), None)
    if index is None:
        raise Http404
    other = index - 1 if request.POST.get("direction") == "up" else index + 1
    if 0 <= other < len(routes):
        routes[index], routes[other] = routes[other], routes[index]
        actions.order_routes(actor=actor_of(request), routes=routes)
    return HttpResponseRedirect(reverse("alerts:routes"))
