"""Time travel: who would be paged, by what, at which second, if something happened at an instant and nobody answered.

It walks the frozen path with the functions that the engine walks with, over schedules, people and rules that are read
once; nothing is written and nobody is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from oncall.actions import first_due
from oncall.engine import earliest
from oncall.models import EscalationPolicy, Urgency
from oncall.paths import freeze
from oncall.reach import Reach
from oncall.walk import FOR_EVER, LAST_LEVEL_WAIT, Move, Paged, Position, Roster, Skipped, Told, advance

LONGEST = timedelta(days=14)
MOST_STEPS = 500
# What is repeated for ever is shown that often.
ROUNDS_SHOWN = 3


@dataclass(frozen=True)
class SimulatedPage:
    """One person through one contact method; `level` and `round` count from 1, `seconds` from the start."""

    at: datetime
    seconds: int
    level: int
    round: int
    step: int
    user_id: int
    name: str
    method_id: int
    channel: str


@dataclass(frozen=True)
class Happening:
    """One thing that would happen: `kind` is waits, paged, skipped, told, exhausted, ended or goes_on."""

    at: datetime
    seconds: int
    kind: str
    level: int
    round: int
    text: str
    pages: tuple[SimulatedPage, ...] = ()


@dataclass
class Simulation:
    """What would happen, in order. `outcome` is exhausted, auto_resolved or goes_on; `ended_at` is when."""

    policy: str
    at: datetime
    urgency: str
    happenings: list[Happening] = field(default_factory=list)
    outcome: str = "goes_on"
    ended_at: datetime | None = None

    @property
    def pages(self) -> list[SimulatedPage]:
        """Every page that would be sent, the earliest first."""
        pages = [page for happening in self.happenings for page in happening.pages]
        if self.outcome == "auto_resolved" and self.ended_at is not None:
            ended_at = self.ended_at
            pages = [page for page in pages if page.at < ended_at]
        return sorted(pages, key=lambda page: (page.at, page.level, page.round, page.step, page.user_id))

    def add(
        self,
        at: datetime,
        kind: str,
        text: str,
        *,
        level: int = -1,
        turn: int = -1,
        pages: tuple[SimulatedPage, ...] = (),
    ) -> None:
        """Appends a happening; `level` and `turn` as in a path, from 0."""
        self.happenings.append(Happening(at, self.seconds(at), kind, level + 1, turn + 1, text, pages))

    def seconds(self, at: datetime) -> int:
        """How long after the start an instant is."""
        return int((at - self.at).total_seconds())


def simulate(
    policy: EscalationPolicy, at: datetime, urgency: str = Urgency.HIGH, facts: Mapping[str, Any] | None = None
) -> Simulation:
    """What `start_escalation` with the same arguments would make of the policy as it is now, until it is exhausted.

    At most two weeks are simulated; what is repeated for ever is cut off after three rounds ("goes_on"). A constant
    number of queries.
    """
    facts = facts or {}
    path = freeze(policy, urgency=urgency, facts=facts, takes_turn=False)
    begins = first_due(policy, urgency, at)
    until = begins + min(longest(path), LONGEST)
    reach = Reach.of([path], begins, until)
    return walk_through(path, facts, at=at, begins=begins, until=until, roster_at=reach.at)


def walk_through(
    path: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    at: datetime,
    begins: datetime,
    until: datetime,
    roster_at: Callable[[datetime], Roster],
) -> Simulation:
    """Walks a path from `begins` on as the engine would that looks at it at each due time; pure."""
    found = Simulation(path["policy"], at, path["urgency"])
    lasts = path.get("auto_resolve_seconds")
    resolves_at = at + timedelta(seconds=lasts) if lasts else None
    if begins > at:
        found.add(at, "waits", "Low urgency: it waits for working hours")
    position, now = Position(), begins
    for _ in range(MOST_STEPS):
        if resolves_at and resolves_at <= now:
            found.outcome, found.ended_at = "auto_resolved", now
            found.add(now, "ended", "It ends by itself: it was open for as long as the policy allows")
            return found
        roster = roster_at(now)
        move = advance(path, position, facts, roster, now)
        _note(found, move, roster, now)
        if move.due_at is None:
            found.outcome, found.ended_at = "exhausted", now
            found.add(now, "exhausted", "Nobody answered: every level was tried")
            return found
        position = move.position
        due_at = earliest(move.due_at, resolves_at) or move.due_at
        is_for_ever = path["stages"][position.stage]["repeats"] == FOR_EVER
        if due_at > until or (is_for_ever and position.round + 1 >= ROUNDS_SHOWN and due_at == move.due_at):
            break
        now = due_at
    found.ended_at = now
    found.add(now, "goes_on", "It goes on like this until somebody answers")
    return found


def _note(found: Simulation, move: Move, roster: Roster, now: datetime) -> None:
    """What one step did, in the words of the ledger."""
    for happened in move.happened:
        if isinstance(happened, Skipped):
            kind = "skipped" if happened.is_whole else "missed"
            found.add(now, kind, happened.reason, level=happened.level, turn=happened.round)
        elif isinstance(happened, Told):
            found.add(now, "told", str(happened.target["name"]), level=happened.level, turn=happened.round)
        elif isinstance(happened, Paged):
            pages = tuple(
                SimulatedPage(
                    at=page.due_at,
                    seconds=found.seconds(page.due_at),
                    level=page.level + 1,
                    round=page.round + 1,
                    step=page.step,
                    user_id=page.user_id,
                    name=roster.person(page.user_id).name,
                    method_id=page.method.method_id,
                    channel=page.method.kind,
                )
                for page in move.pages
            )
            text = ", ".join(happened.names)
            found.add(now, "paged", text, level=happened.level, turn=happened.round, pages=pages)


def longest(path: Mapping[str, Any]) -> timedelta:
    """The longest that a path can take; of what is repeated for ever, the rounds that are shown."""
    total = timedelta(0)
    for stage in path["stages"]:
        levels = path["levels"][stage["first"] : stage["first"] + stage["count"]]
        rounds = ROUNDS_SHOWN if stage["repeats"] == FOR_EVER else stage["repeats"] + 1
        waits = (timedelta(seconds=level["timeout_seconds"]) or LAST_LEVEL_WAIT for level in levels)
        total += rounds * sum(waits, timedelta(0))
    return total
