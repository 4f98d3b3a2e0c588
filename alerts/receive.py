"""Where alerts enter: what was sent is stored durably, then the sender gets its 202. All else happens later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote
from uuid import uuid4

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.actions import hash_secret
from alerts.dialects import DIALECTS, Dialect, DialectError, NormalisedEvent, Spoken, methods_at, spoken_at
from alerts.dialects.format import Accepted, Refusal, Reply, Request
from alerts.ingest import PROCESS_RAW_EVENTS
from alerts.models import AlertSource, RawEvent
from alerts.rejections import Rejected, counting
from alerts.signatures import VERIFY_RAW_EVENTS
from events.poke import poke
from events.prepared import Prepared, holds
from events.rows import inserting, next_ids, write

log = structlog.get_logger(__name__)

KEPT_HEADERS = ("user-agent", "content-type", "x-request-id")
# (a CloudEvent in binary mode has its source and subject there: cut, two of them would be one alert)
LONGEST_HEADER = 4000
MOST_HEADERS = 64
LONGEST_PATH = 1000
SOURCES = Prepared(
    lambda: AlertSource.objects.filter(holds("alerts_alertsource.token_hash = ANY({hashes})"), is_enabled=True)
)
NOT_STORED = Refusal("not_stored", "This could not be stored.", remedy="Send it again.")


@dataclass(frozen=True)
class Post:
    """One request of a sender, and the token that stands in its address ("" where the dialect has it elsewhere).

    `path` is where it was sent, without the token. What is ours, to try a source, need not be signed.
    """

    dialect: Dialect
    token: str
    request: Request
    path: str
    is_too_large: bool = False
    is_ours: bool = False

    @property
    def content_type(self) -> str:
        """The media type that it names, without parameters."""
        return self.request.headers.get("content-type", "").partition(";")[0].strip()[:100]


def posted(
    spoken: Spoken, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes | None, request_id: str
) -> Post:
    """What was posted to a sender's address. Headers are named in small letters; no `body` is one too large to read."""
    request = Request(spoken.address, body or b"", headers, query, request_id, spoken.method, spoken.parts)
    return Post(spoken.dialect, spoken.token, request, spoken.path, is_too_large=body is None or too_large(len(body)))


def too_large(length: int | str | None) -> bool:
    """Whether a body of that length, as its header tells it, is not read at all."""
    return str(length or 0).isdecimal() and int(length or 0) > settings.MAX_EVENT_BYTES


def accept(posts: Sequence[Post], now: datetime) -> list[Reply]:
    """Stores what was sent and answers each in its dialect: accepted once it is durable, or why it is refused.

    Whoever sends together is stored together, in a constant number of statements. If one of them can't be stored each
    is tried by itself; if the database can't be reached all are told at once, and send again.
    """
    try:
        return _accept(posts, now)
    except Exception as error:
        is_away = isinstance(error, (OperationalError, InterfaceError))
        if len(posts) > 1 and not is_away:
            return [reply for post in posts for reply in accept([post], now)]
        log.exception("alert_not_stored", dialects=sorted({post.dialect.name for post in posts}), posts=len(posts))
        return [post.dialect.refused(post.request, NOT_STORED) for post in posts]


def _accept(posts: Sequence[Post], now: datetime) -> list[Reply]:
    tokens = [_token(post) for post in posts]
    hashes = {token: hash_secret(token) for token in tokens if isinstance(token, str) and token}
    found = SOURCES(hashes=sorted(set(hashes.values()))) if hashes else []
    sources = {source.token_hash: source for source in found}
    read = [
        token if isinstance(token, Refusal) else _read(post, sources.get(hashes.get(token, "")), now)
        for post, token in zip(posts, tokens, strict=True)
    ]
    stored = [each for each in read if isinstance(each, tuple)]
    for (raw, events), pk in zip(stored, next_ids(RawEvent, len(stored)), strict=True):
        raw.pk, raw.event_count = pk, len(events)
    rejected = [
        Rejected(sources[hashes[token]], each, post.content_type, post.request.body)
        for post, token, each in zip(posts, tokens, read, strict=True)
        if isinstance(each, Refusal) and isinstance(token, str) and hashes.get(token) in sources
    ]
    write(*inserting([raw for raw, _events in stored]), *counting(rejected, now))
    if stored:
        poke(PROCESS_RAW_EVENTS)
    if any(not raw.is_verified for raw, _events in stored):
        poke(VERIFY_RAW_EVENTS)
    return [_reply(post, each) for post, each in zip(posts, read, strict=True)]


def _reply(post: Post, read: Refusal | Reply | tuple[RawEvent, list[NormalisedEvent]]) -> Reply:
    if isinstance(read, Refusal):
        return post.dialect.refused(post.request, read)
    if isinstance(read, Reply):
        return read
    raw, events = read
    request = replace(post.request, received_at=raw.received_at)
    return post.dialect.accepted(Accepted(request, raw.pk, events))


