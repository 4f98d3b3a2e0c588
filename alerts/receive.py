"""Where alerts enter: what was sent is stored durably, then the sender gets its 202. All else happens later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, InterfaceError, OperationalError
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

# The first part of the address that a source posts to, and the dialect that is spoken there: `/<part>/<token>`.
ADDRESSES = {"in": "generic", "alertmanager": "alertmanager"}
KEPT_HEADERS = ("User-Agent", "Content-Type", "X-Request-Id")


@dataclass(frozen=True)
class Post:
    """What a sender sends. Headers are named in small letters; `body` is None if it is larger than is read."""

    dialect: str
    token: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Answer:
    """What the sender is told: an HTTP status and JSON."""

    status: int
    content: Mapping[str, Any] = field(default_factory=dict)


def _refusal(status: int, code: str, message: str, *, field_name: str = "", remedy: str = "") -> Answer:
    error = {"code": code, "message": message, "field": field_name, "remedy": remedy}
    return Answer(status, {"error": {key: value for key, value in error.items() if value}})


def too_large(length: int | str | None) -> bool:
    """Whether a body of that length, as its header tells it, is not read at all."""
    return str(length or 0).isdecimal() and int(length or 0) > settings.MAX_EVENT_BYTES


def accept(posts: Sequence[Post], now: datetime) -> list[Answer]:
    """Stores what was sent and answers each: 202 once it is durable, or why it is refused (400, 401, 413).

    Whoever sends together is stored together, in a constant number of statements. If that fails each is tried by
    itself; 503 asks the sender to send again.
    """
    try:
        return _accept(posts, now)
    except Error as error:
        if len(posts) > 1:
            return [answer for post in posts for answer in accept([post], now)]
        log.exception("alert_not_stored", dialect=posts[0].dialect)
        passing = isinstance(error, (OperationalError, InterfaceError))
        return [_refusal(503 if passing else 500, "not_stored", "This could not be stored.", remedy="Send it again.")]


def _accept(posts: Sequence[Post], now: datetime) -> list[Answer]:
    hashes = [hash_secret(post.token) for post in posts]
    found = AlertSource.objects.filter(token_hash__in=set(hashes), is_enabled=True)
    sources = {source.token_hash: source for source in found}
    answers: list[Answer | None] = []
    rows: list[tuple[RawEvent, int]] = []
    for post, token_hash in zip(posts, hashes, strict=True):
        read = _read(post, sources.get(token_hash), now)
        answers.append(read if isinstance(read, Answer) else None)
        if not isinstance(read, Answer):
            rows.append(read)
    RawEvent.objects.bulk_create([raw for raw, _count in rows])
    if rows:
        poke(PROCESS_RAW_EVENTS)
    accepted = iter([Answer(202, {"status": "accepted", "id": raw.pk, "events": count}) for raw, count in rows])
    return [answer or next(accepted) for answer in answers]


def _read(post: Post, source: AlertSource | None, now: datetime) -> Answer | tuple[RawEvent, int]:
    """What is to be stored and how many events are in it, or why it is refused."""
    if source is None:
        return _refusal(
            401, "unknown_token", "No alert source has this token.", remedy="Copy it from the source's page."
        )
    if source.dialect != post.dialect:
        remedy = f"Use the address on its page: it speaks {DIALECTS[source.dialect].label}."
        return _refusal(
            400, "wrong_dialect", f"This source does not speak {DIALECTS[post.dialect].label}.", remedy=remedy
        )
    if post.body is None or too_large(len(post.body)):
        remedy = f"Send at most {settings.MAX_EVENT_BYTES // 1024} KB."
        return _refusal(413, "too_large", "The body is too large.", remedy=remedy)
    headers = {name: post.headers[name.lower()][:300] for name in KEPT_HEADERS if name.lower() in post.headers}
    try:
        events = DIALECTS[post.dialect].parse(post.body, headers)
    except DialectError as error:
        log.info("alert_refused", source=source.slug, reason=error.message, field=error.field_name)
        return _refusal(400, "invalid", error.message, field_name=error.field_name, remedy=error.remedy)
    raw = RawEvent(
        source=source,
        received_at=now,
        due_at=now,
        content_type=post.headers.get("content-type", "").partition(";")[0].strip()[:100],
        headers=headers,
        body=post.body,
    )
    return raw, len(events)


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, token: str, dialect: str) -> HttpResponse:
    """One POST that came through Django (config/door.py takes in those that come together)."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = None if too_large(headers.get("content-length")) else request.body
    [answer] = accept([Post(dialect, token, headers, body)], timezone.now())
    return JsonResponse(answer.content, status=answer.status)


def pretty_body(raw: RawEvent) -> str:
    """The body as text to show: indented if it is JSON."""
    text = bytes(raw.body).decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
