"""Proves the ledger: a root over each day's lines, and a check of every chain and every root.

The root of a day (UTC) is SHA-256, in hex, over the root before and the hashes of the day's lines in the order of
escalation and number, a newline after each. It is published as the event `ledger.sealed`: whoever keeps it elsewhere
can tell later that no line of that day was changed, added or taken away, chains and database rewritten or not.
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Max

from accounts.actor import Actor
from events.actions import publish
from oncall.ledger import line_hash
from oncall.models import Escalation, EscalationEntry, LedgerRoot

# What was begun before midnight has long been stored by then.
SEALED_AFTER = timedelta(hours=1)
MOST_PROBLEMS = 100
CHUNK = 5_000
DAY = timedelta(days=1)
SEALER = Actor.system("Ledger")
SEAL_LOCK = 7_402_915_634


@dataclass
class Verification:
    """What was looked at, and what is wrong with it: empty `problems` prove the ledger."""

    escalations: int = 0
    lines: int = 0
    days: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems

    def blame(self, problem: str) -> None:
        """Notes what is wrong, up to a number that a person can read."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


# --- Sealing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def seal_ledger(now: datetime) -> list[LedgerRoot]:
    """Makes the root of each day that is over and has none, the first ledger's day first; again changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
    last = LedgerRoot.objects.first()
    day = last.day + DAY if last else _first_day()
    made = []
    while day is not None and now >= _midnight(day + DAY) + SEALED_AFTER:
        digest, lines = _root(day, last.hash if last else "")
        last = LedgerRoot.objects.create(day=day, lines=lines, hash=digest, made_at=now)
        made.append(last)
        day += DAY
    newest = EscalationEntry.objects.order_by("-id").first()
    if made and newest is not None:
        data = {"roots": [{"day": str(root.day), "lines": root.lines, "hash": root.hash} for root in made[-7:]]}
        publish("ledger.sealed", subject=newest, actor=SEALER, data=data)
    return made


def _first_day() -> date | None:
    first = EscalationEntry.objects.order_by("at").values_list("at", flat=True).first()
    return first.astimezone(UTC).date() if first else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _root(day: date, previous: str) -> tuple[str, int]:
    """The root of a day and how many lines it covers."""
    hashes = (
        EscalationEntry.objects.filter(at__gte=_midnight(day), at__lt=_midnight(day + DAY))
        .order_by("escalation_id", "number")
        .values_list("hash", flat=True)
    )
    return root_hash(previous, hashes.iterator(chunk_size=CHUNK))


def root_hash(previous: str, hashes: Iterable[str]) -> tuple[str, int]:
    """The root over these line hashes and the root before, and how many lines there were."""
    digest, lines = hashlib.sha256(f"{previous}\n".encode()), 0
    for each in hashes:
        digest.update(f"{each}\n".encode())
        lines += 1
    return digest.hexdigest(), lines


# --- Verifying --------------------------------------------------------------------------------------------------------


def verify_ledger(since: datetime | None = None) -> Verification:
    """Reads every chain and root again, or those with lines at or after `since`.

    Beside engines that run it needs one view of the database: `consistent_view` around it.
    """
    found = Verification()
    _verify_chains(found, since)
    _verify_roots(found, since)
    return found


def _verify_chains(found: Verification, since: datetime | None) -> None:
    escalations = Escalation.objects.order_by("pk")
    entries = EscalationEntry.objects.order_by("escalation_id", "number")
    if since is not None:
        newest = escalations.annotate(last=Max("entries__at")).filter(last__gte=since)
        escalations = escalations.filter(pk__in=newest.values("pk"))
        entries = entries.filter(escalation_id__in=newest.values("pk"))
    lines = entries.iterator(chunk_size=CHUNK)
    entry = next(lines, None)
    ends = escalations.values_list("pk", "entry_count", "entry_hash")
    for pk, count, digest in ends.iterator(chunk_size=CHUNK):
        own = []
        while entry is not None and entry.escalation_id == pk:
            own.append(entry)
            entry = next(lines, None)
        found.escalations += 1
        found.lines += len(own)
        for problem in broken_chain(own, count, digest):
            found.blame(f"escalation {pk}: {problem}")


def broken_chain(entries: Iterable[EscalationEntry], count: int, digest: str) -> Iterator[str]:
    """What is wrong with one escalation's lines; `count` and `digest` are the end that its row holds."""
    previous, number = "", 0
    for number, entry in enumerate(entries, 1):
        if entry.number != number:
            yield f"line {number} is missing"
            return
        if entry.hash != line_hash(entry, previous):
            yield f"line {number} was changed"
        previous = entry.hash
    if number != count:
        yield f"it has {number} lines and should have {count}"
    elif previous != digest:
        yield "its last line is another one than it says"


def _verify_roots(found: Verification, since: datetime | None) -> None:
    roots = LedgerRoot.objects.order_by("day")
    previous: LedgerRoot | None = None
    if since is not None:
        first = since.astimezone(UTC).date()
        previous = LedgerRoot.objects.filter(day__lt=first).first()
        roots = roots.filter(day__gte=first)
    for root in roots:
        if previous is not None and root.day != previous.day + DAY:
            found.blame(f"{root.day}: the root of the day before is missing")
        digest, lines = _root(root.day, previous.hash if previous else "")
        if digest != root.hash:
            found.blame(
                f"{root.day}: the root does not fit its lines; it was made over {root.lines}, there are {lines}"
            )
        found.days += 1
        previous = root


@contextmanager
def consistent_view() -> Generator[None]:
    """One view of the database while engines go on writing; nothing can be written inside. Not inside a transaction."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
