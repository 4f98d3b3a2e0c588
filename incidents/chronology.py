"""When the times of an incident can be, and in which order. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from events.errors import Invalid

# Before it lies nothing that somebody responds to: a year that was typed wrong, and clocks that can't be told locally.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# Column and what it is called, in the order in which they come.
TIMES = {
    "started_at": "the impact began",
    "detected_at": "it was detected",
    "declared_at": "it was declared",
    "acknowledged_at": "it was acknowledged",
    "mitigated_at": "it was mitigated",
    "resolved_at": "it was resolved",
    "closed_at": "it was closed",
}
# What can't be later than what. Somebody may answer a page, or the impact may end, before anybody declares.
ORDER = [
    ("started_at", "detected_at"),
    ("started_at", "declared_at"),
    ("started_at", "acknowledged_at"),
    ("started_at", "mitigated_at"),
    ("detected_at", "declared_at"),
    ("detected_at", "resolved_at"),
    ("declared_at", "resolved_at"),
    ("declared_at", "closed_at"),
    ("mitigated_at", "resolved_at"),
    ("acknowledged_at", "resolved_at"),
    ("resolved_at", "closed_at"),
]


def refuse_too_early(at: datetime | None, field: str) -> None:
    """Raises Invalid for a time before `EARLIEST`."""
    if at is not None and at < EARLIEST:
        raise Invalid("This is before 1970.", field=field, remedy="Look at the year.")


def disorder(times: Mapping[str, datetime | None]) -> list[str]:
    """Each rule of the order that these times break, in words; what is not known breaks none."""
    found = []
    for first, second in ORDER:
        earlier, later = times.get(first), times.get(second)
        if earlier is not None and later is not None and earlier > later:
            found.append(f"{TIMES[first].capitalize()} after {TIMES[second]}.")
    return found


def disorder_with(times: Mapping[str, datetime | None], changed: str) -> list[str]:
    """Like `disorder`, of one time only: what stands wrong elsewhere is not its fault."""
    found = []
    for first, second in ORDER:
        if changed in {first, second}:
            found += disorder({first: times.get(first), second: times.get(second)})
    return found
