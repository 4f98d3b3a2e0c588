"""The tables of raw events, one for each month (UTC) in which they were received, and one for the rest.

The rest takes what belongs to no month that has a table, so that nothing is refused for want of one.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

TABLE = "alerts_rawevent"
REST = f"{TABLE}_rest"
MONTHS_AHEAD = 2
NAMED = re.compile(rf"{TABLE}_(\d{{4}})_(\d\d)")
CHILDREN = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"
UNSETTLED = "state IN ('pending', 'failed')"
# Whoever waits for a table holds up all who come after: rather not now.
PATIENCE = "SET LOCAL lock_timeout = '2s'"


@dataclass(frozen=True, order=True)
class Month:
    """A month that has a table, or is to have one."""

    begins_at: datetime

    @classmethod
    def of(cls, instant: datetime) -> "Month":
        """The month (UTC) in which an instant lies."""
        return cls(instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))

    @property
    def ends_at(self) -> datetime:
        """When the next one begins."""
        first = self.begins_at
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.ends_at)

    @property
    def table(self) -> str:
        """What its table is called."""
        return f"{TABLE}_{self.begins_at:%Y_%m}"


def months() -> list[Month]:
    """The months that have a table, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(CHILDREN, [TABLE])
        names = [NAMED.fullmatch(name.rpartition(".")[2]) for (name,) in cursor.fetchall()]
    return sorted(Month(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)) for found in names if found)


def wanted(now: datetime) -> list[Month]:
    """This month and those ahead that must have a table."""
    found = [Month.of(now)]
    for _ in range(MONTHS_AHEAD):
        found.append(found[-1].next)
    return found


def make_month(month: Month) -> None:
    """Makes a month's table; what has come for it meanwhile moves there. Raises OperationalError if others are at work.

    All of it is one short transaction, which holds up whoever writes.
    """
    values = [month.begins_at, month.ends_at]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {month.table} (LIKE {TABLE} INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {REST} WHERE received_at >= %s AND received_at < %s RETURNING *)"  # noqa: S608
            f" INSERT INTO {month.table} SELECT * FROM moved",
            values,
        )
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {month.table} FOR VALUES FROM (%s) TO (%s)", values)


def drop_month(month: Month) -> int:
    """Drops a month's table at once and returns how many rows of it were kept: those that wait or have failed.

    They move to the rest. Raises OperationalError if others are at work.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {month.table} WHERE {UNSETTLED}")  # noqa: S608
        cursor.execute(f"DROP TABLE {month.table}")
        cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM kept")  # noqa: S608
        kept = int(cursor.rowcount)
        cursor.execute("DROP TABLE kept")
    return kept


def rest_holds(since: datetime) -> bool:
    """Whether something that came after `since` lies in the rest, since no month has a table for it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {REST} WHERE received_at >= %s)", [since])  # noqa: S608
        [found] = cursor.fetchone()
    return bool(found)
