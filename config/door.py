"""The short way in for alerts: what comes while others are being stored is stored together with the next.

It stands before Django in the web process. What is sent to the address of an alert source needs no session, no cookie
and no page, and in a storm each would wait for its own commit. Everything else goes on to Django.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import uuid4

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from alerts.dialects import spoken_at
from alerts.dialects.format import Reply
from alerts.receive import NOT_STORED, Post, accept, posted, too_large
from config.metrics import DURATION, REQUESTS
from config.request_id import HEADER

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
# So many are stored together at most: about as many as are stored while one waits for the disk.
MOST_AT_ONCE = 100


class HungUp(Exception):
    """Whoever was sending has gone."""


class Door:
    """An ASGI application that takes in alerts and hands on everything else to `application`."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._waiting: list[tuple[Post, asyncio.Future[Reply]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="door")

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """One request."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        spoken = spoken_at(path_of(scope).removeprefix("/"), scope["method"])
        # Who comes without TLS is sent there by Django.
        if spoken is None or (settings.SECURE_SSL_REDIRECT and not is_secure(scope, headers)):
            await self.application(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = str(uuid4())
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        try:
            body = await read_body(headers, receive)
        except HungUp:
            return
        post = posted(spoken, headers=headers, query=query, body=body, request_id=request_id)
        answer = await self._accepted(post)
        answer_id = headers.get(HEADER.lower()) or request_id
        await reply(send, answer, answer_id, has_body=spoken.method != "HEAD")
        route = f"alerts:receive-{spoken.dialect.name}"
        REQUESTS.labels(spoken.method, route, str(answer.status)).inc()
        DURATION.labels(spoken.method, route).observe(time.perf_counter() - started)

    async def _accepted(self, post: Post) -> Reply:
        """What the sender is told, once it is true."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((post, answer))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store())
        return await answer

    async def _store(self) -> None:
        """Stores whatever waits, group after group, until nothing does."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            answers = await loop.run_in_executor(self._thread, store, [post for post, _answer in group])
            for (_post, waiting), answer in zip(group, answers, strict=True):
                if not waiting.done():  # (its sender may have gone)
                    waiting.set_result(answer)
        self._storing = None


def store(posts: Sequence[Post]) -> list[Reply]:
    """In a thread of its own: the event loop goes on meanwhile."""
    close_old_connections()
    try:
        answers = accept(posts, timezone.now())
        log.info("alerts_received", posts=len(posts), accepted=sum(answer.status < 300 for answer in answers))
    except Exception:
        log.exception("alerts_not_received", posts=len(posts))
        return [post.dialect.refused(post.request, NOT_STORED) for post in posts]
    else:
        return answers
    finally:
        close_old_connections()


def path_of(scope: Scope) -> str:
    """The path as it was sent: decoded, a slash within a name could not be told from one between two."""
    raw = scope.get("raw_path")
    return raw.decode("latin-1") if raw else quote(scope["path"])


def is_secure(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether it came over TLS, to us or to a proxy that we believe."""
    return bool(
        scope["scheme"] == "https" or (settings.TRUSTED_PROXIES and headers.get("x-forwarded-proto") == "https")
    )


async def read_body(headers: dict[str, str], receive: Any) -> bytes | None:
    """The body, or None once it is known to be too large; raises HungUp if its sender does before the end."""
    if too_large(headers.get("content-length")):
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        body += message.get("body", b"")
        if too_large(len(body)):
            return None
        if not message.get("more_body"):
            return bytes(body)


async def reply(send: Any, answer: Reply, request_id: str, *, has_body: bool = True) -> None:
    """The answer as JSON, if it has any, with the headers that every answer of ours has and its own."""
    content = b"" if answer.content is None else json.dumps(answer.content).encode()
    headers = {
        **({} if answer.content is None else {"Content-Type": "application/json"}),
        "Content-Length": str(len(content)),
        "X-Content-Type-Options": "nosniff",
        HEADER: request_id,
        **answer.headers,
    }
    listed = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": listed})
    await send({"type": "http.response.body", "body": content if has_body else b""})
