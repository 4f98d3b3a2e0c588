"""How long it takes to prove a ledger of a million lines: `python -m bench.ledger [how many escalations]`.

Fills 30 days with escalations of five lines each, sealed as the engine seals them, and measures the root of a day, the
whole of `verify_ledger`, and one that looks at the last day alone. Ends with 1 if a goal is missed.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, TypeVar

from django.db.backends.utils import CursorWrapper

from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table

T = TypeVar("T")
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
DAYS = 30
TODAY = NOW.replace(hour=0)
BEGIN = TODAY - timedelta(days=DAYS)
ESCALATIONS = 200_000
BATCH = 10_000
PATH = '{"levels": [], "stages": []}'
# Seconds after the start at which the lines of an escalation are written, their kind, words and data.
LINES: list[tuple[float, str, str, dict[str, Any]]] = [
    (0, "started", "Prometheus started Payments, critical", {"policy": "Payments, critical", "urgency": "high"}),
    (0.2, "paged", "Ana Ferreira is paged by push", {"level": 0, "round": 0, "user": 7, "method": 12, "page": 4711}),
    (0.4, "sent", "accepted by fcm.googleapis.com", {"page": 4711, "attempt": 1, "provider": "fcm.googleapis.com"}),
    (95.5, "acknowledged", "Ana Ferreira acknowledged", {"user": 7, "level": 0, "page": 4711}),
    (1810, "resolved", "The alert has resolved", {"outcome": "resolved"}),
]
ESCALATION_COLUMNS = (
    "id, title, detail, facts, urgency, is_private, path, status, level, round, stage, run, started_at, ended_at, "
    "outcome, entry_count, entry_hash"
)
LINE_COLUMNS = "escalation_id, number, kind, at, text, actor_name, via, data, hash"


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection, transaction  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        from oncall.models import LedgerRoot  # noqa: PLC0415
        from oncall.sealing import Verification, seal_ledger, verify_ledger  # noqa: PLC0415

        begun = perf_counter()
        fill(number)
        lines = number * len(LINES)
        sys.stdout.write(f"{number:,} escalations, {lines:,} lines in {perf_counter() - begun:.0f} s\n\n")
        computing, committing = computing_control(), database_control()
        with CaptureQueriesContext(connection) as all_days:
            sealed, took_sealing = timed(lambda: seal_ledger(NOW))
        assert len(sealed) == DAYS, len(sealed)  # noqa: S101
        newest = LedgerRoot.objects.filter(day=sealed[-1].day)

        def seal_a_day() -> None:
            with transaction.atomic():
                newest.delete()
                seal_ledger(NOW)
                transaction.set_rollback(True)

        a_day = median_of(seal_a_day, 5)
        since = TODAY - timedelta(days=1)

        def verified(at: datetime | None, least: int) -> Callable[[], Verification]:
            def verify() -> Verification:
                found = verify_ledger(at)
                assert found.holds and found.lines >= least, found  # noqa: S101, PT018
                return found

            return verify

        with CaptureQueriesContext(connection) as of_whole:
            _found, whole = timed(verified(None, lines))
        last_day = median_of(verified(since, lines // DAYS), 3)
        results = [
            Result(f"seal_ledger, {DAYS} days of {lines // DAYS:,} lines at once", took_sealing, len(all_days)),
            Result(f"seal_ledger, one day of {lines // DAYS:,} lines", a_day, goal=1_000),
            Result(f"verify_ledger, {lines:,} lines", whole, len(of_whole), goal=60_000),
            Result(f"verify_ledger --since the last day, {lines // DAYS:,} of them", last_day, goal=5_000),
        ]
        return 0 if print_table(results, computing, committing) else 1


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and how many milliseconds it took."""
    begun = perf_counter()
    return work(), (perf_counter() - begun) * 1000


def fill(number: int) -> None:
    """Writes the escalations and their chains, evenly over the days."""
    from django.db import connection  # noqa: PLC0415

    from accounts.actor import Actor  # noqa: PLC0415
    from oncall.ledger import ledger_line  # noqa: PLC0415
    from oncall.models import Escalation, EscalationEntry  # noqa: PLC0415

    actor = Actor.system("Engine")
    step = (TODAY - BEGIN) / number
    with connection.cursor() as cursor:
        for first in range(1, number + 1, BATCH):
            escalations, lines = [], []
            for pk in range(first, min(first + BATCH, number + 1)):
                started, escalation = BEGIN + pk * step, Escalation(pk=pk)
                for after, kind, text, data in LINES:
                    at = started + timedelta(seconds=after)
                    line = ledger_line(escalation, EscalationEntry.Kind(kind), text, at, actor=actor, data=data)
                    row = (pk, line.number, kind, at, line.text, line.actor_name, line.via, json.dumps(data), line.hash)
                    lines.append(row)
                what = (pk, f"Disk {pk} is full", "", '{"service": "search"}', "high", False, PATH, "resolved")
                ended = (started + timedelta(minutes=31), "resolved", len(LINES), escalation.entry_hash)
                escalations.append((*what, 0, 0, 0, 0, started, *ended))
            write(cursor, "oncall_escalation", ESCALATION_COLUMNS, escalations)
            write(cursor, "oncall_escalationentry", LINE_COLUMNS, lines)
        cursor.execute("VACUUM ANALYZE oncall_escalation, oncall_escalationentry")


def write(cursor: CursorWrapper, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    """Stores many rows of a table at once."""
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ESCALATIONS))
