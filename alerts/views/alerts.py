"""The list of alerts, and what is done to many of them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import actor_of
from accounts.lists import list_page
from alerts import marking
from alerts.alert_filters import AlertFilter
from alerts.models import Alert
from alerts.permissions import can_handle

MOST_COUNTED = 10_000
# What is found by its words is counted less far: the index tells where a common word may be, each row has to be read.
MOST_FOUND = 1_000
# What is open is few enough to be put in any order; of all that ever fired the newest come first.
SORTABLE = ("priority", "title", "count", "first_event_at", "last_event_at")
REASONS_SHOWN = 3


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    """Alerts: firing ones unless asked otherwise, the newest first."""
    actor = actor_of(request)
    alerts = Alert.objects.visible_to(actor).for_lists().order_by("-id")
    if not request.GET:
        return HttpResponseRedirect(f"{request.path}?status=firing")
    is_open_only = request.GET.getlist("status") == [Alert.Status.FIRING]
    sortable = SORTABLE if is_open_only else ()
    most = MOST_FOUND if request.GET.get("q") else MOST_COUNTED
    context = {
        "list": list_page(request, alerts, AlertFilter, sortable=sortable, most_counted=most),
        "can_handle": can_handle(actor),
        "handlings": marking.Handling.choices[2:],
    }
    return render(request, "alerts/list.html", context)


@require_POST
def alert_bulk(request: HttpRequest) -> HttpResponse:
    """One verb to all that were chosen; what could not be done is said."""
    actor = actor_of(request)
    ids = [int(pk) for pk in request.POST.getlist("alert") if pk.isdecimal() and len(pk) < 19]
    chosen = list(Alert.objects.visible_to(actor).for_lists().filter(pk__in=ids))
    verb = request.POST.get("verb", "")
    refused = marking.handle_many(actor=actor, alerts=chosen, verb=verb, now=timezone.now())
    done = len(chosen) - len(refused)
    if done:
        messages.success(
            request, ngettext("Done to %(done)d alert.", "Done to %(done)d alerts.", done) % {"done": done}
        )
    for each in refused[:REASONS_SHOWN]:
        messages.error(request, f"{each.alert.title}: {each.reason}")
    if len(refused) > REASONS_SHOWN:
        messages.error(request, _("%(more)d more could not be handled.") % {"more": len(refused) - REASONS_SHOWN})
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        address = "/alerts/"
    return redirect(address)
