"""What the public reads: pages that need no session, no cookie and no script."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import conditional_page, require_safe

from statuspage.board import load_board, with_updates
from statuspage.models import PublicIncident, StatusPage

View = Callable[..., HttpResponse]
CACHE_CONTROL = "public, max-age=15, stale-while-revalidate=60, stale-if-error=86400"
PER_PAGE = 25


def open_to_everybody(view: View) -> View:
    """Marks a view as public: GET and HEAD only, an ETag, and a short life in caches that outlasts our own failures."""

    @wraps(view)
    def public_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 200:
            response["Cache-Control"] = CACHE_CONTROL
        return response

    return login_not_required(require_safe(conditional_page(public_view)))


@open_to_everybody
def status_page(request: HttpRequest, slug: str) -> HttpResponse:
    """How things are now, how they were for 90 days, and what was wrong lately."""
    page = get_object_or_404(StatusPage, slug=slug)
    with timezone.override(ZoneInfo(page.time_zone)):
        return render(request, "statuspage/public/page.html", {"board": load_board(page, timezone.now()), "page": page})


@open_to_everybody
def public_incident(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """One public incident with all its updates: the permalink."""
    incidents = with_updates(PublicIncident.objects.filter(page__slug=slug))
    incident = get_object_or_404(incidents, public_id=public_id)
    with timezone.override(ZoneInfo(incident.page.time_zone)):
        return render(request, "statuspage/public/incident.html", {"incident": incident, "page": incident.page})


@open_to_everybody
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that was ever published, newest first."""
    page = get_object_or_404(StatusPage, slug=slug)
    incidents = with_updates(page.public_incidents.order_by("-started_at", "-id"))
    found = Paginator(incidents, PER_PAGE).get_page(request.GET.get("page"))
    with timezone.override(ZoneInfo(page.time_zone)):
        return render(request, "statuspage/public/history.html", {"page": page, "found": found})
