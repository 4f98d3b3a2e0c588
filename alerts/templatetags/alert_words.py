"""What pages of alerts say of raw events: outcomes in words, bodies as text."""

from collections.abc import Sequence
from typing import Any

from django import template

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
