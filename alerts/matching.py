"""Which route an alert takes. Pure: facts and routes in, the first match out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events.conditions import holds


@dataclass(frozen=True)
class RouteSpec:
    """A route as data."""

    route_id: int
    name: str
    conditions: Mapping[str, Any]


def first_match(routes: Sequence[RouteSpec], facts: Mapping[str, Any]) -> RouteSpec | None:
    """The first route, in the given order, whose conditions hold."""
    return next((route for route in routes if holds(route.conditions, facts)), None)
