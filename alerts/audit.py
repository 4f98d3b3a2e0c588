"""Proves that nothing which was accepted is lost: every event has exactly one outcome, and each outcome is true.

An accepted body holds as many events as its sender was told. Each of them ends in one `Outcome`; a body whose handling
has failed is shown until it is tried again or set aside; one that still waits after a minute is an alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from alerts.models import Alert, Outcome, RawEvent
from alerts.partitions import rest_holds
from oncall.audit import LastAudit, audit_in
from oncall.models import EngineBeat

NAME = "alert_audit"
GRACE = timedelta(seconds=60)
MOST_COUNTED = 1_000
MOST_NAMED = 5
# Each minute's round looks at what came since the last one began, and a little before that: it may not have been done.
OVERLAP = timedelta(minutes=5)
# What was found wrong is looked at again until it is mended, but not for ever.
LOOKS_BACK = timedelta(days=1)

BODIES = """
SELECT source_id, state, count(*), sum(coalesce(event_count, jsonb_array_length(outcomes))),
    count(*) FILTER (WHERE state = 'done' AND event_count <> jsonb_array_length(outcomes)),
    min(id) FILTER (WHERE state = 'done' AND event_count <> jsonb_array_length(outcomes)),
    min(received_at) FILTER (WHERE state = 'done' AND event_count <> jsonb_array_length(outcomes))
FROM alerts_rawevent WHERE received_at >= %(since)s AND received_at < %(until)s
    AND (%(source)s::bigint IS NULL OR source_id = %(source)s)
GROUP BY source_id, state
"""
# What an outcome says must be so: who is paged has an escalation, and so on. Each alert is looked up by its id: as the
# planner counts what is in the bodies, it would read all alerts for the few of a minute.
OUTCOMES = """
WITH told AS MATERIALIZED (
    SELECT raw.source_id, entry.outcome, entry.alert, count(*) AS times, min(raw.id) AS first_id,
        min(raw.received_at) AS first_at
    FROM alerts_rawevent AS raw CROSS JOIN LATERAL jsonb_to_recordset(raw.outcomes) AS entry(outcome text, alert bigint)
    WHERE raw.received_at >= %(since)s AND raw.received_at < %(until)s AND raw.state = 'done'
        AND (%(source)s::bigint IS NULL OR raw.source_id = %(source)s)
    GROUP BY raw.source_id, entry.outcome, entry.alert
), judged AS (
    SELECT told.*, CASE told.outcome
        WHEN 'paged' THEN alert.escalation_id IS NOT NULL
        WHEN 'attached' THEN alert.incident_id IS NOT NULL
        WHEN 'grouped' THEN coalesce(alert.group_id, alert.escalation_id, alert.incident_id) IS NOT NULL
        WHEN 'recorded' THEN alert.id IS NOT NULL
        WHEN 'suppressed' THEN alert.outcome <> 'suppressed' OR alert.muted_by_id IS NOT NULL
            OR alert.routing_note <> '' OR alert.held <> ''
        WHEN 'waiting' THEN alert.outcome <> 'waiting' OR alert.status = 'resolved'
            OR (alert.held = 'waiting' AND alert.due_at >= %(overdue)s)
        WHEN 'deduplicated' THEN alert.id IS NOT NULL
        WHEN 'resolved' THEN alert.id IS NOT NULL
        WHEN 'acknowledged' THEN alert.id IS NOT NULL
        WHEN 'changed' THEN alert.id IS NOT NULL
        ELSE told.outcome IN ('late', 'nothing_open', 'noted')
    END IS TRUE AS is_true
    FROM told LEFT JOIN LATERAL (SELECT * FROM alerts_alert WHERE id = told.alert LIMIT 1) AS alert ON true
)
SELECT source_id, coalesce(outcome, ''), sum(times)::bigint, coalesce(sum(times) FILTER (WHERE NOT is_true), 0)::bigint,
    min(first_id) FILTER (WHERE NOT is_true), min(first_at) FILTER (WHERE NOT is_true)
