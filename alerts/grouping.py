"""Which alerts are one matter, and when another one may join. Pure: facts and times in."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from events.conditions import MISSING, look_up

Joining = Literal["never", "rises", "always"]


def group_values(group_by: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the facts say at each of these paths; nothing at all if they say nothing at any of them.

    Alerts that tell nothing of what they are grouped by have nothing in common.
    """
    found = {path: look_up(facts, path) for path in group_by}
    known = {path: None if value in (MISSING, "", [], {}) else value for path, value in found.items()}
    return known if any(value is not None for value in known.values()) else {}


def group_key(values: Mapping[str, Any]) -> str:
    """A hash that is the same for the same values, in whatever order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def closes_at(opened_at: datetime, joined_at: datetime, minutes: int | None, window: str) -> datetime | None:
    """Until when others may join; None for as long as the matter is open."""
    if minutes is None:
        return None
    return (opened_at if window == "fixed" else joined_at) + timedelta(minutes=minutes)


def pages_again(joining: str, priority: int, highest: int) -> bool:
    """Whether whoever has acknowledged the matter is paged once more for one that joins it; 1 is the highest."""
    return joining == "always" or (joining == "rises" and priority < highest)
