"""Paging tests: promises that the configuration keeps, checked by simulation; no save may break one unnoticed.

What a test is about is a subject: an app above registers its own (a service, an alert's payload) with `subject`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish, publish_all
from events.errors import Conflict, Invalid, require
from oncall.models import EscalationPolicy, PagingTest, Schedule
from oncall.permissions import NOT_A_MANAGER, can_configure, can_run_paging_tests
from oncall.promises import ON_CALL, Expectation, Promise, moment_of, promise_of, read_file
from oncall.roster import on_call_at
from oncall.simulation import SimulatedPage, Simulation, simulate

CHECKER = Actor.system("Paging tests")
MOST_BROKEN_NAMED = 5

# From the promise and the instant to what would happen; raises Unknown when the subject is not there.
Subject = Callable[[Promise, datetime], Simulation]
_subjects: dict[str, Subject] = {}


class Unknown(Exception):
    """What a promise speaks of does not exist; the message says what."""


@dataclass(frozen=True)
class Outcome:
    """What came of a test: the instant that it looked at, and a line for each promise that does not hold."""

    name: str
    at: datetime | None
    broken: tuple[str, ...]
    is_unknown: bool = False

    @property
    def holds(self) -> bool:
        return not self.broken

    @property
    def kind(self) -> str:
        """How it is kept: holds, broken, or unknown when what the test is about is not there."""
        if self.holds:
            return PagingTest.Outcome.HOLDS
        return PagingTest.Outcome.UNKNOWN if self.is_unknown else PagingTest.Outcome.BROKEN


def subject(name: str) -> Callable[[Subject], Subject]:
    """Registers how what stands under the key `name` of a test is looked up and simulated."""

    def register(function: Subject) -> Subject:
        _subjects[name] = function
        return function

    return register


@subject("policy")
def _policy(promise: Promise, at: datetime) -> Simulation:
    policy = EscalationPolicy.objects.filter(Q(slug=promise.value) | Q(name__iexact=promise.value)).first()
    if policy is None:
        raise Unknown(f"there is no escalation policy {promise.value}")
    return simulate(policy, at, urgency=promise.urgency, facts=promise.facts)


# --- Running ----------------------------------------------------------------------------------------------------------


def run_test(spec: Any, now: datetime) -> Outcome:
    """Checks one entry of a paging tests file against the configuration as it is; raises Invalid for a bad entry."""
    promise = promise_of(spec, _subjects)
    at = moment_of(promise, now)
    try:
        found = _subjects[promise.subject](promise, at)
    except Unknown as error:
        return Outcome(promise.name, at, (str(error),), is_unknown=True)
    lines = [line for expectation in promise.expect if (line := _broken(expectation, found, at))]
    return Outcome(promise.name, at, tuple(lines))


def _broken(expectation: Expectation, found: Simulation, at: datetime) -> str:
    """Why an expectation does not hold; empty if it does."""
    try:
        people = _people(expectation.who, at)
    except Unknown as error:
        return f"expected that {expectation}, but {error}"
    for user_id, name in people:
        own = [page for page in found.pages if page.user_id == user_id]
        fitting = [page for page in own if _fits(page, expectation)]
        if bool(fitting) != expectation.is_paged:
            return f"expected that {expectation}, but {name} is {_instead(own, found)}"
    return ""


def _fits(page: SimulatedPage, expectation: Expectation) -> bool:
    is_soon = expectation.within is None or page.seconds <= expectation.within.total_seconds()
    return is_soon and expectation.by in {"", page.channel}


def _instead(own: Sequence[SimulatedPage], found: Simulation) -> str:
    if own:
        said = ", ".join(f"by {page.channel} after {_after(page)}" for page in own[:MOST_BROKEN_NAMED])
        return f"paged {said}"
    others = dict.fromkeys(page.name for page in found.pages)
    return f"not paged ({', '.join(others)} would be)" if others else "not paged, as nobody would be"


def _after(page: SimulatedPage) -> str:
    return f"{page.seconds // 60}:{page.seconds % 60:02}"


def _people(who: str, at: datetime) -> list[tuple[int, str]]:
    """Whom the words of an expectation mean; raises Unknown for nobody and for a name that several have."""
    on_call = ON_CALL.fullmatch(who)
    if on_call:
        wanted = on_call["schedule"].strip()
        schedule = Schedule.objects.filter(Q(slug=wanted) | Q(name__iexact=wanted)).first()
        if schedule is None:
            raise Unknown(f"there is no schedule {wanted}")
        people = on_call_at(at, {schedule.pk}).get(schedule.pk, [])
        if not people:
            raise Unknown(f"nobody is on call on {schedule} then")
        return [(user.pk, user.display_name) for user in people]
    found = list(User.objects.filter(Q(email__iexact=who) | Q(name__iexact=who), is_active=True)[:2])
    if len(found) != 1:
        raise Unknown(f"{'several people are' if found else 'nobody is'} called {who}")
    return [(found[0].pk, found[0].display_name)]


def run_stored(now: datetime) -> list[Outcome]:
    """The outcomes of the active tests, in the order of their names; nothing is kept."""
    return [outcome_of(test, now) for test in PagingTest.objects.filter(is_active=True)]


def outcome_of(test: PagingTest, now: datetime) -> Outcome:
    """What comes of a stored test now; one whose format nobody knows any more is unknown, not an error."""
    try:
        return run_test({**test.spec, "name": test.name}, now)
    except Invalid as error:
        return Outcome(test.name, None, (error.message,), is_unknown=True)


# --- Keeping what came of them ----------------------------------------------------------------------------------------


def check_paging_tests(now: datetime) -> int:
    """Checks every stored test, active or not, and keeps what comes of each; returns how many do not hold."""
    outcomes = _check(PagingTest.objects.all(), now=now, actor=CHECKER)
    return sum(not outcome.holds for outcome in outcomes)


def run_paging_tests(*, actor: Actor, tests: Iterable[PagingTest], now: datetime) -> list[Outcome]:
    """Checks these tests because somebody wants to know; what comes of them is kept and returned."""
    require(can_run_paging_tests(actor), "Viewers may not run paging tests.")
    return _check(tests, now=now, actor=actor)


def _check(tests: Iterable[PagingTest], *, now: datetime, actor: Actor) -> list[Outcome]:
    found = [(test, outcome_of(test, now)) for test in tests]
    keep_outcomes({test.pk: outcome for test, outcome in found}, now=now, actor=actor)
    return [outcome for _test, outcome in found]


@transaction.atomic
def keep_outcomes(found: Mapping[int, Outcome], *, now: datetime, actor: Actor) -> None:
    """Keeps what came of the tests of these ids, unless something newer is known.

    Publishes `paging_test.broke` for each active test that held and does not any more, `paging_test.mended` for each
    that holds again.
    """
    if not found:
        return
    newer = Q(checked_at__gt=now)
    rows = list(PagingTest.objects.select_for_update().filter(pk__in=found).exclude(newer).order_by("pk"))
    facts = []
    for row in rows:
        outcome, before = found[row.pk], row.outcome
        row.outcome, row.checked_at = outcome.kind, now
        row.looks_at, row.broken = outcome.at, list(outcome.broken)
        held, holds = before == PagingTest.Outcome.HOLDS, outcome.holds
        if row.is_active and before != PagingTest.Outcome.UNCHECKED and held != holds:
            name = "paging_test.mended" if holds else "paging_test.broke"
            facts.append(Fact(name, row, {"name": row.name, "broken": list(outcome.broken)}))
    PagingTest.objects.bulk_update(rows, ["outcome", "checked_at", "looks_at", "broken"])
    publish_all(facts, actor=actor)


# --- Guarding saves ---------------------------------------------------------------------------------------------------


def holding_tests(now: datetime) -> set[str]:
    """The names of the active tests that hold before something is saved."""
    return {outcome.name for outcome in run_stored(now) if outcome.holds}


def refuse_broken_tests(held: Collection[str], *, now: datetime, actor: Actor, override_reason: str = "") -> None:
    """Raises Conflict if what was just written, in the caller's transaction, breaks tests that held before.

    With a reason it is let through, and the reason is recorded with each test that it breaks. What comes of every
    active test is kept.
    """
    found = [(test, outcome_of(test, now)) for test in PagingTest.objects.filter(is_active=True)]
    broken = [(test, outcome) for test, outcome in found if not outcome.holds and test.name in held]
    if broken and not override_reason.strip():
        named = "; ".join(f"“{test.name}”: {outcome.broken[0]}" for test, outcome in broken[:MOST_BROKEN_NAMED])
        raise Conflict(
            f"This breaks {'a paging test' if len(broken) == 1 else f'{len(broken)} paging tests'}: {named}.",
            code="breaks_paging_tests",
            field="override_reason",
            remedy="Change it, mend the test, or give a reason to save it all the same.",
        )
    keep_outcomes({test.pk: outcome for test, outcome in found}, now=now, actor=actor)
    for test, outcome in broken:
        data = {"name": outcome.name, "reason": override_reason.strip()[:500], "broken": list(outcome.broken)}
        publish("paging_test.overridden", subject=test, actor=actor, data=data)


# --- Storing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_paging_test(
    *, actor: Actor, name: str, spec: Any, now: datetime, test: PagingTest | None = None, is_active: bool = True
) -> PagingTest:
    """Stores a test or changes one, and checks it; `spec` is an entry of a paging tests file, its name is `name`.

    Whoever writes it first is its author: they hear when it begins to fail.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    promise = promise_of({**spec, "name": name} if isinstance(spec, dict) else spec, _subjects)
    same = PagingTest.objects.filter(name__iexact=promise.name)
    if (same.exclude(pk=test.pk) if test else same).exists():
        raise Conflict(f"{promise.name} is taken.", field="name", remedy="Choose another name.")
    created = test is None
    test = test or PagingTest(author_id=actor.user_id)
    test.name, test.is_active = promise.name, is_active
    test.spec = {key: value for key, value in spec.items() if key != "name"}
    test.save()
    event = "paging_test.created" if created else "paging_test.changed"
    publish(event, subject=test, actor=actor, data={"name": test.name, "is_active": is_active})
    _check([test], now=now, actor=actor)
    test.refresh_from_db()
    return test


@transaction.atomic
def remove_paging_test(*, actor: Actor, test: PagingTest) -> None:
    """Takes a test away: nothing guards its promise any more."""
    require(can_configure(actor), NOT_A_MANAGER)
    publish("paging_test.removed", subject=test, actor=actor, data={"name": test.name})
    test.delete()


@transaction.atomic
def store_file(*, actor: Actor, text: str, now: datetime) -> list[PagingTest]:
    """Stores every entry of a paging tests file, in the place of the tests of the same names."""
    stored = {test.name: test for test in PagingTest.objects.select_for_update()}
    return [
        save_paging_test(actor=actor, name=entry["name"], spec=entry, now=now, test=stored.get(entry["name"]))
        for entry in entries_of(text)
    ]


def entries_of(text: str) -> list[dict[str, Any]]:
    """The entries of a paging tests file, checked."""
    return read_file(text, _subjects)


def describe(outcome: Outcome) -> list[str]:
    """An outcome as lines for a terminal."""
    when = f" ({outcome.at:%Y-%m-%d %H:%M} UTC)" if outcome.at else ""
    if outcome.holds:
        return [f"ok      {outcome.name}{when}"]
    return [f"BROKEN  {outcome.name}{when}: {line}" for line in outcome.broken]
