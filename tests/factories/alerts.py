"""Alert sources and routes to test with."""

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from accounts.actor import Actor
from alerts.actions import save_source
from alerts.dialects import DIALECTS, address_of, spoken_at
from alerts.heartbeats import save_heartbeat
from alerts.ingest import process_raw_events
from alerts.models import AlertRoute, AlertSource, Heartbeat, RawEvent
from alerts.receive import Post, posted
from alerts.routes import save_route

numbers = count(1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM = Actor.system(via="command")


def source(dialect: str = "generic", **fields: Any) -> AlertSource:
    """A source with a token of its own."""
    number = next(numbers)
    defaults = {"name": f"Source {number}", "slug": f"source-{number}", "now": LONG_AGO}
    return save_source(actor=SYSTEM, dialect=dialect, **{**defaults, **fields})


def route(conditions: dict[str, Any] | None = None, **fields: Any) -> AlertRoute:
    """A route that matches everything and pages nobody unless told otherwise."""
    defaults = {"name": f"Route {next(numbers)}", "paging": AlertRoute.Paging.NOBODY, "now": LONG_AGO}
    return save_route(actor=SYSTEM, conditions=conditions or {}, **{**defaults, **fields})


def heartbeat(**fields: Any) -> Heartbeat:
    """A heartbeat of every minute, with a minute's grace."""
    defaults = {"name": f"Heartbeat {next(numbers)}", "interval_seconds": 60, "grace_seconds": 60, "now": LONG_AGO}
    return save_heartbeat(actor=SYSTEM, **{**defaults, **fields})


def post(source: AlertSource, body: Any) -> Post:
    """What the source's sender posts: JSON at the first of its addresses."""
    spoken = spoken_at(address_of(DIALECTS[source.dialect], source.token, source.pk))
    assert spoken is not None
    headers = {"content-type": "application/json"}
    return posted(spoken, headers=headers, query={}, body=json.dumps(body).encode(), request_id=str(uuid4()))


def sent(source: AlertSource, now: datetime, **body: Any) -> RawEvent:
    """What the source sent, worked off."""
    raw = RawEvent.objects.create(source=source, received_at=now, due_at=now, body=json.dumps(body).encode())
    process_raw_events(now)
    raw.refresh_from_db()
    assert not raw.error, raw.error
    return raw
