"""Where heartbeats are pinged: an address each, and incident.io's."""

from hmac import compare_digest
from typing import Any
from uuid import uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alerts.dialects import incidentio
from alerts.dialects.format import Request
from alerts.heartbeats import ping_by_token, ping_heartbeats
from alerts.models import Heartbeat


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def ping(request: HttpRequest, token: str) -> HttpResponse:
    """It was heard of: 200 once that is stored, 404 for a token that no heartbeat has. What is posted is not read."""
    if ping_by_token(token=token, now=timezone.now(), sender=sender_of(request)) is None:
        return HttpResponse("No heartbeat has this address.\n", status=404, content_type="text/plain")
    return HttpResponse("OK\n", content_type="text/plain")


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def ping_incidentio(request: HttpRequest, pk: int) -> HttpResponse:
    """incident.io's `/v2/heartbeat/{alert_source_config_id}/ping`: 204; the token as Bearer or `?token=`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    token = incidentio.token_in(Request("", b"", headers, request.GET.dict()))
    heartbeat = Heartbeat.objects.filter(pk=pk).only("id", "token").first()
    if heartbeat is None:
        return _refused(404, "not_found", "not_found", "No heartbeat has this id")
    if not compare_digest(token.encode(), heartbeat.token.encode()):
        return _refused(401, "authentication_error", "unauthenticated", "Unauthenticated")
    ping_heartbeats(ids=[heartbeat.pk], now=timezone.now(), sender=sender_of(request))
    return HttpResponse(status=204)


def sender_of(request: HttpRequest) -> str:
    """What a ping came from, as it calls itself."""
    return request.headers.get("User-Agent", "")[:300]


def _refused(status: int, kind: str, code: str, message: str) -> JsonResponse:
    error: dict[str, Any] = {"type": kind, "status": status, "request_id": str(uuid4())}
    return JsonResponse({**error, "errors": [{"code": code, "message": message}]}, status=status)
