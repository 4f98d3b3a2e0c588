"""The screens of alerts."""

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import actions
from alerts.filters import AlertFilter
from alerts.models import Alert
from alerts.permissions import can_handle
from alerts.receive import pretty_body
from incidents.permissions import can_view


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
