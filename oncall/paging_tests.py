"""Paging tests: promises that the configuration keeps, checked by simulation; no save may break one unnoticed.

What a test is about is a subject: an app above registers its own (a service, an alert's payload) with `subject`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall.models import EscalationPolicy, PagingTest, Schedule
from oncall.permissions import NOT_A_MANAGER, can_configure
from oncall.promises import ON_CALL, Expectation, Promise, moment_of, promise_of, read_file
from oncall.roster import on_call_at
from oncall.simulation import SimulatedPage, Simulation, simulate

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

    @property
    def holds(self) -> bool:
        return not self.broken


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
        return Outcome(promise.name, at, (str(error),))
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


def run_stored(now: datetime, *, only: Collection[str] | None = None) -> list[Outcome]:
    """The outcomes of the active tests (or of those of these names), in the order of their names."""
    tests = PagingTest.objects.filter(is_active=True)
    if only is not None:
        tests = tests.filter(name__in=only)
    return [outcome_of(test, now) for test in tests]


def outcome_of(test: PagingTest, now: datetime) -> Outcome:
    """What comes of a stored test now; one whose format nobody knows any more is broken, not an error."""
    try:
        return run_test({**test.spec, "name": test.name}, now)
    except Invalid as error:
        return Outcome(test.name, None, (error.message,))


# --- Guarding saves ---------------------------------------------------------------------------------------------------


def holding_tests(now: datetime) -> set[str]:
    """The names of the active tests that hold before something is saved."""
    return {outcome.name for outcome in run_stored(now) if outcome.holds}


def refuse_broken_tests(held: Collection[str], *, now: datetime, actor: Actor, override_reason: str = "") -> None:
    """Raises Conflict if what was just written, in the caller's transaction, breaks tests that held before.

    With a reason it is let through, and the reason is recorded with each test that it breaks.
    """
    if not held:
        return
    broken = [outcome for outcome in run_stored(now, only=held) if not outcome.holds]
    if not broken:
        return
    if not override_reason.strip():
        named = "; ".join(f"“{outcome.name}”: {outcome.broken[0]}" for outcome in broken[:MOST_BROKEN_NAMED])
        raise Conflict(
            f"This breaks {'a paging test' if len(broken) == 1 else f'{len(broken)} paging tests'}: {named}.",
            code="breaks_paging_tests",
            field="override_reason",
            remedy="Change it, mend the test, or give a reason to save it all the same.",
        )
    tests = {test.name: test for test in PagingTest.objects.filter(name__in=[outcome.name for outcome in broken])}
    for outcome in broken:
        data = {"name": outcome.name, "reason": override_reason.strip()[:500], "broken": list(outcome.broken)}
        publish("paging_test.overridden", subject=tests[outcome.name], actor=actor, data=data)


# --- Storing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_paging_test(
    *, actor: Actor, name: str, spec: Any, test: PagingTest | None = None, is_active: bool = True
) -> PagingTest:
    """Stores a test or changes one; `spec` is an entry of a paging tests file, its name is `name`."""
    require(can_configure(actor), NOT_A_MANAGER)
    promise = promise_of({**spec, "name": name} if isinstance(spec, dict) else spec, _subjects)
    same = PagingTest.objects.filter(name__iexact=promise.name)
    if (same.exclude(pk=test.pk) if test else same).exists():
        raise Conflict(f"{promise.name} is taken.", field="name", remedy="Choose another name.")
    created = test is None
    test = test or PagingTest()
    test.name, test.is_active = promise.name, is_active
    test.spec = {key: value for key, value in spec.items() if key != "name"}
    test.save()
    event = "paging_test.created" if created else "paging_test.changed"
    publish(event, subject=test, actor=actor, data={"name": test.name, "is_active": is_active})
    return test


@transaction.atomic
def remove_paging_test(*, actor: Actor, test: PagingTest) -> None:
    """Takes a test away: nothing guards its promise any more."""
    require(can_configure(actor), NOT_A_MANAGER)
    publish("paging_test.removed", subject=test, actor=actor, data={"name": test.name})
    test.delete()


@transaction.atomic
def store_file(*, actor: Actor, text: str) -> list[PagingTest]:
    """Stores every entry of a paging tests file, in the place of the tests of the same names."""
    stored = {test.name: test for test in PagingTest.objects.select_for_update()}
    return [
        save_paging_test(actor=actor, name=entry["name"], spec=entry, test=stored.get(entry["name"]))
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
