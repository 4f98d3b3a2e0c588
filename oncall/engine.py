"""The paging clock: it finds the escalations that are due, pages their next level, and moves them on.

Due times live in the database. A tick claims with SKIP LOCKED, so any number of engines may run, and one that dies
leaves nothing half done: its transaction never happened.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish_all
from events.poke import poke
from oncall.ledger import CHAIN_FIELDS, ledger_line
from oncall.models import ContactMethod, EngineBeat, Escalation, EscalationEntry, Page
from oncall.roster import schedule_specs, usable_methods
from oncall.rota import who_is_on_call

SEND_PAGES = "oncall.send_pages"
BEAT_EVERY = timedelta(seconds=1)
LAST_LEVEL_WAIT = timedelta(minutes=30)
ENGINE = Actor.system("Paging engine")
Kind = EscalationEntry.Kind


@dataclass(frozen=True)
class Roster:
    """Everything that one tick needs to know of people and schedules."""

    on_call: dict[int, tuple[int, ...]]
    people: dict[int, User]
    methods: dict[int, list[ContactMethod]]

    def reach(self, target: dict[str, Any]) -> tuple[list[int], str]:
        """The ids of the people behind a target, and why there is nobody if so."""
        if target["type"] == "schedule":
            user_ids = [user_id for user_id in self.on_call.get(target["id"], ()) if user_id in self.people]
            return user_ids, "" if user_ids else f"nobody is on call on {target['name']}"
        if target["id"] in self.people:
            return [target["id"]], ""
        return [], f"{target['name']} is no longer active"


@dataclass
class Moves:
    """What one tick decided, gathered so that it is written in a constant number of statements."""

    now: datetime
    pages: list[Page] = field(default_factory=list)
    entries: list[EscalationEntry] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def record(
        self, escalation: Escalation, kind: Kind, text: str, data: dict[str, Any], *, fact: str, **more: Any
    ) -> None:
        """A line of the ledger and the fact that goes with it."""
        self.entries.append(ledger_line(escalation, kind, text, self.now, actor=ENGINE, data=data))
        self.facts.append(Fact(fact, escalation, {**data, **more}))


def tick(now: datetime, *, limit: int = 200) -> int:
    """Moves every escalation that is due at `now` by one step and returns how many there were (at most `limit`)."""
    with transaction.atomic():
        due = list(
            Escalation.objects.select_for_update(skip_locked=True)
            .filter(status=Escalation.Status.TRIGGERED, due_at__lte=now)
            .order_by("due_at")[:limit]
        )
        if due:
            roster = _roster(due, now)
            moves = Moves(now)
            for escalation in due:
                _advance(escalation, roster, moves)
            _write(due, moves)
    beat("tick", now)
    return len(due)


def _roster(due: Iterable[Escalation], now: datetime) -> Roster:
    targets = [target for escalation in due for level in escalation.path["levels"] for target in level["targets"]]
    schedule_ids = {target["id"] for target in targets if target["type"] == "schedule"}
    on_call = {pk: who_is_on_call(spec, now) for pk, spec in schedule_specs(now, now, schedule_ids).items()}
    user_ids = {target["id"] for target in targets if target["type"] == "user"}
    user_ids.update(user_id for ids in on_call.values() for user_id in ids)
    people = {user.pk: user for user in User.objects.filter(id__in=user_ids, is_active=True)}
    return Roster(on_call, people, usable_methods(user_ids))


def _write(due: list[Escalation], moves: Moves) -> None:
    Escalation.objects.bulk_update(due, ["level", "round", "status", "due_at", "ended_at", "outcome", *CHAIN_FIELDS])
    Page.objects.bulk_create(moves.pages, ignore_conflicts=True)
    EscalationEntry.objects.bulk_create(moves.entries)
    publish_all(moves.facts, actor=ENGINE)
    if moves.pages:
        poke(SEND_PAGES)


def _advance(escalation: Escalation, roster: Roster, moves: Moves) -> None:
    """Pages the next level at which somebody can be reached; levels with nobody are skipped at once.

    When every level has just been skipped, walking them again at once would find nobody either: that ends it.
    """
    levels = escalation.path["levels"]
    skipped = 0
    while True:
        if escalation.level >= len(levels):
            if escalation.round >= escalation.path["stages"][0]["repeats"] or skipped >= len(levels):
                _exhaust(escalation, moves)
                return
            escalation.level, escalation.round = 0, escalation.round + 1
        number = escalation.level
        escalation.level += 1
        if _page_level(escalation, number, roster, moves):
            wait = timedelta(seconds=levels[number]["timeout_seconds"])
            is_last = escalation.level >= len(levels) and escalation.round >= escalation.path["stages"][0]["repeats"]
            escalation.due_at = moves.now + (LAST_LEVEL_WAIT if is_last and not wait else wait)
            return
        skipped += 1


def _page_level(escalation: Escalation, number: int, roster: Roster, moves: Moves) -> bool:
    """Decides the pages of one level; False if nobody can be reached there."""
    reasons: list[str] = []
    reached: dict[int, list[ContactMethod]] = {}
    for target in escalation.path["levels"][number]["targets"]:
        user_ids, reason = roster.reach(target)
        if reason:
            reasons.append(reason)
        for user_id in user_ids:
            methods = roster.methods.get(user_id, [])
            if methods:
                reached[user_id] = methods
            else:
                reasons.append(f"{roster.people[user_id].display_name} has no usable contact method")
    data: dict[str, Any] = {"level": number, "round": escalation.round}
    if reasons or not reached:
        why = "; ".join(dict.fromkeys(reasons)) or "it has no targets"
        word = "level skipped" if not reached else "not everybody was paged"
        text = f"Level {number + 1}: {word}: {why}"
        moves.record(escalation, Kind.SKIPPED, text, data, fact="escalation.level_skipped", reason=why)
    if not reached:
        return False
    moves.pages += [
        Page(
            escalation=escalation,
            level=number,
            round=escalation.round,
            user_id=user_id,
            contact_method=method,
            channel=method.kind,
            address=method.address,
            due_at=moves.now,
            created_at=moves.now,
        )
        for user_id, methods in reached.items()
        for method in methods
    ]
    names = ", ".join(roster.people[user_id].display_name for user_id in reached)
    data = {**data, "users": list(reached)}
    text = f"Level {number + 1}: paging {names}"
    moves.record(escalation, Kind.PAGED, text, data, fact="escalation.level_paged", names=names)
    return True


def _exhaust(escalation: Escalation, moves: Moves) -> None:
    escalation.status = Escalation.Status.EXHAUSTED
    escalation.outcome = Escalation.Outcome.EXHAUSTED
    escalation.due_at = None
    escalation.ended_at = moves.now
    text = "Nobody answered: every level was tried"
    moves.record(escalation, Kind.EXHAUSTED, text, {}, fact="escalation.exhausted")


def beat(name: str, now: datetime) -> None:
    """Records that an engine has done its round, at most once a second."""
    if not EngineBeat.objects.filter(name=name, beat_at__lt=now - BEAT_EVERY).update(beat_at=now):
        EngineBeat.objects.get_or_create(name=name, defaults={"beat_at": now})


def heartbeat_age(now: datetime) -> timedelta | None:
    """How long ago the engine last did its round; None if it never has."""
    last = EngineBeat.objects.filter(name="tick").values_list("beat_at", flat=True).first()
    return now - last if last else None


def overdue(now: datetime, *, grace: timedelta = timedelta(seconds=30)) -> int:
    """How many open escalations should have been looked at and were not."""
    return Escalation.objects.filter(status=Escalation.Status.TRIGGERED, due_at__lt=now - grace).count()
