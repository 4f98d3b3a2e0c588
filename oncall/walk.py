"""How an escalation walks its frozen path: the same pure function pages for real and in a simulation.

A path is JSON, made by oncall/paths.py when the escalation starts:

    {"policy": name, "urgency": "high", "zone": "Europe/Berlin", "turn": 17,
     "levels": [{"timeout_seconds": 300, "condition": {…}, "answers_needed": 1, "is_round_robin": false,
                 "targets": [{"type": "schedule", "id": 3, "name": "Primary"}, …]}, …],
     "stages": [{"first": 0, "count": 3, "repeats": 1}, {"first": 3, "count": 1, "repeats": -1}],
     "acknowledgement_seconds": 600, "auto_resolve_seconds": null, "digest": false}

Stages are walked one after the other, each `repeats` times again (-1: for ever): the policy itself, then what follows
when it is exhausted. A level whose condition does not hold, or at which nobody can be reached, never waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from events.conditions import holds
from oncall.windows import instant_of

LAST_LEVEL_WAIT = timedelta(minutes=30)
FOR_EVER = -1
MOST_ROUNDS = 30_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TELLS = {"chat", "webhook"}


@dataclass(frozen=True)
class Method:
    """A usable contact method."""

    method_id: int
    kind: str
    address: str


@dataclass(frozen=True)
class Person:
    """A person as paging sees them: usable methods, and for each urgency when which of them is used.

    `rules` are (minutes after the page was decided, method id). Quiet hours and the digest's time are of `zone`.
    """

    user_id: int
    name: str
    zone: ZoneInfo
    methods: tuple[Method, ...] = ()
    rules: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    quiet: tuple[time, time] | None = None
    digest_at: time = time(9)


@dataclass(frozen=True)
class Position:
    """Where an escalation stands: the level that is looked at next."""

    stage: int = 0
    level: int = 0
    round: int = 0


@dataclass(frozen=True)
class PlannedPage:
    """One person through one method at one instant."""

    level: int
    round: int
    user_id: int
    step: int
    method: Method
    due_at: datetime


@dataclass(frozen=True)
class Paged:
    """A level at which people are paged, in order; `shadows` are told that it happened."""

    level: int
    round: int
    user_ids: tuple[int, ...]
    names: tuple[str, ...]
    shadows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A level that was passed over (`is_whole`), or somebody at it who could not be paged; `reason` says why."""

    level: int
    round: int
    reason: str
    is_whole: bool


@dataclass(frozen=True)
class Told:
    """A place that is told and not asked: a chat channel, a webhook."""

    level: int
    round: int
    target: Mapping[str, Any]


@dataclass
class Move:
    """What one step does. `due_at` is when to look again; None once the path is exhausted."""

    position: Position
    due_at: datetime | None
    pages: list[PlannedPage] = field(default_factory=list)
    happened: list[Paged | Skipped | Told] = field(default_factory=list)


class Roster(Protocol):
    """Who is behind a target at the instant of the walk."""

    def reach(self, target: Mapping[str, Any]) -> tuple[Sequence[int], str]:
        """The ids of the people behind a target in a stable order, and why there is nobody if so."""

    def person(self, user_id: int) -> Person:
        """Somebody whom `reach` named."""

    def shadows(self, target: Mapping[str, Any]) -> Sequence[int]:
        """Who is only told when that target is paged."""

    def working_hours(self) -> Mapping[str, bool]:
        """By the slugs of the schedules that the path and its conditions name."""


def advance(
    path: Mapping[str, Any], position: Position, facts: Mapping[str, Any], roster: Roster, now: datetime
) -> Move:
    """Pages the next level at which somebody can be reached; when every level has just been skipped, the stage ends."""
    levels, stages = path["levels"], path["stages"]
    known = {**facts, **clock_facts(path, now), "working_hours": roster.working_hours()}
    move = Move(position, None)
    stage, level, turn = position.stage, position.level, position.round
    skipped = 0
    while stage < len(stages):
        first, count, repeats = (stages[stage][name] for name in ("first", "count", "repeats"))
        if level >= first + count:
            if skipped >= count or (turn >= repeats if repeats != FOR_EVER else turn >= MOST_ROUNDS):
                stage, turn, skipped = stage + 1, 0, 0
                level = stages[stage]["first"] if stage < len(stages) else level
            else:
                level, turn = first, turn + 1
            continue
        number, level = level, level + 1
        if _page_level(path, number, turn, known, roster, now=now, move=move):
            wait = timedelta(seconds=levels[number]["timeout_seconds"])
            is_last = level >= first + count and turn >= repeats != FOR_EVER and stage == len(stages) - 1
            move.position = Position(stage, level, turn)
            move.due_at = now + (LAST_LEVEL_WAIT if not wait and (is_last or repeats == FOR_EVER) else wait)
            return move
        skipped += 1
    move.position = Position(stage, level, turn)
    return move


