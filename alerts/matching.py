"""Which routes an alert takes. Pure: facts and routes in, what matches out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events.conditions import holds


@dataclass(frozen=True)
class RouteSpec:
    """A route as data. One that `continues` lets the next ones be looked at too."""

    route_id: int
    name: str
    conditions: Mapping[str, Any]
    continues: bool = False


def matching(routes: Sequence[RouteSpec], facts: Mapping[str, Any]) -> list[RouteSpec]:
    """Those whose conditions hold, in the given order, up to the first that does not continue."""
    found = []
    for route in routes:
        if holds(route.conditions, facts):
            found.append(route)
            if not route.continues:
                break
    return found
