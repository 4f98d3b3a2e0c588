"""The paging clock walks the frozen path by its due times and pages each person once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import change_user
from accounts.models import User
from events.models import Event
from oncall.actions import acknowledge_escalation
from oncall.engine import beat, heartbeat_age, overdue, tick
from oncall.models import ContactMethod, Escalation, EscalationEntry, Page
from oncall.policies import save_policy
from oncall.tasks import tick_task
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """A Tuesday noon; schedules hand over on Mondays at 09:00."""
    return datetime(2026, 3, 10, 12, tzinfo=UTC)


def reachable(name: str = "Ana") -> User:
    person = user(name=name)
    oncall.contact_method(person)
    return person


def pages_of(escalation: Escalation) -> list[tuple[int, int, str]]:
    return list(escalation.pages.order_by("id").values_list("round", "level", "user__name"))


def ledger(escalation: Escalation) -> list[str]:
    return list(escalation.entries.values_list("text", flat=True))


def test_the_first_level_is_paged_at_once(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable()), now=now)
    assert tick(now) == 1
    assert pages_of(escalation) == [(0, 0, "Ana")]
    escalation.refresh_from_db()
    assert (escalation.level, escalation.due_at) == (1, now + 5 * MINUTE)


def test_whoever_is_on_call_at_that_instant_is_paged(now: datetime) -> None:
    schedule = oncall.schedule(reachable("Ana"), reachable("Bob"))
    first = oncall.escalation(oncall.level(schedule), now=now)
    tick(now)
    second = oncall.escalation(oncall.level(schedule), now=now + timedelta(days=7))
    tick(now + timedelta(days=7))
    assert [pages_of(first)[0][2], pages_of(second)[0][2]] == ["Bob", "Ana"]


def test_the_next_level_is_paged_when_its_time_has_come_and_not_before(now: datetime) -> None:
    levels = [oncall.level(reachable("Ana")), oncall.level(reachable("Bob"))]
    escalation = oncall.escalation(*levels, now=now)
    tick(now)
    assert tick(now + 5 * MINUTE - timedelta(seconds=1)) == 0
    assert tick(now + 5 * MINUTE) == 1
    assert pages_of(escalation) == [(0, 0, "Ana"), (0, 1, "Bob")]


def test_a_late_engine_pages_each_level_once_and_waits_its_full_time(now: datetime) -> None:
    levels = [oncall.level(reachable("Ana")), oncall.level(reachable("Bob")), oncall.level(reachable("Dan"))]
    escalation = oncall.escalation(*levels, now=now)
    tick(now)
    late = now + timedelta(hours=3)
    assert [tick(late), tick(late)] == [1, 0]
    assert pages_of(escalation) == [(0, 0, "Ana"), (0, 1, "Bob")]


def test_a_level_with_nobody_reachable_is_skipped_at_once_and_recorded(now: datetime) -> None:
    unreachable = user(name="Eve")
    empty = oncall.schedule()
    escalation = oncall.escalation(oncall.level(empty, unreachable), oncall.level(reachable("Ana")), now=now)
    tick(now)
    assert pages_of(escalation) == [(0, 1, "Ana")]
    assert ledger(escalation)[1:] == [
        f"Level 1: level skipped: nobody is on call on {empty}; Eve has no usable contact method",
        "Level 2: paging Ana",
    ]
    assert Event.objects.filter(name="escalation.level_skipped", subject_id=escalation.pk).count() == 1


@pytest.mark.parametrize("state", [{"is_enabled": False}, {"verified_at": None}, {"broken_reason": "no such mailbox"}])
def test_a_contact_method_that_is_off_unverified_or_broken_reaches_nobody(
    now: datetime, state: dict[str, object]
) -> None:
    person = reachable()
    ContactMethod.objects.update(**state)
    escalation = oncall.escalation(oncall.level(person), now=now)
    tick(now)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.EXHAUSTED


def test_a_level_pages_everybody_it_can_and_says_whom_it_can_not(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable("Ana"), user(name="Eve")), now=now)
    tick(now)
    assert pages_of(escalation) == [(0, 0, "Ana")]
    assert ledger(escalation)[1:] == [
        "Level 1: not everybody was paged: Eve has no usable contact method",
        "Level 1: paging Ana",
    ]


def test_a_person_is_paged_through_each_of_their_contact_methods_once(now: datetime) -> None:
    ana = reachable()
    oncall.contact_method(ana, "web")
    schedule = oncall.schedule(ana)
    escalation = oncall.escalation(oncall.level(schedule, ana), now=now)
    tick(now)
    assert list(escalation.pages.values_list("channel", flat=True)) == ["email", "web"]


def test_the_levels_are_repeated_as_often_as_the_policy_says_and_then_it_is_exhausted(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable("Ana")), oncall.level(reachable("Bob")), now=now, repeats=1)
    for step in range(5):
        assert tick(now + step * 5 * MINUTE) == 1
    assert pages_of(escalation) == [(0, 0, "Ana"), (0, 1, "Bob"), (1, 0, "Ana"), (1, 1, "Bob")]
    escalation.refresh_from_db()
    assert (escalation.status, escalation.due_at) == (Escalation.Status.EXHAUSTED, None)
    assert escalation.ended_at == now + 20 * MINUTE
    assert Event.objects.filter(name="escalation.exhausted", subject_id=escalation.pk).exists()


def test_an_escalation_that_reaches_nobody_is_exhausted_at_once_however_often_it_repeats(
    now: datetime,
) -> None:
    escalation = oncall.escalation(oncall.level(user()), oncall.level(user()), now=now, repeats=20)
    tick(now)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.EXHAUSTED
    kinds = list(escalation.entries.values_list("kind", flat=True))
    assert kinds == ["started", "skipped", "skipped", "exhausted"]


def test_a_last_level_without_a_timeout_still_waits_for_an_answer(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable(), minutes=0), now=now)
    tick(now)
    escalation.refresh_from_db()
    assert escalation.due_at == now + 30 * MINUTE


def test_a_running_escalation_keeps_its_path_when_the_policy_is_changed(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable("Ana")), oncall.level(reachable("Bob")), now=now)
    policy = escalation.policy
    assert policy
    save_policy(
        actor=oncall.SYSTEM,
        policy=policy,
        name="Other",
        slug=policy.slug,
        levels=[oncall.level(reachable("Dan"))],
        now=now,
    )
    tick(now)
    tick(now + 5 * MINUTE)
    assert pages_of(escalation) == [(0, 0, "Ana"), (0, 1, "Bob")]


def test_somebody_who_left_is_skipped_and_moves_nobody_elses_turn(now: datetime) -> None:
    ana, bob, dan = reachable("Ana"), reachable("Bob"), reachable("Dan")
    schedule = oncall.schedule(ana, bob, dan)
    change_user(actor=oncall.SYSTEM, user=ana, is_active=False, now=datetime(2026, 1, 5, 12, tzinfo=UTC))
    for week, name in enumerate(["Bob", "Bob", "Dan"]):
        at = datetime(2026, 1, 6, 12, tzinfo=UTC) + timedelta(weeks=week)
        escalation = oncall.escalation(oncall.level(schedule), now=at)
        tick(at)
        assert pages_of(escalation) == [(0, 0, name)]
    direct = oncall.escalation(oncall.level(ana), now=now)
    tick(now)
    assert ledger(direct)[1] == "Level 1: level skipped: Ana is no longer active"


def test_an_acknowledged_escalation_is_left_alone(now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(reachable("Ana")), oncall.level(reachable("Bob")), now=now)
    tick(now)
    acknowledge_escalation(actor=actor(), escalation=escalation, now=now + MINUTE)
    assert tick(now + timedelta(days=1)) == 0
    assert pages_of(escalation) == [(0, 0, "Ana")]


def test_a_tick_takes_at_most_its_limit_the_longest_due_first(now: datetime) -> None:
    person = reachable()
    newer = oncall.escalation(oncall.level(person), now=now)
    older = oncall.escalation(oncall.level(person), now=now - MINUTE)
    assert tick(now, limit=1) == 1
    assert (older.pages.count(), newer.pages.count()) == (1, 0)


def statements_of_a_tick(number: int, at: datetime) -> int:
    people = [reachable() for _ in range(number)]
    for person in people:
        oncall.escalation(oncall.level(oncall.schedule(person), user(), person), now=at)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert tick(at) == number
    return len(captured)


def test_a_tick_needs_as_many_statements_for_twenty_escalations_as_for_two(now: datetime) -> None:
    tick(now - MINUTE)
    assert statements_of_a_tick(2, now) == statements_of_a_tick(20, now + MINUTE) <= 16


def test_the_engine_proves_that_it_is_alive_and_tells_what_it_missed(now: datetime) -> None:
    assert heartbeat_age(now) is None
    beat("tick", now)
    beat("tick", now + timedelta(milliseconds=900))
    assert heartbeat_age(now + timedelta(seconds=9)) == timedelta(seconds=9), "written once a second"
    tick_task()
    age = heartbeat_age(timezone.now())
    assert age is not None
    assert age < timedelta(minutes=1)
    oncall.escalation(oncall.level(reachable()), now=now)
    assert overdue(now + timedelta(seconds=29)) == 0
    assert overdue(now + timedelta(seconds=31)) == 1


def test_a_beat_tells_how_long_none_was_done_before(now: datetime) -> None:
    pauses = [beat("tick", now + timedelta(seconds=second)) for second in (0, 0.5, 1.5, 301.5)]
    assert pauses == [timedelta(seconds=second) for second in (0, 0, 1.5, 300)]


@pytest.mark.django_db(transaction=True)
def test_after_a_long_pause_paging_is_audited_anew(valkey: redis.Redis, now: datetime) -> None:
    beat("tick", now)
    tick_task()
    [queued] = valkey.lrange("default", 0, -1)
    assert b"audit.audit_pages" in queued
    tick_task()
    assert valkey.llen("default") == 1


@pytest.mark.django_db(transaction=True)
def test_two_engines_at_once_page_each_escalation_exactly_once(now: datetime) -> None:
    person = reachable()
    policy = oncall.policy(oncall.level(person))
    started = [oncall.escalation(oncall.level(person), now=now) for _ in range(30)]
    assert policy
    moved: list[int] = []
    together = threading.Barrier(2)

    def engine() -> None:
        together.wait()
        try:
            while count := tick(now, limit=4):
                moved.append(count)
        finally:
            connection.close()

    engines = [threading.Thread(target=engine) for _ in range(2)]
    for thread in engines:
        thread.start()
    for thread in engines:
        thread.join()
    # One may have found everything claimed for a moment and have stopped early; nobody does a thing twice.
    while count := tick(now):
        moved.append(count)
    assert sum(moved) == 30
    assert Page.objects.count() == 30
    assert EscalationEntry.objects.filter(kind="paged").count() == 30
    assert {escalation.pages.count() for escalation in started} == {1}


@pytest.mark.django_db(transaction=True)
def test_an_engine_leaves_out_what_another_one_holds(now: datetime) -> None:
    held = oncall.escalation(oncall.level(reachable()), now=now)
    free = oncall.escalation(oncall.level(reachable()), now=now)
    done = threading.Event()

    def other_engine() -> None:
        tick(now)
        connection.close()
        done.set()

    with transaction.atomic():
        Escalation.objects.select_for_update().get(pk=held.pk)
        threading.Thread(target=other_engine).start()
        assert done.wait(10)
        assert (held.pages.count(), free.pages.count()) == (0, 1)
    assert tick(now) == 1
    assert held.pages.count() == 1
