"""The screens of heartbeats."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import heartbeats
from alerts.addresses import mail_address, ping_address
from alerts.filters import HeartbeatFilter
from alerts.forms.heartbeats import HeartbeatForm
from alerts.models import Alert, Heartbeat
from alerts.permissions import can_configure
from events.errors import require
from events.forms import try_action

ALERTS_SHOWN = 10


def heartbeat_list(request: HttpRequest) -> HttpResponse:
    """Each heartbeat: how it stands, when it was heard of, when it is late."""
    listing = list_page(
        request,
        Heartbeat.objects.select_related("source", "service", "team"),
        HeartbeatFilter,
        sortable=("name", "last_ping_at", "due_at", "interval_seconds"),
    )
    context = {"list": listing, "can_configure": can_configure(actor_of(request))}
    return render(request, "alerts/heartbeat_list.html", context)


def heartbeat_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How it stands, how to ping it, and its alerts. Its address is for managers' eyes."""
    heartbeat = get_object_or_404(Heartbeat.objects.select_related("source", "service", "team"), pk=pk)
    may_see_token = can_configure(actor_of(request))
    alerts = Alert.objects.visible_to(actor_of(request)).filter(source=heartbeat.source, dedup_key=heartbeat.dedup_key)
    context: dict[str, Any] = {
        "heartbeat": heartbeat,
        "alerts": alerts.order_by("-pk")[:ALERTS_SHOWN],
        "can_configure": may_see_token,
    }
    if may_see_token:
        address = ping_address(heartbeat)
        context |= {
            "address": address,
            "curl": f"curl -fsS -m 10 --retry 3 {address}",
            "cron": f"0 3 * * * /usr/local/bin/backup && curl -fsS -m 10 --retry 3 -o /dev/null {address}",
            "mail": mail_address(heartbeat.token),
        }
    return render(request, "alerts/heartbeat_detail.html", context)


def heartbeat_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a heartbeat, or changes one."""
    actor = actor_of(request)
    require(can_configure(actor), heartbeats.NOT_A_KEEPER)
    heartbeat = get_object_or_404(Heartbeat.objects.select_related("source"), pk=pk) if pk else None
    initial: dict[str, Any] = {}
    if heartbeat:
        initial = {name: getattr(heartbeat, name) for name in HeartbeatForm.base_fields}
        initial["tags"] = ", ".join(heartbeat.tags)
    form = HeartbeatForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        saved = try_action(
            form,
            lambda: heartbeats.save_heartbeat(actor=actor, heartbeat=heartbeat, now=timezone.now(), **data),
        )
        if saved is not None:
            return HttpResponseRedirect(saved.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    return render(request, "alerts/heartbeat_form.html", {"form": form, "heartbeat": heartbeat}, status=status)


@require_POST
def heartbeat_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Begins or ceases to wait for it."""
    heartbeat = get_object_or_404(Heartbeat, pk=pk)
    is_enabled = request.POST.get("is_enabled") == "true"
    heartbeats.switch_heartbeat(actor=actor_of(request), heartbeat=heartbeat, is_enabled=is_enabled, now=timezone.now())
    messages.success(request, _("It is waited for.") if is_enabled else _("It is no longer waited for."))
    return HttpResponseRedirect(heartbeat.get_absolute_url())


@require_POST
def heartbeat_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    heartbeat = get_object_or_404(Heartbeat, pk=pk)
    heartbeats.rotate_heartbeat_token(actor=actor_of(request), heartbeat=heartbeat)
    messages.success(request, _("The heartbeat has a new address. The old one no longer works."))
    return HttpResponseRedirect(heartbeat.get_absolute_url())


@require_POST
def heartbeat_remove(request: HttpRequest, pk: int) -> HttpResponse:
    heartbeat = get_object_or_404(Heartbeat, pk=pk)
    heartbeats.remove_heartbeat(actor=actor_of(request), heartbeat=heartbeat, now=timezone.now())
    messages.success(request, _("The heartbeat is gone."))
    return HttpResponseRedirect(reverse("alerts:heartbeats"))
