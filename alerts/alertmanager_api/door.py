"""What each request that reads or silences goes through: whose token it is, and errors in Alertmanager's way."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.actions import hash_secret
from alerts.dialects import DialectError
from alerts.dialects.alertmanager import DIALECT
from alerts.models import AlertSource
from alerts.receive import receive
from events.errors import DomainError

# What is answered: JSON, or nothing at all.
View = Callable[..., Any]


class Refused(Exception):
    """The request is not answered: an HTTP status and the reason, which the API tells as text in JSON."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def answers(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """A view of a source's own things; what comes by another method is received."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def dispatch(request: HttpRequest, token: str, **parts: str) -> HttpResponse:
            if (request.method or "") not in {*methods, *(("HEAD",) if "GET" in methods else ())}:
                return receive(request)
            try:
                content = view(request, _source(token), **parts)
            except Refused as error:
                return JsonResponse(error.message, status=error.status, safe=False)
            except DialectError as error:
                return JsonResponse({"code": 400, "message": error.message}, status=400)
            except DomainError as error:
                return JsonResponse(str(error), status=error.status, safe=False)
            return HttpResponse(b"") if content is None else JsonResponse(content, safe=False)

        return dispatch

    return decorate


def _source(token: str) -> AlertSource:
    known = AlertSource.objects.filter(dialect=DIALECT.name, is_enabled=True)
    source = known.filter(token_hash=hash_secret(token)).first()
    if source is None:
        raise Refused(401, "No alert source has this token.")
    return source
