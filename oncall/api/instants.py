"""The instant that a request of the REST API asks about."""

import re
from datetime import datetime

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from events.errors import Invalid

AT = OpenApiParameter(
    "at", datetime, description="An instant with its zone, such as 2026-03-29T02:30:00Z; now, unless given."
)
# In an address a plus sign that is not escaped means a space.
LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


def asked_instant(request: Request) -> datetime:
    """`?at=`, or now without it; raises Invalid for what is not an instant with a zone."""
    text = request.query_params.get("at", "").strip()
    if not text:
        return timezone.now()
    try:
        at = datetime.fromisoformat(LOST_PLUS.sub("+", text.upper()))
    except ValueError as error:
        raise _invalid(f"“{text[:60]}” is not an instant.") from error
    if at.tzinfo is None:
        raise _invalid(f"“{text[:60]}” does not say in which zone it is.")
    return at


def _invalid(message: str) -> Invalid:
    return Invalid(message, field="at", remedy="Write it as 2026-03-29T02:30:00Z, or with an offset such as +02:00.")
