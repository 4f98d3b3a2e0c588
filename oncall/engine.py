"""The paging clock: it finds the escalations that are due, moves each by one step of its path, and writes what follows.

Due times live in the database. A tick claims with SKIP LOCKED, so any number of engines may run, and one that dies
leaves nothing half done: its transaction never happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from accounts.actor import Actor
from events.actions import Fact, publishing
from events.poke import poke
from events.rows import Part, inserting, updating, write
from oncall.ledger import CHAIN_FIELDS, ledger_line
from oncall.models import EngineBeat, Escalation, EscalationEntry, Page
from oncall.reach import Reach, ReachAt
from oncall.walk import Move, Paged, PlannedPage, Position, Skipped, Told, advance

log = structlog.get_logger(__name__)

SEND_PAGES = "oncall.send_pages"
BEAT_EVERY = timedelta(seconds=1)
STUCK_AGAIN_AFTER = timedelta(minutes=1)
MOVED_AT_ONCE = 200
ENGINE = Actor.system("Paging engine")
Kind = EscalationEntry.Kind
Status = Escalation.Status
AGAIN_FIELDS = ["status", "run", "stage", "level"]
# What a move may change.
MOVED_FIELDS = [
    *("status", "outcome", "stage", "level", "round", "run"),
    *("due_at", "snoozed_until", "ended_at", *CHAIN_FIELDS),
]
# What the ORM has no word for: the row that is not there yet, and the one that is too young to be written again.
BEAT = """
WITH before AS (SELECT beat_at FROM oncall_enginebeat WHERE name = %(name)s)
INSERT INTO oncall_enginebeat (name, beat_at, data) VALUES (%(name)s, %(now)s, '{}')
ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at WHERE oncall_enginebeat.beat_at < %(youngest)s
RETURNING (SELECT beat_at FROM before)
"""


@dataclass
class Moves:
    """What is decided for many escalations, gathered so that it is written in a constant number of statements."""

    now: datetime
    pages: list[Page] = field(default_factory=list)
    entries: list[EscalationEntry] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def add(self, more: "Moves") -> None:
        """Takes in what was decided for one escalation."""
        self.pages += more.pages
        self.entries += more.entries
        self.facts += more.facts

    def record(
        self,
        escalation: Escalation,
        kind: Kind,
        text: str,
        data: dict[str, Any],
        *,
        fact: str,
        actor: Actor = ENGINE,
        **more: Any,
    ) -> None:
        """A line of the ledger and the fact that goes with it."""
        self.entries.append(ledger_line(escalation, kind, text, self.now, actor=actor, data=data))
        self.facts.append(Fact(fact, escalation, {**data, **more}, actor))

    def write(self, *escalations: Part) -> None:
        """Stores it all in one statement with the escalations themselves."""
        pages = inserting(self.pages, skips_known=True)
        write(*escalations, *pages, *inserting(self.entries), *publishing(self.facts, actor=ENGINE))
        if self.pages:
            poke(SEND_PAGES)


def tick(now: datetime, *, limit: int = MOVED_AT_ONCE) -> int:
    """Moves every escalation that is due at `now` by one step and returns how many there were (at most `limit`)."""
    with transaction.atomic():
        due = list(
            Escalation.objects.select_for_update(skip_locked=True).filter(due_at__lte=now).order_by("due_at")[:limit]
        )
        if due:
            moves = Moves(now)
            move(due, moves)
            moves.write(*updating(due, MOVED_FIELDS))
    return len(due)


def move(due: Sequence[Escalation], moves: Moves) -> None:
    """Moves escalations by one step each, in memory; what follows from it is added to `moves`."""
    roster = Reach.of([escalation.path for escalation in due], moves.now, moves.now).at(moves.now)
    for escalation in due:
        _move_or_hold(escalation, roster, moves)


def _move_or_hold(escalation: Escalation, roster: ReachAt, moves: Moves) -> None:
    """One step of one escalation. What can't be walked holds up nobody else: it is tried again, and somebody is told.

    Such a path is our own mistake; the transaction of all the others must not fall with it.
    """
    before = {name: getattr(escalation, name) for name in MOVED_FIELDS}
    written = Moves(moves.now)
    try:
        _move(escalation, roster, written)
    except Exception as error:
        log.exception("escalation_stuck", escalation_id=escalation.pk)
        for name, value in before.items():
            setattr(escalation, name, value)
        written = Moves(moves.now)
        reason = f"{type(error).__name__}: {error}"[:300]
        written.record(escalation, Kind.FAILED, f"Its path could not be walked: {reason}", {}, fact="escalation.stuck")
        escalation.due_at = moves.now + STUCK_AGAIN_AFTER
    moves.add(written)


def _move(escalation: Escalation, roster: ReachAt, moves: Moves) -> None:
    """One step: the end that was set from the start, paging again after silence or a snooze, or the next level."""
    if escalation.auto_resolve_at and escalation.auto_resolve_at <= moves.now:
        _end(escalation, moves, Status.RESOLVED, Escalation.Outcome.AUTO_RESOLVED)
        return
    if escalation.status == Status.ACKNOWLEDGED:
        begin_again(escalation)
        why = "the snooze is over" if escalation.snoozed_until else "nothing followed the acknowledgement"
        escalation.snoozed_until = None
        moves.record(
            escalation, Kind.AGAIN, f"Paging again: {why}", {"run": escalation.run}, fact="escalation.again", reason=why
        )
    position = Position(escalation.stage, escalation.level, escalation.round)
    move = advance(escalation.path, position, escalation.facts, roster, moves.now)
    _record_move(escalation, move, moves)
    escalation.stage, escalation.level = move.position.stage, move.position.level
    escalation.round = move.position.round
    if move.due_at is None:
        _end(escalation, moves, Status.EXHAUSTED, Escalation.Outcome.EXHAUSTED)
    else:
        escalation.due_at = earliest(move.due_at, escalation.auto_resolve_at)


def begin_again(escalation: Escalation) -> None:
    """Pages the level that was paged last once more, in a run of its own; the caller saves the `AGAIN_FIELDS`."""
    escalation.status = Status.TRIGGERED
    escalation.run += 1
    # One that was exhausted stands behind its last stage.
    escalation.stage = min(escalation.stage, len(escalation.path["stages"]) - 1)
    escalation.level = max(escalation.level - 1, 0)


def _record_move(escalation: Escalation, move: Move, moves: Moves) -> None:
    for happened in move.happened:
        data: dict[str, Any] = {"level": happened.level, "round": happened.round, "run": escalation.run}
        if isinstance(happened, Skipped):
            word = "level skipped" if happened.is_whole else "not everybody was paged"
            text = f"Level {happened.level + 1}: {word}: {happened.reason}"
            moves.record(escalation, Kind.SKIPPED, text, data, fact="escalation.level_skipped", reason=happened.reason)
        elif isinstance(happened, Told):
            data["target"] = dict(happened.target)
            text = f"Level {happened.level + 1}: telling {happened.target['name']}"
            moves.record(escalation, Kind.TOLD, text, data, fact="escalation.told")
        elif isinstance(happened, Paged):
            names = ", ".join(happened.names)
            data["users"] = list(happened.user_ids)
            text = f"Level {happened.level + 1}: paging {names}"
            moves.record(escalation, Kind.PAGED, text, data, fact="escalation.level_paged", names=names)
            if happened.shadows:
                data = {"level": happened.level, "shadows": list(happened.shadows), "names": names}
                moves.facts.append(Fact("escalation.shadows_told", escalation, data))
    moves.pages += [page_row(escalation, planned, moves.now) for planned in move.pages]


def page_row(escalation: Escalation, planned: PlannedPage, now: datetime) -> Page:
    """A planned page as the row that the sending step finds."""
    return Page(
        escalation=escalation,
        level=planned.level,
        round=planned.round,
        run=escalation.run,
        step=planned.step,
        user_id=planned.user_id,
        contact_method_id=planned.method.method_id,
        channel=planned.method.kind,
        address=planned.method.address,
        due_at=planned.due_at,
        created_at=now,
    )


def _end(escalation: Escalation, moves: Moves, status: Status, outcome: Escalation.Outcome) -> None:
    escalation.status, escalation.outcome = status, outcome
    escalation.due_at = escalation.snoozed_until = None
    escalation.ended_at = moves.now
    if status == Status.EXHAUSTED:
        moves.record(
            escalation, Kind.EXHAUSTED, "Nobody answered: every level was tried", {}, fact="escalation.exhausted"
        )
    else:
        text = "Ended by itself: it was open for as long as its policy allows"
        moves.record(escalation, Kind.RESOLVED, text, {}, fact="escalation.resolved", reason="auto-resolve")


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of those that are there."""
    return min((instant for instant in instants if instant), default=None)


def beat(name: str, now: datetime) -> timedelta:
    """Records that an engine has done its round, at most once a second; returns how long none had been done before."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, {"name": name, "now": now, "youngest": now - BEAT_EVERY})
        written = cursor.fetchone()
    return now - written[0] if written and written[0] else timedelta()


def heartbeat_age(now: datetime) -> timedelta | None:
    """How long ago the engine last did its round; None if it never has."""
    last = EngineBeat.objects.filter(name="tick").values_list("beat_at", flat=True).first()
    return now - last if last else None


def overdue(now: datetime, *, grace: timedelta = timedelta(seconds=30)) -> int:
    """How many open escalations should have been looked at and were not."""
    return Escalation.objects.filter(due_at__lt=now - grace).count()
