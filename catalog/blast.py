"""How far a fault reaches: what needs the broken services, what they need themselves, what users can't do then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import prefetch_related_objects

from catalog.models import Functionality, Service

# The graph may hold circles: nothing is followed further than this.
MOST_STEPS = 10
REACHED = """
WITH RECURSIVE hit (id, depth) AS (
    SELECT unnest(%(ids)s::bigint[]), 0
    UNION
    SELECT dependency.service_id, hit.depth + 1
    FROM hit JOIN catalog_servicedependency AS dependency ON dependency.needs_id = hit.id
    WHERE hit.depth < %(most)s
), needed (id, depth) AS (
    SELECT unnest(%(ids)s::bigint[]), 0
    UNION
    SELECT dependency.needs_id, needed.depth + 1
    FROM needed JOIN catalog_servicedependency AS dependency ON dependency.service_id = needed.id
    WHERE needed.depth < %(most)s
), reached (direction, id, depth) AS (
    SELECT 'hit', id, min(depth) FROM hit GROUP BY id
    UNION ALL
    SELECT 'needed', id, min(depth) FROM needed GROUP BY id
)
SELECT reached.direction, reached.depth, service.id, service.name, service.slug, service.tier, service.lifecycle
FROM reached JOIN catalog_service AS service ON service.id = reached.id
ORDER BY reached.direction, reached.depth, service.tier, service.name
"""


@dataclass(frozen=True)
class Reached:
    """A service and how many steps it is away from the nearest one that is broken."""

    service: Service
    depth: int


@dataclass(frozen=True)
class BlastRadius:
    """Around services that are broken: `hit` need them, directly or through others; `needed` is what they need.

    `functionalities` are what users do with the broken ones and with all that is hit. The nearest come first.
    """

    hit: list[Reached] = field(default_factory=list)
    needed: list[Reached] = field(default_factory=list)
    functionalities: list[Functionality] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.hit or self.needed or self.functionalities)


def blast_radius(services: Iterable[Service]) -> BlastRadius:
    """The radius around these services: one statement, and one more for the functionalities."""
    ids = sorted({service.pk for service in services})
    if not ids:
        return BlastRadius()
    with connection.cursor() as cursor:
        cursor.execute(REACHED, {"ids": ids, "most": MOST_STEPS})
        rows: list[Any] = cursor.fetchall()
    known: dict[int, Service] = {}
    found: dict[str, list[Reached]] = {"hit": [], "needed": []}
    for direction, depth, pk, name, slug, tier, lifecycle in rows:
        service = known.setdefault(pk, Service(pk=pk, name=name, slug=slug, tier=tier, lifecycle=lifecycle))
        if depth:
            found[direction].append(Reached(service, depth))
    broken = [known[pk] for pk in ids if pk in known] + [reached.service for reached in found["hit"]]
    prefetch_related_objects(broken, "functionalities")
    served = {each.pk: each for service in broken for each in service.functionalities.all()}
    return BlastRadius(found["hit"], found["needed"], sorted(served.values(), key=lambda each: each.name))
