"""The groups that are open, as the alerts of a batch join them or open new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.grouping import closes_at, group_key, group_values, pages_again
from alerts.models import AlertGroup, AlertRoute
from events.locking import locked_rows
from events.rows import Part, inserting, next_ids, updating
from oncall.models import Escalation

# The route and the hash of what is the same.
GroupKey = tuple[int, str]
JOINED = ["joined_at", "closes_at", "priority", "escalation", "incident"]


@dataclass(frozen=True)
class Place:
    """Which group an alert belongs to."""

    route: AlertRoute
    values: dict[str, Any]

    @property
    def key(self) -> GroupKey:
        return self.route.pk, group_key(self.values)


def place_of(route: AlertRoute, facts: dict[str, Any]) -> Place | None:
    """Where the alert belongs by this route; None where it stands alone."""
    values = group_values(route.group_by, facts) if route.group_by else {}
    return Place(route, values) if values else None


class Groups:
    """The open groups that a batch needs, locked. What changes in them is stored with what the caller writes."""

    def __init__(self, places: Iterable[Place], now: datetime) -> None:
        self.now = now
        self._open: dict[GroupKey, AlertGroup] = {}
        self._opened: list[AlertGroup] = []
        self._changed: dict[int, AlertGroup] = {}
        keys = sorted({place.key for place in places})
        if not keys:
            return
        found = locked_rows(
            AlertGroup.objects.select_related("escalation", "incident__status", "incident__severity")
            .filter(route__in={route for route, _key in keys}, key__in={key for _route, key in keys}, is_open=True)
            .order_by("id")
        )
        over = []
        for group in found:
            if (group.route_id, group.key) in keys:
                if is_over(group, self.now):
                    over.append(group.pk)
                else:
                    self._open[group.route_id, group.key] = group
        if over:
            # At once: another one may only be opened under the same key when this is closed.
            AlertGroup.objects.filter(pk__in=over).update(is_open=False)

    def find(self, place: Place) -> AlertGroup | None:
        """The open group of this place."""
        return self._open.get(place.key)

    def open(self, place: Place, priority: int) -> AlertGroup:
        """A new group."""
        route = place.route
        [pk] = next_ids(AlertGroup, 1)
        group = AlertGroup(
            pk=pk,
            route=route,
            key=place.key[1],
            values=place.values,
            opened_at=self.now,
            joined_at=self.now,
            closes_at=closes_at(self.now, self.now, route.group_minutes, route.group_window),
            priority=priority,
        )
        self._open[place.key] = group
        self._opened.append(group)
        return group

    def join(self, place: Place, group: AlertGroup, priority: int) -> bool:
        """Counts another alert in; whether whoever has acknowledged the others is paged again for it."""
        route = place.route
        again = pages_again(route.joining, priority, group.priority)
        group.priority = min(group.priority, priority)
        group.joined_at = self.now
        group.closes_at = closes_at(group.opened_at, self.now, route.group_minutes, route.group_window)
        self.change(group)
        return again

    def change(self, group: AlertGroup) -> None:
        """Has the group stored again, if it is not a new one."""
        if group not in self._opened:
            self._changed[group.pk] = group

    def parts(self) -> list[Part]:
        """What stores them; the caller writes it."""
        return [*inserting(self._opened), *updating(list(self._changed.values()), JOINED)]


def is_live(escalation: Escalation | None) -> bool:
    """Whether it still pages, or somebody has it."""
    return escalation is not None and escalation.is_open


def is_over(group: AlertGroup, now: datetime) -> bool:
    """Whether nothing may join it any more, though it may not have been closed yet."""
    if group.incident is not None and not group.incident.is_open:
        return True
    if group.closes_at is not None:
        return group.closes_at <= now
    return group.incident is None and not is_live(group.escalation)
