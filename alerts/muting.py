"""Which maintenance window mutes an alert. `mutes` is pure; the windows that run are read once for a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from alerts.models import MaintenanceWindow
from events.conditions import holds


@dataclass(frozen=True)
class Mute:
    """A window that runs, as data: until when, why, and what it is for. An empty set asks nothing."""

    window_id: int
    until: datetime
    why: str
    service_ids: frozenset[int]
    source_ids: frozenset[int]
    conditions: Mapping[str, Any]

    def mutes(self, *, service_id: int | None, source_id: int, facts: Mapping[str, Any]) -> bool:
        """Whether an alert of this service and source, with these facts, is muted by it."""
        return (
            (not self.service_ids or service_id in self.service_ids)
            and (not self.source_ids or source_id in self.source_ids)
            and holds(self.conditions, facts)
        )


def running(windows: QuerySet[MaintenanceWindow], now: datetime) -> QuerySet[MaintenanceWindow]:
    """Those of them that run at an instant."""
    return windows.filter(canceled_at=None, from_at__lte=now, until_at__gt=now)


def mute_of(window: MaintenanceWindow) -> Mute:
    """A window as data; it has an occurrence that runs or comes next."""
    if window.until_at is None:
        raise ValueError(f"Window {window.pk} is over.")
    reason = f": {window.reason}" if window.reason else ""
    return Mute(
        window_id=window.pk,
        until=window.until_at,
        why=f"Muted by “{window.name}” of {window.author}{reason}",
        service_ids=frozenset(service.pk for service in window.services.all()),
        source_ids=frozenset(source.pk for source in window.sources.all()),
        conditions=window.conditions,
    )


def muting(now: datetime) -> list[Mute]:
    """Every window that runs, the one that lasts longest first."""
    found = running(MaintenanceWindow.objects.all(), now).prefetch_related("services", "sources")
    return [mute_of(window) for window in found.order_by("-until_at", "id")]
