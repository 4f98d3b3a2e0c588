"""On call now: the board of all teams, one's own shifts and open pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from oncall.board import board
from oncall.covering import open_requests_for
from oncall.forms.duty import BoardMomentForm
from oncall.models import Escalation, Page
from oncall.permissions import can_configure, can_page
from oncall.roster import zone_of
from oncall.standings import shifts_of
from oncall.views.signed_in import user_of

RECENT = 50


@require_safe
def now_page(request: HttpRequest) -> HttpResponse:
    """Who is on call on every schedule, now or at another instant, and who is next; what waits for the viewer."""
    user, now = user_of(request), timezone.now()
    actor, zone = actor_of(request), zone_of(user.time_zone)
    form = BoardMomentForm(request.GET)
    at = form.moment(zone)
    context = {
        "teams": board(now, at=at),
        "form": form,
        "at": at,
        "zone": zone.key,
        "my_shifts": shifts_of(user, now),
        "my_escalations": Escalation.objects.unanswered_for(user),
        "cover_requests": open_requests_for(user, now),
        "now": now,
        "may_page": can_page(actor),
        "may_configure": can_configure(actor),
    }
    return render(request, "oncall/now.html", context)


@require_safe
def my_pages(request: HttpRequest) -> HttpResponse:
    """The viewer's open pages, and the last ones that they were sent."""
    user = user_of(request)
    context = {
        "my_escalations": Escalation.objects.unanswered_for(user),
        "pages": Page.objects.filter(user=user).select_related("escalation").order_by("-id")[:RECENT],
    }
    return render(request, "oncall/my_pages.html", context)
