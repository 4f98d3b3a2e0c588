"""What each read of Opsgenie's clients goes through: whose key it is, how long it took, errors in its words."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.actions import hash_secret
from alerts.dialects import DialectError, opsgenie
from alerts.dialects.format import Refusal, Reply, Request, read_json
from alerts.models import AlertSource
from alerts.receive import receive, too_large
from events.errors import DomainError

Fields = dict[str, Any]
View = Callable[..., tuple[int, Fields]]


class Refused(Exception):
    """The request is not answered: an HTTP status and the reason; for 422 the field too."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.field = status, message, field


def answers(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """A view of a source's own things: it gets the request, the source and what stands in the address.

    It returns a status and what to answer. What comes by another method may be a sender's write: that is received.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def dispatch(request: HttpRequest, **parts: Any) -> HttpResponse:
            if (request.method or "") not in {*methods, *(("HEAD",) if "GET" in methods else ())}:
                return receive(request, **parts)
            began = time.perf_counter()
            status, content = _answered(view, request, parts)
            took = round(time.perf_counter() - began, 3)
            reply = opsgenie.answer(Request("", b"", id=str(uuid4())), status, content, took=took)
            headers = {**reply.headers, "X-Response-Time": str(took)}
            return JsonResponse(reply.content, status=reply.status, headers=headers)

        return dispatch

    return decorate


def _answered(view: View, request: HttpRequest, parts: dict[str, Any]) -> tuple[int, Fields]:
    try:
        return view(request, _source(request), **parts)
    except Refused as error:
        if error.field:
            return 422, {"message": opsgenie.NOT_PROCESSABLE, "errors": {error.field: error.message}}
        return error.status, {"message": error.message}
    except DialectError as error:
        refused = opsgenie.refused(Request("", b""), Refusal("invalid", error.message, error.field_name))
        return refused.status, _without_id(refused)
    except DomainError as error:
        if error.field:
            return 422, {"message": opsgenie.NOT_PROCESSABLE, "errors": {error.field: str(error)}}
        return error.status, {"message": str(error)}


def _without_id(reply: Reply) -> Fields:
    return {name: value for name, value in reply.content.items() if name not in {"took", "requestId"}}


def _source(request: HttpRequest) -> AlertSource:
    """The source whose key was sent; raises Refused."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    token = opsgenie.token_in(Request("", b"", headers, request.GET.dict()))
    known = AlertSource.objects.filter(dialect=opsgenie.DIALECT.name, is_enabled=True)
    source = known.filter(token_hash=hash_secret(token)).first() if token else None
    if source is None:
        raise Refused(401, "Could not authenticate")
    return source


def body_of(request: HttpRequest) -> Fields:
    """The object in the body; raises DialectError or Refused."""
    if too_large(request.headers.get("content-length")):
        raise Refused(413, "The body is too large.")
    data = read_json(request.body or b"{}")
    if not isinstance(data, dict):
        raise DialectError("Request body must be a JSON object.")
    return {name: value for name, value in data.items() if value is not None}