def clock_facts(path: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a level's condition may ask of the clock, in the path's zone, and of the escalation itself."""
    local = now.astimezone(ZoneInfo(path.get("zone") or "UTC"))
    return {
        "urgency": path.get("urgency", "high"),
        "weekday": WEEKDAYS[local.weekday()],
        "hour": local.hour,
        "time": f"{local:%H:%M}",
    }


def _page_level(
    path: Mapping[str, Any],
    number: int,
    turn: int,
    facts: Mapping[str, Any],
    roster: Roster,
    *,
    now: datetime,
    move: Move,
) -> bool:
    """Decides the pages of one level; False if there is nobody to wait for."""
    level = path["levels"][number]
    condition = level.get("condition") or {}
    if condition and not holds(condition, facts):
        move.happened.append(Skipped(number, turn, "its condition does not hold", is_whole=True))
        return False
    told = [Told(number, turn, target) for target in level["targets"] if target["type"] in TELLS]
    reached, shadows, reasons = _reached(level, path.get("turn", 0) + turn, roster)
    if not level["targets"]:
        reasons = ["it has no targets"]
    if reasons:
        reason = "; ".join(dict.fromkeys(reasons))
        move.happened.append(Skipped(number, turn, reason, is_whole=not reached and not told))
    if reached:
        names = tuple(person.name for person in reached)
        user_ids = tuple(person.user_id for person in reached)
        told_too = tuple(user_id for user_id in dict.fromkeys(shadows) if user_id not in user_ids)
        move.happened.append(Paged(number, turn, user_ids, names, told_too))
    move.happened += told
    for person in reached:
        move.pages += planned_pages(path, person, number, turn, now)
    return bool(reached or told)


def _reached(level: Mapping[str, Any], turn: int, roster: Roster) -> tuple[list[Person], list[int], list[str]]:
    """The people of a level who can be reached, those who shadow them, and why others cannot."""
    reached: dict[int, Person] = {}
    reasons: list[str] = []
    shadows: list[int] = []
    for target in level["targets"]:
        if target["type"] in TELLS:
            continue
        user_ids, reason = roster.reach(target)
        if reason:
            reasons.append(reason)
        for user_id in user_ids:
            person = roster.person(user_id)
            if person.methods:
                reached[user_id] = person
            else:
                reasons.append(f"{person.name} has no usable contact method")
        if any(user_id in reached for user_id in user_ids):
            shadows += roster.shadows(target)
    if level.get("is_round_robin") and reached:
        candidates = list(reached.values())
        return [candidates[turn % len(candidates)]], shadows, reasons
    return list(reached.values()), shadows, reasons


def planned_pages(path: Mapping[str, Any], person: Person, level: int, turn: int, now: datetime) -> list[PlannedPage]:
    """When a person is paged through what: by their rules for the urgency, or through everything at once without any.

    Low urgency keeps quiet hours; in a digest it waits for the person's time of day.
    """
    urgency = path.get("urgency", "high")
    methods = {method.method_id: method for method in person.methods}
    rules = [(minutes, methods[pk]) for minutes, pk in person.rules.get(urgency, ()) if pk in methods]
    steps = rules or [(0, method) for method in person.methods]
    pages = []
    for step, (minutes, method) in enumerate(steps):
        due_at = now + timedelta(minutes=minutes)
        if urgency == "low":
            due_at = next_time(person, due_at, person.digest_at) if path.get("digest") else after_quiet(person, due_at)
        pages.append(PlannedPage(level, turn, person.user_id, step, method, due_at))
    return pages


def after_quiet(person: Person, at: datetime) -> datetime:
    """The instant itself, or the end of the person's quiet hours that hold it."""
    if person.quiet is None:
        return at
    start, end = person.quiet
    clock = at.astimezone(person.zone).time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    return next_time(person, at, end) if is_quiet else at


def next_time(person: Person, at: datetime, clock: time) -> datetime:
    """The next instant, from `at` on, at which the person's clock shows that time."""
    today = at.astimezone(person.zone).date()
    candidate = instant_of(today, clock, person.zone)
    return candidate if candidate >= at else instant_of(today + timedelta(days=1), clock, person.zone)
