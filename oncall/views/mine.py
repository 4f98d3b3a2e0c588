"""My on call: one page for whoever carries the pager."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from oncall.mine import my_on_call
from oncall.permissions import can_override
from oncall.views.signed_in import user_of


@require_safe
def my_on_call_page(request: HttpRequest) -> HttpResponse:
    """Now and next, what waits, how I am reached, this month's hours."""
    now = timezone.now()
    context = {
        "mine": my_on_call(user_of(request), now),
        "now": now,
        "may_cover": can_override(actor_of(request)),
    }
    return render(request, "oncall/duty/mine.html", context)
