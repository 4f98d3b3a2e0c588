"""Two people change the same thing: the second is told what the first has made of it, and nothing is lost."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from events.errors import Conflict
from incidents.models import Incident, TimelineEntry

STALE = "stale"
EMPTY = (None, "")


def refuse_stale(incident: Incident, *, seen: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raises Conflict with the code `stale` where a field is not as its editor saw it, unless it is as they want it.

    `seen` are values as they were shown, texts too: they are read as the field reads them. The error's `details` are
    `{"now": <the value that stands>, "by": <who set it>}`.
    """
    for field, was in seen.items():
        stands = getattr(incident, field)
        if field not in wanted or _same(field, was, stands) or wanted[field] == stands:
            continue
        by = _last_editor(incident, field)
        raise refusal(field, stands, by)


def refusal(field: str, stands: Any, by: str) -> Conflict:
    """What whoever came second is told."""
    shown = "empty" if stands in EMPTY else f"“{stands}”"
    words = field.removesuffix("_url").replace("_", " ")
    return Conflict(
        f"{by} changed the {words} meanwhile: it is {shown} now.",
        code=STALE,
        field=field,
        remedy="Look at it, and save again if yours is right.",
        details={"now": None if stands is None else str(stands), "by": by},
    )


def _same(field: str, was: Any, stands: Any) -> bool:
    if was in EMPTY or stands in EMPTY:
        return was in EMPTY and stands in EMPTY
    try:
        return bool(Incident._meta.get_field(field).to_python(was) == stands)  # type: ignore[union-attr]  # a column
    except ValidationError:
        return False


def _last_editor(incident: Incident, field: str) -> str:
    """Who changed the field last, as the timeline tells it."""
    entries = incident.timeline.filter(kind=TimelineEntry.Kind.EDIT, data__changes__has_key=field)
    entry = entries.order_by("-sequence").first()
    return entry.actor_name if entry else "Somebody"
