"""The page behind a page's link: one thumb acknowledges, without signing in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from oncall.actions import acknowledge_escalation
from oncall.links import page_of_token
from oncall.models import Escalation, Page


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what a page is about; only POST acknowledges, so that a mail scanner that follows links does nothing."""
    page = (
        Page.objects.select_related("escalation__acknowledged_by", "user")
        .filter(pk=page_of_token(token) or 0, user__is_active=True)
        .first()
    )
    if page is None:
        return render(request, "oncall/answer_unknown.html", status=404)
    if request.method == "POST" and page.escalation.status != Escalation.Status.RESOLVED:
        actor = Actor.of_user(page.user, via=page.channel)
        acknowledge_escalation(actor=actor, escalation=page.escalation, now=timezone.now())
        return redirect("oncall:answer", token)
    context = {
        "age": timezone.now() - page.escalation.started_at,
        "page": page,
        "escalation": page.escalation,
        "is_waiting": page.escalation.status in {Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED},
    }
    return render(request, "oncall/answer.html", context)
