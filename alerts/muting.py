"""Which maintenance window mutes an alert. `mutes` is pure; the windows that run are read once for a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet

from alerts.matchers import matches
from alerts.models import MaintenanceWindow
from events.conditions import holds


@dataclass(frozen=True)
class Mute:
    """A window that runs, as data: until when, why, and what it is for. An empty set asks nothing."""

    window_id: int
    until: datetime
    why: str
    service_ids: frozenset[int] = frozenset()
    source_ids: frozenset[int] = frozenset()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    matchers: Sequence[Mapping[str, Any]] = ()

    def mutes(self, *, service_id: int | None, source_id: int, facts: Mapping[str, Any]) -> bool:
        """Whether an alert of this service and source, with these facts, is muted by it."""
        if (self.service_ids and service_id not in self.service_ids) or (
            self.source_ids and source_id not in self.source_ids
        ):
            return False
        labels = facts.get("labels")
        known = labels if isinstance(labels, Mapping) else {}
        return holds(self.conditions, facts) and all(matches(matcher, known) for matcher in self.matchers)


def running(windows: QuerySet[MaintenanceWindow], now: datetime) -> QuerySet[MaintenanceWindow]:
    """Those of them that run at an instant."""
    return windows.filter(from_at__lte=now, until_at__gt=now)


def muting(now: datetime) -> list[Mute]:
    """Every window that runs, the one that lasts longest first. One statement."""
    found = running(MaintenanceWindow.objects.all(), now).annotate(
        service_ids=_ids(MaintenanceWindow.services.through, "service_id"),
        source_ids=_ids(MaintenanceWindow.sources.through, "alertsource_id"),
    )
    return [
        Mute(
            window_id=window.pk,
            until=window.until_at,
            why=why_muted(window),
            service_ids=frozenset(window.service_ids),
            source_ids=frozenset(window.source_ids),
            conditions=window.conditions,
            matchers=window.matchers,
        )
        for window in found.order_by("-until_at", "id")
        if window.until_at is not None
    ]


def why_muted(window: MaintenanceWindow) -> str:
    """Whose window it is and what for."""
    reason = f": {window.reason}" if window.reason else ""
    return f"Muted by “{window.name}” of {window.author}{reason}"


def _ids(through: type[Model], column: str) -> ArraySubquery:
    return ArraySubquery(through._default_manager.filter(maintenancewindow_id=OuterRef("pk")).values(column))
