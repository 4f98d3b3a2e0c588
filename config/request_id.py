"""Gives the id of each request back to whoever sent it, so that they can quote it and the log can be found."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"


class RequestIdMiddleware:
    """Stands right inside django-structlog's middleware, which makes the id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        response = self.get_response(request)
        if request_id:
            # (a sender of alerts is told the id under which what it sent is stored)
            response.setdefault(HEADER, request_id)
        return response
