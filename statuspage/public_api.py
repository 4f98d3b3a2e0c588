"""A page's public API. Follows Atlassian Statuspage's public API v2: unauthenticated GET, JSON, open CORS."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page, require_http_methods

from statuspage.board import with_updates
from statuspage.indicator import page_indicator
from statuspage.models import PublicIncident, StatusPage
from statuspage.public import CACHE_CONTROL
from statuspage.wire import Json, components_json, incidents_json, page_json, status_json

MOST_RECENT = 50
Answer = Callable[[StatusPage], Json]


def endpoint(answer: Answer) -> Callable[..., HttpResponse]:
    """A view that answers with `answer(page)` beside the page itself, readable from any origin."""

    def view(request: HttpRequest, slug: str) -> HttpResponse:
        page = StatusPage.objects.filter(slug=slug).first()
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
        elif page is None:
            response = JsonResponse({"error": "There is no such status page."}, status=404)
        else:
            response = JsonResponse({"page": page_json(page)} | answer(page))
            response["Cache-Control"] = CACHE_CONTROL
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response["Access-Control-Allow-Headers"] = "*"
        return response

    return login_not_required(require_http_methods(["GET", "HEAD", "OPTIONS"])(conditional_page(view)))


def unresolved(page: StatusPage) -> QuerySet[PublicIncident]:
    return with_updates(page.public_incidents.unresolved().order_by("-started_at", "-id"))


def summary(page: StatusPage) -> Json:
    components, incidents = list(page.components.all()), list(unresolved(page))
    indicator = page_indicator([each.status for each in components], [each.impact for each in incidents])
    return {
        "components": components_json(components, page),
        "incidents": incidents_json(incidents),
        "scheduled_maintenances": [],
        "status": status_json(indicator),
    }


def status(page: StatusPage) -> Json:
    statuses = list(page.components.values_list("status", flat=True))
    impacts = page.public_incidents.exclude(status=PublicIncident.Status.RESOLVED).values_list("impact", flat=True)
    return {"status": status_json(page_indicator(statuses, impacts))}


def components(page: StatusPage) -> Json:
    return {"components": components_json(page.components.all(), page)}


def incidents(page: StatusPage) -> Json:
    recent = page.public_incidents.order_by("-started_at", "-id")[:MOST_RECENT]
    return {"incidents": incidents_json(with_updates(recent))}


def unresolved_incidents(page: StatusPage) -> Json:
    return {"incidents": incidents_json(unresolved(page))}


def scheduled_maintenances(page: StatusPage) -> Json:
    """None yet: pages announce no maintenance."""
    return {"scheduled_maintenances": []}
