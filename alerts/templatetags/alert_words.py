"""What pages of alerts say of raw events: outcomes in words, bodies as text."""

import json
from collections.abc import Sequence
from typing import Any

from django import template

from alerts.dialects import NormalisedEvent
from alerts.models import Outcome, RawEvent
from alerts.trying import is_test

register = template.Library()


@register.filter
def outcome_words(name: str) -> str:
    """`{{ told.outcome|outcome_words }}`: what people call an outcome."""
    return str(Outcome(name).label) if name in Outcome.values else name


@register.filter
def first_of(items: Sequence[Any], number: int) -> Sequence[Any]:
    """`{{ items|first_of:3 }}`: no more of them than that."""
    return items[:number]


@register.filter
def as_text(sample: bytes) -> str:
    """`{{ rejection.sample|as_text }}`: bytes that somebody sent, as far as they are text."""
    return bytes(sample).decode("utf-8", "replace")


@register.filter
def is_a_test(raw: RawEvent) -> bool:
    """`{% if raw|is_a_test %}`: whether Sitrep has sent it to itself."""
    return is_test(raw)


@register.filter
def as_json(value: Any) -> str:
    """`{{ value|as_json }}`: a value of a payload as it would be written there."""
    return json.dumps(value, ensure_ascii=False, default=str)


@register.filter
def event_facts(event: NormalisedEvent) -> list[tuple[str, str]]:
    """`{% for name, value in event|event_facts %}`: what an event says beside its title, without what is empty."""
    said: dict[str, Any] = {
        "severity": event.severity,
        "service": event.service,
        "team": event.team,
        "dedup_key": event.dedup_key,
        "url": event.source_url,
        "tags": ", ".join(event.tags),
        "description": event.description,
        **event.attributes,
    }
    return [(name, value if isinstance(value, str) else as_json(value)) for name, value in said.items() if value]
