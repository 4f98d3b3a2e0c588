"""What it costs to prove that nothing was lost: `python -m bench.outcomes [how many]`.

A day of requests with an event each, of which a fifth opened an alert: the ledger of the whole day, the round of each
minute, and what a claim and the end of a batch cost beside so many rows. Ends with 1 if a goal is missed.
"""

import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from bench.stage import Result, computing_control, database_control, median_of, own_database, print_table

MILLION = 1_000_000
CLAIMED = 200
DAY = timedelta(days=1)
# What differs from one row to the next; all else is as in the first, which is stored like any other.
ALERTS = {
    "id": "nextval(pg_get_serial_sequence('alerts_alert', 'id'))",
    "dedup_key": "'disk-' || n",
    "title": "'Disk ' || n || ' is full'",
}
EVENTS = {
    "id": "nextval(pg_get_serial_sequence('alerts_rawevent', 'id'))",
    "received_at": "first.received_at + n * interval '1 day' / %(number)s",
    "request_id": "gen_random_uuid()",
    "outcomes": "jsonb_build_array(jsonb_build_object('outcome', CASE WHEN n %% 5 = 0 THEN 'recorded'"
    " ELSE 'deduplicated' END, 'alert', %(alert)s + n / 5))",
}
BODY = b'{"title": "Disk is full", "severity": "critical"}' * 6


def main(number: int) -> int:
    """Runs it and returns the exit code."""
    with own_database():
        from django.db import connection, transaction  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        from accounts.actor import Actor  # noqa: PLC0415
        from alerts.actions import save_source  # noqa: PLC0415
        from alerts.audit import audit_alerts, audit_newest, keep_alert_audit  # noqa: PLC0415
        from alerts.ingest import CONCLUDED  # noqa: PLC0415
        from alerts.models import Alert, RawEvent  # noqa: PLC0415
        from events.rows import updating, write  # noqa: PLC0415

        now = datetime.now(UTC)
        source = save_source(actor=Actor.system(via="command"), name="Bench", slug="bench", dialect="generic", now=now)
        begun = perf_counter()
        since = now - DAY
        alert = Alert.objects.create(
            source=source,
            dedup_key="disk",
            status="resolved",
            title="Disk",
            routing_note="No route matched.",
            started_at=since,
            first_event_at=since,
            last_event_at=since,
        )
        raw = RawEvent.objects.create(
            source=source,
            received_at=since,
            due_at=since,
            processed_at=since,
            state="done",
            body=BODY,
            headers={"user-agent": "bench", "content-type": "application/json"},
            event_count=1,
            outcomes=[{"outcome": "recorded", "alert": alert.pk}],
        )
        multiply(alert, ALERTS, {"number": number // 5})
        multiply(raw, EVENTS, {"number": number - 1, "alert": alert.pk})
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE alerts_rawevent, alerts_alert")
        sys.stdout.write(f"{number:,} events of one day in {perf_counter() - begun:.0f} s\n\n")
        waiting = [
            RawEvent(source=source, received_at=now, due_at=now, body=b"{}", event_count=0) for _ in range(CLAIMED)
        ]
        RawEvent.objects.bulk_create(waiting)
        keep_alert_audit(audit_newest(now))

        def claim() -> None:
            with transaction.atomic():
                due = RawEvent.objects.select_for_update(skip_locked=True, of=("self",)).select_related("source")
                found = list(due.filter(state="pending", due_at__lte=now).order_by("due_at", "id")[:CLAIMED])
                assert len(found) == CLAIMED  # noqa: S101

        def conclude() -> None:
            with transaction.atomic():
                write(*updating(waiting, CONCLUDED))
                transaction.set_rollback(True)

        computing, committing = computing_control(), database_control()
        whole = median_of(lambda: audit_alerts(now - DAY, now + DAY, now), 3)
        with CaptureQueriesContext(connection) as audited:
            ledger = audit_alerts(now - DAY, now + DAY, now)
        assert ledger.holds, ledger.problems  # noqa: S101
        assert ledger.accepted == number, ledger.accepted  # noqa: S101
        minute = median_of(lambda: audit_newest(now), 20)
        results = [
            Result(f"the ledger of a day of {number:,} events", whole, len(audited), goal=5_000),
            Result("the audit of each minute, of those the last five", minute, goal=250),
            Result(f"the claim of {CLAIMED} that wait", median_of(claim, 20)),
            Result(f"the conclusion of {CLAIMED}", median_of(conclude, 20)),
        ]
        return 0 if print_table(results, computing, committing) else 1


def multiply(first: Any, differing: dict[str, str], values: dict[str, Any]) -> None:
    """As many rows more as `number` of the values says."""
    from django.db import connection  # noqa: PLC0415

    columns = [field.column for field in first._meta.concrete_fields]
    chosen = ", ".join(differing.get(column, f'first."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = first._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {chosen}"  # noqa: S608
            f" FROM {table} AS first, generate_series(1, %(number)s) n WHERE first.id = %(first)s",
            {**values, "first": first.pk},
        )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION))
