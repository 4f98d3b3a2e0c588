"""How long things took in an incident, from its times. Pure; what stood still (`Incident.pauses`) is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Durations:
    """None where one of its ends is not known; `lasted` of an incident that goes on counts until now."""

    to_detect: timedelta | None
    to_acknowledge: timedelta | None
    to_mitigate: timedelta | None
    to_resolve: timedelta | None
    impact: timedelta | None
    lasted: timedelta

    def in_seconds(self) -> dict[str, int | None]:
        """Each by its name, in whole seconds."""
        return {name: None if length is None else int(length.total_seconds()) for name, length in vars(self).items()}


def durations(times: Mapping[str, datetime | None], *, pauses: Iterable[Stretch], now: datetime) -> Durations:
    """What follows from the times of an incident, by their columns.

    Detecting counts from the beginning of the impact; acknowledging, mitigating and resolving from the declaration; the
    impact from its beginning (or the declaration) until it was mitigated. Declined, canceled and merged incidents were
    never resolved: only `lasted` ends for them, with `closed_at`.
    """
    stood = list(pauses)

    def between(start: datetime | None, end: datetime | None) -> timedelta | None:
        return None if start is None or end is None else length_of(start, end, stood)

    declared = times.get("declared_at") or now
    return Durations(
        to_detect=between(times.get("started_at"), times.get("detected_at")),
        to_acknowledge=between(declared, times.get("acknowledged_at")),
        to_mitigate=between(declared, times.get("mitigated_at")),
        to_resolve=between(declared, times.get("resolved_at")),
        impact=between(times.get("started_at") or declared, times.get("mitigated_at")),
        lasted=length_of(declared, times.get("resolved_at") or times.get("closed_at") or now, stood),
    )


def length_of(start: datetime, end: datetime, pauses: Sequence[Stretch]) -> timedelta:
    """From start until end without what was paused between them; nothing if the end came first."""
    length = end - start
    for begun, over in pauses:
        covered = min(end, over) - max(start, begun)
        length -= max(covered, timedelta())
    return max(length, timedelta())
