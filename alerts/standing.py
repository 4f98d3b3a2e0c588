"""How the keys of a batch of events stand: what fires under them, what ended lately, and what ended too early."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from alerts.models import Alert

# The source and the dedup key: what makes two events the same alert while it fires.
Key = tuple[int, str]
# A key under which so many alerts ended within that time flaps: the next one counts as over only once it is quiet.
FLAPS = 4
FLAPPING_WITHIN = timedelta(minutes=30)
QUIET_FOR = timedelta(minutes=10)
# By hand: of each key the newest few alerts, whatever its history, and the end that came before its beginning. The rows
# are locked in the order of the keys, so that no two batches wait for each other in a circle.
STANDING = """
WITH asked AS (SELECT * FROM unnest(%s::bigint[], %s::text[]) AS asked(source_id, dedup_key))
SELECT asked.source_id, asked.dedup_key, known.id, known.status, known.priority, known.told_at,
       known.resolved_at, known.ended_at, early.ended_at
FROM asked
LEFT JOIN alerts_earlyend AS early USING (source_id, dedup_key)
LEFT JOIN LATERAL (
    SELECT * FROM alerts_alert AS alert
    WHERE alert.source_id = asked.source_id AND alert.dedup_key = asked.dedup_key ORDER BY id DESC LIMIT %s FOR UPDATE
) AS known ON true
"""


@dataclass
class Firing:
    """An alert that fires."""

    pk: int
    priority: int
    told_at: datetime | None


@dataclass
class Standing:
    """One key: its firing alert if there is one, and when it was over before."""

    firing: Firing | None = None
    # When the newest of what ended was over, as its source tells.
    ended_at: datetime | None = None
    ended_id: int | None = None
    # How many alerts ended lately.
    ends: int = 0

    @property
    def flaps(self) -> bool:
        """Whether it begins and ends so often that its next end is not believed at once."""
        return self.ends >= FLAPS

    def is_late(self, at: datetime | None) -> bool:
        """Whether something that fired at `at` has been over already when it came."""
        return at is not None and self.ended_at is not None and at < self.ended_at

    def opened(self, alert: Alert) -> None:
        """Another alert fires under it."""
        self.firing = Firing(alert.pk, alert.priority, alert.told_at)


def standing_of(keys: Collection[Key], now: datetime) -> dict[Key, Standing]:
    """How each of the keys stands; its newest alerts are locked for the transaction."""
    found: dict[Key, Standing] = {key: Standing() for key in sorted(keys)}
    if not found:
        return found
    columns: list[list[object]] = [list(column) for column in zip(*found, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [*columns, FLAPS + 1])
        for source_id, key, pk, status, priority, told_at, resolved_at, ended_at, early in cursor.fetchall():
            known = found[source_id, key]
            _end(known, early, None)
            if status == Alert.Status.FIRING:
                known.firing = Firing(pk, priority, told_at)
            elif pk is not None:
                _end(known, ended_at, pk)
                known.ends += resolved_at is not None and resolved_at > now - FLAPPING_WITHIN
    return found


def _end(known: Standing, ended_at: datetime | None, pk: int | None) -> None:
    if ended_at is not None and (known.ended_at is None or ended_at > known.ended_at):
        known.ended_at, known.ended_id = ended_at, pk
