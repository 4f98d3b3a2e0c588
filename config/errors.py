"""How the web interface answers a refused action, a forged form and an unexpected failure."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.defaults import server_error as default_server_error

from events.errors import DomainError

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

GetResponse = Callable[[HttpRequest], HttpResponse]
API = "/api/v1/"
CODES = {400: "invalid", 403: "permission_denied", 404: "not_found"}
TITLES = {
    400: gettext_lazy("That did not make sense"),
    403: gettext_lazy("You may not do this"),
    404: gettext_lazy("Not found"),
    409: gettext_lazy("Not now"),
}


class DomainErrorMiddleware:
    """Turns a domain error that a view let through into a message where the person came from, or an error page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        back = request.headers.get("Referer", "")
        came_from_here = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
            refused = {"code": error.code, "field": error.field, "message": str(error), "details": error.details}
            # In this order: what the page shows beside a field needs no toast.
            told = {"refused": refused, "toast": {"message": str(error), "level": "error"}}
            return HttpResponse(status=error.status, headers={"HX-Trigger": json.dumps(told), "HX-Reswap": "none"})
        if request.method == "POST" and error.status in {400, 409} and came_from_here:
            messages.error(request, str(error))
            return HttpResponseRedirect(back)
        return error_page(request, status=error.status, title=TITLES.get(error.status, TITLES[400]), reason=str(error))


def error_page(request: HttpRequest, *, status: int, title: "str | StrPromise", reason: str) -> HttpResponse:
    """A page that says what, why, and which id to quote; a program is told the same as JSON."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if request.path.startswith(API):
        error = {"code": CODES.get(status, "invalid"), "message": str(reason), "request_id": request_id}
        return JsonResponse({"error": error}, status=status)
    template = {403: "403.html", 404: "404.html"}.get(status, "400.html")
    context = {"title": title, "reason": reason, "request_id": request_id}
    return render(request, template, context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What somebody sees whose form was too old or came from elsewhere."""
    return error_page(
        request,
        status=403,
        title=_("This form is no longer valid"),
        reason=_("It may have been open for too long, or cookies are off. Go back, reload the page and try again."),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, status=400, title=TITLES[400], reason=_("The request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, status=403, title=TITLES[403], reason=_("Ask an administrator for a role that may."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(
        request, status=404, title=TITLES[404], reason=_("It does not exist, was removed, or is not open to you.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """What failed unexpectedly: a page that needs nothing but its template, or JSON for a program."""
    if not request.path.startswith(API):
        return default_server_error(request)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    message = "Sitrep failed to answer. It has been logged; say the request_id when you report it."
    return JsonResponse({"error": {"code": "failed", "message": message, "request_id": request_id}}, status=500)
