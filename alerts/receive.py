"""Where alerts enter: the body is stored durably, then the sender gets its 202. All else happens later."""

import json

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.actions import hash_secret
from alerts.dialects import DIALECTS, DialectError
from alerts.ingest import PROCESS_RAW_EVENTS
from alerts.models import AlertSource, RawEvent
from events.poke import poke

log = structlog.get_logger(__name__)
KEPT_HEADERS = ("User-Agent", "Content-Type", "X-Request-Id")


def _refusal(status: int, code: str, message: str, *, field: str = "", remedy: str = "") -> JsonResponse:
    error = {"code": code, "message": message, "field": field, "remedy": remedy}
    return JsonResponse({"error": {key: value for key, value in error.items() if value}}, status=status)


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, token: str, dialect: str) -> HttpResponse:
    """202 once the event is durable; 400 for a body that is not of the dialect, 401, 413, as JSON errors."""
    source = AlertSource.objects.filter(token_hash=hash_secret(token), is_enabled=True).first()
    if source is None:
        return _refusal(
            401, "unknown_token", "No alert source has this token.", remedy="Copy it from the source's page."
        )
    if source.dialect != dialect:
        remedy = f"Use the address on its page: it speaks {DIALECTS[source.dialect].label}."
        return _refusal(400, "wrong_dialect", f"This source does not speak {DIALECTS[dialect].label}.", remedy=remedy)
    if int(request.headers.get("Content-Length") or 0) > settings.MAX_EVENT_BYTES:
        remedy = f"Send at most {settings.MAX_EVENT_BYTES // 1024} KB."
        return _refusal(413, "too_large", "The body is too large.", remedy=remedy)
    body = request.body
    headers = {name: request.headers[name][:300] for name in KEPT_HEADERS if name in request.headers}
    try:
        events = DIALECTS[dialect].parse(body, headers)
    except DialectError as error:
        log.info("alert_refused", source=source.slug, reason=error.message, field=error.field_name)
        return _refusal(400, "invalid", error.message, field=error.field_name, remedy=error.remedy)
    now = timezone.now()
    raw = RawEvent.objects.create(
        source=source,
        received_at=now,
        due_at=now,
        content_type=(request.content_type or "")[:100],
        headers=headers,
        body=body,
    )
    poke(PROCESS_RAW_EVENTS)
    return JsonResponse({"status": "accepted", "id": raw.pk, "events": len(events)}, status=202)


def pretty_body(raw: RawEvent) -> str:
    """The body as text to show: indented if it is JSON."""
    text = bytes(raw.body).decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