FROM judged GROUP BY source_id, outcome
"""


@dataclass(frozen=True)
class Wrong:
    """Something that must not be: how often, in words, and the first few raw events or alerts of which it is true."""

    number: int
    what: str
    ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        number = f"at least {self.number}" if self.number == MOST_COUNTED else str(self.number)
        named = f" ({', '.join(f'#{number}' for number in self.ids)})" if self.ids else ""
        return f"{number} {self.what}{named}"


@dataclass(frozen=True)
class Ledger:
    """What was accepted from `since` until `until`, what became of it, and what is wrong at the instant `at`.

    `accepted` counts events, `bodies` the requests that brought them. `outcomes` counts events by source and outcome;
    `failed`, `set_aside` and `waiting` are the events of bodies in that state, by source.
    """

    at: datetime
    since: datetime
    until: datetime
    bodies: int = 0
    accepted: int = 0
    outcomes: Mapping[tuple[int, str], int] = field(default_factory=dict)
    failed: Mapping[int, int] = field(default_factory=dict)
    set_aside: Mapping[int, int] = field(default_factory=dict)
    waiting: Mapping[int, int] = field(default_factory=dict)
    wrong: tuple[Wrong, ...] = ()
    oldest_wrong_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong. What has failed can be seen: it is not lost."""
        return not self.wrong

    @property
    def by_outcome(self) -> dict[str, int]:
        """How many events ended in each outcome, over all sources; those that none has are left out."""
        counted: dict[str, int] = {}
        for (_source, outcome), number in self.outcomes.items():
            counted[outcome] = counted.get(outcome, 0) + number
        return {outcome: counted[outcome] for outcome in [*Outcome.values, *counted] if outcome in counted}

    @property
    def without_outcome(self) -> dict[str, int]:
        """How many events have failed, were set aside after that, or still wait, over all sources."""
        return {
            "failed": sum(self.failed.values()),
            "set_aside": sum(self.set_aside.values()),
            "waiting_to_be_processed": sum(self.waiting.values()),
        }

    @property
    def problems(self) -> list[str]:
        """What is wrong, a line each."""
        return [str(each) for each in self.wrong]

    def as_json(self) -> dict[str, Any]:
        """The sums, for machines."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "requests": self.bodies,
            "accepted": self.accepted,
            "outcomes": self.by_outcome,
            **self.without_outcome,
            "holds": self.holds,
            "problems": self.problems,
        }


def audit_alerts(since: datetime, until: datetime, now: datetime, *, source_id: int | None = None) -> Ledger:
    """The ledger of what was received from `since` until just before `until`, of one source or of all.

    What waits too long now is wrong whenever it was received.
    """
    values = {"since": since, "until": until, "source": source_id, "overdue": now - GRACE}
    with connection.cursor() as cursor:
        cursor.execute(BODIES, values)
        bodies = cursor.fetchall()
        cursor.execute(OUTCOMES, values)
        told = cursor.fetchall()
    events: dict[str, dict[int, int]] = {state: {} for state in RawEvent.State.values}
    for source, state, _number, of_them, *_wrong in bodies:
        events[state][source] = int(of_them or 0)
    found = [*_unequal(bodies), *_untrue(told)]
    return Ledger(
        at=now,
        since=since,
        until=until,
        bodies=sum(row[2] for row in bodies),
        accepted=sum(sum(by_source.values()) for by_source in events.values()),
        outcomes={(source, outcome): number for source, outcome, number, *_wrong in told},
        failed=events[RawEvent.State.FAILED],
        set_aside=events[RawEvent.State.SET_ASIDE],
        waiting=events[RawEvent.State.PENDING],
        wrong=(*(wrong for wrong, _at in found), *_overdue(now)),
        oldest_wrong_at=min((at for _wrong, at in found), default=None),
    )


def _unequal(bodies: list[tuple[Any, ...]]) -> list[tuple[Wrong, datetime]]:
    rows = [row[4:] for row in bodies if row[4]]
    if not rows:
        return []
    number, first = sum(row[0] for row in rows), tuple(sorted(row[1] for row in rows))[:MOST_NAMED]
    what = "requests have not as many outcomes as events that were accepted"
    return [(Wrong(number, what, first), min(row[2] for row in rows))]


def _untrue(told: list[tuple[Any, ...]]) -> list[tuple[Wrong, datetime]]:
    """The outcomes that say what is not so, by outcome."""
    rows: dict[str, list[tuple[int, int, datetime]]] = {}
    for _source, outcome, _number, untrue, first, at in told:
        if untrue:
            rows.setdefault(outcome, []).append((untrue, first, at))
    return [
        (
            Wrong(
                sum(row[0] for row in of_it),
                f"events are said to be “{outcome or 'nothing'}”, and are not",
                tuple(sorted(row[1] for row in of_it))[:MOST_NAMED],
            ),
            min(row[2] for row in of_it),
        )
        for outcome, of_it in sorted(rows.items())
    ]


def _overdue(now: datetime) -> list[Wrong]:
    """What waits too long, in scans of partial indexes that hold next to nothing while all is well."""
    pending = RawEvent.objects.filter(state=RawEvent.State.PENDING, received_at__lt=now - GRACE)
    held = Alert.objects.filter(due_at__lt=now - GRACE)
    said = [
        (pending, "requests wait for over a minute: nobody has taken them in"),
        (held, "alerts were to be looked at again over a minute ago"),
    ]
    found = [(list(rows.order_by().values_list("pk", flat=True)[:MOST_COUNTED]), what) for rows, what in said]
    wrong = [Wrong(len(ids), what, tuple(sorted(ids)[:MOST_NAMED])) for ids, what in found if ids]
    if rest_holds(now - LOOKS_BACK):
        wrong.append(
            Wrong(1, "month has no table of its own for what comes in: the sweep that makes them does not run")
        )
    return wrong


def audit_newest(now: datetime) -> Ledger:
    """The ledger since the last round; what was wrong then is looked at again."""
    kept = EngineBeat.objects.filter(name=NAME).first()
    since = now - OVERLAP
    if kept is not None:
        wrong_at = kept.data.get("oldest_wrong_at")
        oldest = datetime.fromisoformat(wrong_at) if wrong_at else kept.beat_at - OVERLAP
        since = min(since, max(min(oldest, kept.beat_at - OVERLAP), now - LOOKS_BACK))
    return audit_alerts(since, now, now)


def keep_alert_audit(ledger: Ledger) -> None:
    """Stores the newest result, for the metric and the banner."""
    oldest = ledger.oldest_wrong_at.isoformat() if ledger.oldest_wrong_at else ""
    data = {"holds": ledger.holds, "problems": ledger.problems, "oldest_wrong_at": oldest}
    EngineBeat.objects.update_or_create(name=NAME, defaults={"beat_at": ledger.at, "data": data})


def last_alert_audit() -> LastAudit | None:
    """The newest result; None if there never was one."""
    return audit_in(EngineBeat.objects.filter(name=NAME).first())
