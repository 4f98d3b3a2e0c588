"""How the engine and its audit bear a million escalations: `python -m bench.tick [how many]`.

Fills the table, of which 10,000 are due at this moment, and measures the claim of one tick, the ticks that move all of
them, and the audit that runs each minute. Shows the plans that the database chose. Ends with 1 if a goal is missed.
"""

import sys
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
MILLION = 1_000_000
DUE = 10_000
FILL = """
INSERT INTO oncall_escalation (title, detail, facts, urgency, is_private, path, status, level, round, stage, run,
    due_at, started_at, ended_at, outcome, entry_count, entry_hash)
SELECT 'Disk ' || n || ' is full', '', '{"service": "search"}', 'high', false, %(path)s,
    CASE WHEN n <= %(due)s THEN 'triggered' WHEN n <= %(open)s THEN 'acknowledged' ELSE 'resolved' END,
    0, 0, 0, 0,
    CASE WHEN n <= %(due)s THEN %(now)s::timestamptz - interval '1 second'
         WHEN n <= %(open)s THEN %(now)s::timestamptz + n * interval '1 second' END,
    %(now)s::timestamptz - n * interval '1 second',
    CASE WHEN n > %(open)s THEN %(now)s::timestamptz END,
    CASE WHEN n > %(open)s THEN 'resolved' ELSE '' END, 0, ''
FROM generate_series(1, %(number)s) n
"""


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        from oncall.audit import audit_pages  # noqa: PLC0415
        from oncall.engine import tick  # noqa: PLC0415
        from oncall.models import Escalation, Page  # noqa: PLC0415

        begun = perf_counter()
        fill(number)
        sys.stdout.write(f"{number:,} escalations, {DUE:,} of them due, in {perf_counter() - begun:.0f} s\n\n")
        computing, committing = computing_control(), database_control()
        quiet = median_of(lambda: audit_pages(NOW), 50)
        with CaptureQueriesContext(connection) as audited:
            audit_pages(NOW)
        for query in audited.captured_queries:
            show(query["sql"])
        claim = Escalation.objects.filter(due_at__lte=NOW).order_by("due_at").values_list("pk", flat=True)
        show(str(claim[:200].query).replace(str(NOW), f"'{NOW}'"))
        claimed = median_of(lambda: list(claim[:200]), 50)
        with CaptureQueriesContext(connection) as ticked:
            tick(NOW)
        moved, begun = 200, perf_counter()
        while count := tick(NOW):
            moved += count
        ticks = (perf_counter() - begun) * 1000
        assert moved == Page.objects.count() == DUE, moved  # noqa: S101
        results = [
            Result(f"audit_pages, nothing wrong, {number:,} escalations", quiet, len(audited), goal=100),
            Result("finding the 200 that are due longest", claimed, 1),
            Result("one tick of 200, of those the queries", ticks / (DUE / 200 - 1), len(ticked), goal=200),
            Result(f"ticks that move all {DUE:,} that are due", ticks, goal=10_000),
        ]
        return 0 if print_table(results, computing, committing) else 1


def fill(number: int) -> None:
    """A million rows as an installation has them after years, and one person whom they page."""
    import json  # noqa: PLC0415

    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from oncall.models import ContactMethod  # noqa: PLC0415

    person = User.objects.create(name="Ana", email="ana@example.com", password="!")  # noqa: S106
    ContactMethod.objects.create(user=person, kind="web", verified_at=timezone.now())
    level = {"timeout_seconds": 300, "targets": [{"type": "user", "id": person.pk, "name": "Ana"}]}
    level |= {"condition": {}, "answers_needed": 1, "is_round_robin": False}
    path = {"policy": "Bench", "urgency": "high", "zone": "UTC", "turn": 0, "digest": False}
    path |= {"levels": [level] * 3, "stages": [{"first": 0, "count": 3, "repeats": 0}]}
    path |= {"acknowledgement_seconds": None, "auto_resolve_seconds": None}
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "path": json.dumps(path),
            "due": DUE,
            "open": DUE + number // 20,
            "now": NOW,
            "number": number,
        }
        cursor.execute(FILL, values)
        cursor.execute("VACUUM ANALYZE oncall_escalation")


def show(sql: str) -> None:
    """The plan of a statement: which index it reads."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        for (line,) in cursor.fetchall():
            if "Scan" in line:
                sys.stdout.write(f"    {line.strip()}\n")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION))
