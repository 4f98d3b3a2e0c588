"""The page of one alert, and what people do there."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from alerts import actions, marking
from alerts.changes import changes_before
from alerts.history import attributes_of, history_of
from alerts.models import Alert, RawEvent
from alerts.permissions import can_handle
from alerts.receive import pretty_body
from events.conditions import in_words
from incidents.permissions import can_view

EARLIER = OTHERS = 10
EVENTS = 20
# Among so many of the newest that its source sent the events of an alert are looked for.
LOOKED_THROUGH = 500


def visible(request: HttpRequest, pk: int) -> Alert:
    """The alert; 404 for one that the viewer may not see."""
    shown = Alert.objects.visible_to(actor_of(request)).for_lists()
    more = ("last_raw_event", "muted_by", "group", "assigned_to", "team", "noise_by", "resolved_by")
    alert = shown.select_related(*more).filter(pk=pk).first()
    if alert is None:
        raise Http404
    return alert


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What, since when, how often, who has it, what was decided and why, and what the source really sent."""
    alert = visible(request, pk)
    actor = actor_of(request)
    seen = Alert.objects.visible_to(actor)
    others = seen.filter(group=alert.group).exclude(pk=alert.pk).order_by("-pk") if alert.group else seen.none()
    same_key = seen.filter(source=alert.source, dedup_key=alert.dedup_key)
    context = {
        "alert": alert,
        "escalation": alert.escalation,
        "pages": alert.escalation.pages.select_related("user").order_by("-id")[:OTHERS] if alert.escalation else [],
        "payload": pretty_body(alert.last_raw_event) if alert.last_raw_event else "",
        "attributes": attributes_of(alert),
        "why": in_words(alert.route.conditions) if alert.route else "",
        "history": history_of(alert),
        "events": events_of(alert),
        "others": list(others.select_related("source")[:OTHERS]),
        "earlier": list(same_key.filter(pk__lt=alert.pk).order_by("-pk")[:EARLIER]),
        "changes": changes_before(alert.started_at, [alert.service_id] if alert.service_id else []),
        "is_muted": alert.held == Alert.Held.MUTED and alert.status == Alert.Status.FIRING,
        "can_handle": can_handle(actor) and (alert.incident is None or can_view(actor, alert.incident)),
    }
    return render(request, "alerts/detail.html", context)


def events_of(alert: Alert) -> list[RawEvent]:
    """The newest of what its source sent about it, as far as it is kept and not buried under too much else."""
    newest = RawEvent.objects.filter(
        source=alert.source, pk__gte=alert.first_raw_event_id or 0, received_at__lte=alert.last_event_at
    ).order_by("-id")[:LOOKED_THROUGH]
    about = RawEvent.objects.filter(pk__in=newest.values("pk"), outcomes__contains=[{"alert": alert.pk}])
    return list(about.defer("body", "headers").order_by("-id")[:EVENTS])


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer has it."""
    alert = visible(request, pk)
    actions.acknowledge_alert(actor=actor_of(request), alert=alert, now=timezone.now())
    messages.success(request, _("Acknowledged: paging has stopped."))
    return HttpResponseRedirect(alert.get_absolute_url())


@require_POST
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer says that it is over."""
    alert = visible(request, pk)
    actions.resolve_alert(actor=actor_of(request), alert=alert, now=timezone.now())
    messages.success(request, _("Resolved."))
    return HttpResponseRedirect(alert.get_absolute_url())


@require_POST
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """The viewer says that it told nothing, or something wrong, or takes that back."""
    alert = visible(request, pk)
    noise = request.POST.get("noise", "")
    marking.mark_alert(actor=actor_of(request), alert=alert, noise=noise, now=timezone.now())
    messages.success(request, _("Marked: it counts in the report of noise.") if noise else _("The mark is gone."))
    return HttpResponseRedirect(alert.get_absolute_url())
