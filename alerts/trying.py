"""Trying a source: an event as its sender would send it, taken in like any other, and its end."""

import json
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.db import transaction

from accounts.actor import Actor
from alerts.addresses import filled
from alerts.dialects import DIALECTS, address_of, spoken_at
from alerts.dialects.format import Request
from alerts.models import Alert, AlertSource, RawEvent
from alerts.permissions import can_configure, can_handle
from alerts.receive import Post, accept, posted
from alerts.resolving import close_alert
from events.actions import publish
from events.errors import Conflict, require

# What says of a stored event that nobody else has sent it.
TEST_AGENT = "Sitrep test event"


def is_test(raw: RawEvent) -> bool:
    """Whether Sitrep has sent it to itself."""
    return bool(raw.headers.get("user-agent") == TEST_AGENT)


def can_be_tried(source: AlertSource) -> bool:
    """Whether there is a sample of what its senders send."""
    return DIALECTS[source.dialect].sample is not None


@transaction.atomic
def send_test_event(*, actor: Actor, source: AlertSource, now: datetime) -> RawEvent:
    """Sends the sample of the source's format to it, through the door that its senders use.

    It is routed as any alert, and may page somebody.
    """
    require(can_configure(actor), "Only managers may send test events.")
    if not source.is_enabled:
        raise Conflict("This source does not accept alerts.", remedy="Switch it on first.")
    if not can_be_tried(source):
        raise Conflict("Nothing is sent to this source.", remedy="Choose another one.")
    post = _sample(source)
    [reply] = accept([post], now)
    raw = RawEvent.objects.filter(source=source, request_id=post.request.id, received_at=now).first()
    if raw is None:
        raise Conflict(f"The sample was refused: {_said(reply.content)}", remedy="Look at the source's settings.")
    publish("alert_source.tested", subject=source, actor=actor, data={"raw_event": raw.pk})
    return raw


@transaction.atomic
def resolve_test_event(*, actor: Actor, raw_event: RawEvent, now: datetime) -> list[Alert]:
    """Ends what a test event has opened; returns the alerts, those that were over already too."""
    require(can_handle(actor), "Viewers may not resolve alerts.")
    if not is_test(raw_event):
        raise Conflict("This event came from a sender.", remedy="Resolve its alert instead.")
    if raw_event.state == RawEvent.State.PENDING:
        raise Conflict("It has not been taken in yet.", remedy="Try again in a moment.")
    told = [each["alert"] for each in raw_event.outcomes if each.get("alert")]
    alerts = Alert.objects.visible_to(actor).filter(pk__in=told, source=raw_event.source_id).order_by("pk")
    return [close_alert(actor=actor, alert=alert, now=now) for alert in alerts]


def sample_text(source: AlertSource) -> str:
    """What its senders send, as an example; nothing where there is none."""
    sample = DIALECTS[source.dialect].sample
    if sample is None:
        return ""
    return filled(sample if isinstance(sample, str) else json.dumps(sample, indent=2, ensure_ascii=False), source)


def unsent(source: AlertSource, body: bytes, now: datetime, *, like: RawEvent | None = None) -> RawEvent:
    """What its sender could send, to try things with; not stored.

    Headers and the address are those of the event that it is `like`, else those of the sample.
    """
    if like is not None:
        raw = copy(like)
        raw.pk, raw.source, raw.body = None, source, body
        return raw
    post = _sample(source)
    return RawEvent(
        source=source,
        received_at=now,
        due_at=now,
        method=post.request.method,
        address=post.path,
        content_type=post.content_type,
        headers=dict(post.request.headers),
        body=body,
    )


def _sample(source: AlertSource) -> Post:
    """The sample as its senders would post it. Nobody can sign it for them: it is believed, for it is ours."""
    dialect = DIALECTS[source.dialect]
    request_id = str(uuid4())
    body = sample_text(source).encode()
    given = {"Content-Type": "application/json", **dialect.sample_headers, "User-Agent": TEST_AGENT}
    headers = {name.lower(): filled(value, source) for name, value in given.items()}
    spoken = spoken_at(quote(address_of(dialect, source.token, source.pk)))
    if spoken is None:
        return Post(dialect, source.token, Request("", body, headers, {}, request_id), "", is_ours=True)
    return replace(posted(spoken, headers=headers, query={}, body=body, request_id=request_id), is_ours=True)


def _said(content: Any) -> str:
    """What a reply says in words, whatever its dialect calls it."""
    found = content.get("error", content.get("message", content)) if isinstance(content, dict) else content
    return str(found.get("message", found) if isinstance(found, dict) else found)
