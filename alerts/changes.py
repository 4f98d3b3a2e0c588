"""Changes: what somebody deployed, merged or switched. They page nobody; they stand beside what fires soon after."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Value, When

from accounts.actor import Actor
from alerts.dialects import NormalisedEvent
from alerts.models import AlertSource, Change, RawEvent
from alerts.permissions import can_handle
from catalog.models import Service
from events.actions import Fact, publish
from events.errors import Invalid, require

LONGEST_SUMMARY = 1024
MOST_LINKS = 20
# How long before something went wrong a change is worth looking at, and how many of these are shown.
BEFORE = timedelta(hours=1)
SHOWN = 8


@transaction.atomic
def note_change(
    *,
    actor: Actor,
    summary: str,
    now: datetime,
    at: datetime | None = None,
    service: Service | None = None,
    kind: str = "",
    author: str = "",
    links: Sequence[Mapping[str, str]] = (),
    details: Mapping[str, Any] | None = None,
) -> Change:
    """Notes a change that no source told of; without `at` it was now, without `author` whoever notes it made it."""
    require(can_handle(actor), "Viewers may not note changes.")
    if not summary.strip():
        raise Invalid("A change needs a summary.", field="summary", remedy="Say in a few words what was changed.")
    change = Change(
        summary=summary.strip()[:LONGEST_SUMMARY],
        at=at or now,
        service=service,
        service_named=service.name[:100] if service else "",
        kind=kind[:30] or "change",
        author=(author or actor.name)[:200],
        links=links_in(links),
        details=dict(details or {}),
    )
    change.save()
    publish("change.noted", subject=change, actor=actor, data=told_of(change))
    return change


def noted(
    source: AlertSource, event: NormalisedEvent, raw: RawEvent | None, service: Service | None, now: datetime
) -> Change:
    """The change that an event tells of, without an id, not yet stored."""
    about = event.attributes
    return Change(
        source=source,
        summary=event.title[:LONGEST_SUMMARY],
        at=event.started_at or now,
        service=service,
        service_named=event.service[:100],
        kind=str(about.get("kind") or "change")[:30],
        author=str(about.get("author") or "")[:200],
        links=links_in(about.get("links") or ()),
        details=about.get("details") or {},
        raw_event=raw,
    )


def fact_of(change: Change, actor: Actor) -> Fact:
    """What is published of a change that a source told of."""
    return Fact("change.noted", change, told_of(change), actor)


def told_of(change: Change) -> dict[str, Any]:
    """What handlers learn of a change without reading it."""
    service = change.service.slug if change.service else change.service_named
    return {"summary": change.summary[:300], "kind": change.kind, "service": service}


def links_in(given: Sequence[Any]) -> list[dict[str, str]]:
    """Those that lead somewhere by http(s), each with `href` and `text`."""
    named = [each for each in given if isinstance(each, Mapping)]
    links = [
        {"href": str(each.get("href", "")), "text": str(each.get("text") or each.get("href", ""))} for each in named
    ]
    return [link for link in links if link["href"].startswith(("http://", "https://"))][:MOST_LINKS]


def changes_before(at: datetime, services: Sequence[int], *, shown: int = SHOWN) -> list[Change]:
    """The changes in the hour before an instant: those of these services first, then the newest."""
    own = [Case(When(service__in=services, then=Value(0)), default=Value(1))] if services else []
    found = Change.objects.filter(at__gt=at - BEFORE, at__lte=at).select_related("service", "source")
    return list(found.order_by(*own, "-at", "-pk")[:shown])