def _token(post: Post) -> str | Refusal:
    """The token that it was sent with, or why none can be found."""
    if post.token:
        return post.token
    try:
        token = post.dialect.token_in(post.request)
    except DialectError as error:
        return _too_large() if post.is_too_large else _invalid(error)
    return token if token or not post.is_too_large else _too_large()


def _read(
    post: Post, source: AlertSource | None, now: datetime
) -> Refusal | Reply | tuple[RawEvent, list[NormalisedEvent]]:
    """What is to be stored and the events in it, what to answer without storing, or why it is refused."""
    if source is None:
        return Refusal("unknown_token", "No alert source has this token.", remedy="Copy it from the source's page.")
    refusal = _refusal(post, source)
    if refusal is not None:
        return refusal
    request = post.request
    greeting = post.dialect.greeting(request) if post.dialect.greeting else None
    if greeting is not None:
        return greeting
    raw = RawEvent(
        source=source,
        received_at=now,
        due_at=now,
        is_verified=post.is_ours or not post.dialect.verified_later,
        request_id=request.id,
        method=request.method,
        address=post.path,
        query={name: value for name, value in request.query.items() if value != source.token},
        content_type=post.content_type,
        headers=_kept(post.dialect, request.headers),
        body=request.body,
    )
    # What is read here is what will be read later: nothing of the request that is not stored.
    events = _understood(post.dialect, raw)
    return events if isinstance(events, Refusal) else (raw, events)


def _refusal(post: Post, source: AlertSource) -> Refusal | None:
    """Why its source may not send this, before it is read."""
    if source.dialect != post.dialect.name:
        remedy = f"Use the address on its page: it speaks {DIALECTS[source.dialect].label}."
        return Refusal("wrong_dialect", f"This source does not speak {post.dialect.label}.", remedy=remedy)
    if post.is_too_large:
        return _too_large()
    if len(post.path) > LONGEST_PATH:
        return Refusal("invalid", "The address is too long.", remedy="Send a shorter name in it.")
    if post.dialect.check is not None and source.signing_secret and not post.is_ours:
        try:
            post.dialect.check(post.request, source.signing_secret)
        except DialectError as error:
            log.info("alert_not_believed", source=source.slug, reason=error.message)
            return Refusal("bad_signature", error.message, error.field_name, error.remedy)
    return None


def _kept(dialect: Dialect, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are stored: those of every request, and those that the dialect reads."""
    names = {*KEPT_HEADERS, *dialect.keeps}
    beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
    kept = [name for name in headers if name in names or (beginnings and name.startswith(beginnings))]
    return {name: headers[name][:LONGEST_HEADER] for name in kept[:MOST_HEADERS]}


def _understood(dialect: Dialect, raw: RawEvent) -> Refusal | list[NormalisedEvent]:
    try:
        return dialect.parse(raw.request())
    except DialectError as error:
        log.info("alert_refused", source=raw.source.slug, reason=error.message, field=error.field_name)
        return _invalid(error)
    except Exception:
        # A mistake of ours: it would be the same the next time, so the sender is not asked to come again.
        log.exception("alert_not_understood", source=raw.source.slug, dialect=dialect.name)
        return Refusal("invalid", f"This is not what {dialect.label} sends.")


def _too_large() -> Refusal:
    remedy = f"Send at most {settings.MAX_EVENT_BYTES // 1024} KB."
    return Refusal("too_large", "The body is too large.", remedy=remedy)


def _invalid(error: DialectError) -> Refusal:
    return Refusal("invalid", error.message, error.field_name, error.remedy)


@csrf_exempt
@login_not_required
def receive(request: HttpRequest, **_parts: str) -> HttpResponse:
    """One request that came through Django (config/door.py takes in those that come together)."""
    path = quote(request.path.removeprefix("/"))
    spoken = spoken_at(path, request.method or "")
    if spoken is None:
        return HttpResponseNotAllowed(methods_at(path))
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = None if too_large(headers.get("content-length")) else request.body
    post = posted(spoken, headers=headers, query=request.GET.dict(), body=body, request_id=str(uuid4()))
    [reply] = accept([post], timezone.now())
    if reply.content is None:
        return HttpResponse(b"", status=reply.status, headers=dict(reply.headers))
    return JsonResponse(reply.content, status=reply.status, safe=False, headers=dict(reply.headers))


def pretty_body(raw: RawEvent) -> str:
    """The body as text to show, without the source's token: indented if it is JSON."""
    text = bytes(raw.body).decode("utf-8", "replace").replace(raw.source.token, "<token>")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
