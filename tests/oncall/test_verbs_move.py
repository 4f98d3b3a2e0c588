"""Moving an escalation on: to the next level now, to other people, to a later time, and back to paging."""

from datetime import timedelta

import pytest

from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from oncall.actions import (
    acknowledge_escalation,
    escalate_now,
    keep_acknowledged,
    page_again,
    reassign_escalation,
    resolve_escalation,
    snooze_escalation,
)
from oncall.engine import tick
from oncall.models import Escalation, Page
from oncall.sending import send_due
from tests.factories.accounts import actor, user
from tests.oncall.ladders import MINUTE, NOON, ladder, ledger, paged, reachable, rung, running

pytestmark = pytest.mark.django_db
Status = Escalation.Status
SOON = NOON + MINUTE


def after(escalation: Escalation, minutes: float) -> Escalation:
    """The escalation once the engine has done its round at that time."""
    tick(NOON + minutes * MINUTE)
    escalation.refresh_from_db()
    return escalation


# --- Escalate now -----------------------------------------------------------------------------------------------------


def test_the_next_level_is_paged_now_and_not_when_its_time_comes() -> None:
    escalation = running(ladder(rung(reachable("Ana")), rung(reachable("Bob"))))
    escalate_now(actor=actor(name="Mia"), escalation=escalation, now=SOON)
    assert after(escalation, 1).due_at == SOON + 5 * MINUTE
    assert paged(escalation) == [(1, "Ana"), (2, "Bob")]
    assert "Mia escalated to the next level" in ledger(escalation)


def test_who_has_it_hands_it_on_by_escalating() -> None:
    escalation = running(ladder(rung(reachable("Ana")), rung(reachable("Bob"))))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    escalate_now(actor=actor(), escalation=escalation, now=SOON)
    assert after(escalation, 1).status == Status.TRIGGERED
    assert paged(escalation)[-1] == (2, "Bob")


def test_past_the_last_level_there_is_nothing_to_escalate_to() -> None:
    escalation = running(ladder(rung(reachable("Ana"))))
    after(escalation, 5)
    with pytest.raises(Conflict):
        escalate_now(actor=actor(), escalation=escalation, now=NOON + 6 * MINUTE)
    acknowledge_escalation(actor=actor(), escalation=escalation, now=NOON + 6 * MINUTE)
    with pytest.raises(Conflict, match="Every level"):
        escalate_now(actor=actor(), escalation=escalation, now=NOON + 6 * MINUTE)


# --- Hand over --------------------------------------------------------------------------------------------------------


def test_handed_to_a_person_they_are_paged_at_once_and_whoever_had_it_is_left_alone() -> None:
    ana, dan = reachable("Ana"), reachable("Dan")
    escalation = running(ladder(rung(ana), rung(reachable("Bob"))))
    reassign_escalation(actor=actor(name="Mia"), escalation=escalation, user=dan, now=SOON)
    after(escalation, 1)
    assert paged(escalation) == [(1, "Ana"), (1, "Dan")]
    assert escalation.pages.get(user=ana).state == Page.State.DROPPED
    assert "Mia handed it to Dan" in ledger(escalation)
    after(escalation, 6)
    assert [name for _level, name in paged(escalation)] == ["Ana", "Dan", "Dan"]


def test_handed_to_another_policy_it_begins_there_from_the_first_level() -> None:
    other = ladder(rung(reachable("Dan")), rung(reachable("Eve")))
    escalation = running(ladder(rung(reachable("Ana")), rung(reachable("Bob"))))
    after(escalation, 5)
    reassign_escalation(actor=actor(), escalation=escalation, policy=other, now=NOON + 6 * MINUTE)
    after(escalation, 6)
    after(escalation, 11)
    assert paged(escalation) == [(1, "Ana"), (2, "Bob"), (1, "Dan"), (2, "Eve")]
    assert escalation.policy == other


def test_what_nobody_answered_can_be_handed_on() -> None:
    escalation = running(ladder(rung(reachable("Ana"))))
    after(escalation, 5)
    assert escalation.status == Status.EXHAUSTED
    reassign_escalation(actor=actor(), escalation=escalation, user=reachable("Dan"), now=NOON + 6 * MINUTE)
    assert (after(escalation, 6).status, escalation.outcome, escalation.ended_at) == (Status.TRIGGERED, "", None)


def test_a_try_that_was_on_its_way_when_it_was_handed_on_is_not_repeated() -> None:
    ana = reachable("Ana")
    escalation = running(ladder(rung(ana)))
    page = escalation.pages.get()
    reassign_escalation(actor=actor(), escalation=escalation, user=reachable("Dan"), now=SOON)
    Page.objects.filter(pk=page.pk).update(state=Page.State.PENDING, due_at=SOON)
    send_due(SOON)
    page.refresh_from_db()
    assert page.state == Page.State.DROPPED


def test_it_is_handed_to_one_person_who_is_here_or_to_one_policy() -> None:
    escalation = running(ladder(rung(reachable("Ana"))))
    with pytest.raises(Invalid):
        reassign_escalation(actor=actor(), escalation=escalation, now=SOON)
    with pytest.raises(Invalid, match="no longer active"):
        reassign_escalation(actor=actor(), escalation=escalation, user=user(is_active=False), now=SOON)
    with pytest.raises(NotAllowed):
        reassign_escalation(actor=actor(Role.VIEWER), escalation=escalation, user=reachable("Dan"), now=SOON)
    resolve_escalation(actor=actor(), escalation=escalation, now=SOON)
    with pytest.raises(Conflict):
        reassign_escalation(actor=actor(), escalation=escalation, user=reachable("Dan"), now=SOON)


# --- Snooze -----------------------------------------------------------------------------------------------------------


def test_snoozed_it_is_acknowledged_and_pages_again_when_the_time_is_over() -> None:
    escalation = running(ladder(rung(reachable("Ana")), rung(reachable("Bob")), acknowledgement_timeout_minutes=10))
    snooze_escalation(actor=actor(name="Mia"), escalation=escalation, until=NOON + 61 * MINUTE, now=SOON)
    assert after(escalation, 60).status == Status.ACKNOWLEDGED
    assert paged(escalation) == [(1, "Ana")]
    assert after(escalation, 61).status == Status.TRIGGERED
    assert escalation.snoozed_until is None
    assert paged(escalation) == [(1, "Ana"), (1, "Ana")]
    assert "Paging again: the snooze is over" in ledger(escalation)


@pytest.mark.parametrize("until", [NOON, SOON, SOON + timedelta(days=7, seconds=1)])
def test_a_snooze_ends_within_a_week_and_not_before_it_begins(until: object) -> None:
    escalation = running(ladder(rung(reachable("Ana"))))
    with pytest.raises(Invalid, match="within the next seven days"):
        snooze_escalation(actor=actor(), escalation=escalation, until=until, now=SOON)  # type: ignore[arg-type]


def test_a_snooze_does_not_outlast_the_end_that_was_set() -> None:
    escalation = running(ladder(rung(reachable("Ana")), auto_resolve_minutes=30))
    snooze_escalation(actor=actor(), escalation=escalation, until=NOON + 60 * MINUTE, now=SOON)
    assert after(escalation, 30).outcome == Escalation.Outcome.AUTO_RESOLVED


# --- Back to paging, and keeping still --------------------------------------------------------------------------------


def test_an_acknowledgement_that_is_taken_back_pages_the_same_level_at_once() -> None:
    escalation = running(ladder(rung(reachable("Ana")), rung(reachable("Bob"))))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    page_again(actor=actor(name="Mia"), escalation=escalation, now=NOON + 2 * MINUTE)
    after(escalation, 2)
    assert paged(escalation) == [(1, "Ana"), (1, "Ana")]
    assert "Mia took the acknowledgement back" in ledger(escalation)
    before = escalation.entry_count
    page_again(actor=actor(), escalation=escalation, now=NOON + 3 * MINUTE)
    escalation.refresh_from_db()
    assert escalation.entry_count == before


def test_while_somebody_does_something_about_it_silence_does_not_page_again() -> None:
    escalation = running(ladder(rung(reachable("Ana")), acknowledgement_timeout_minutes=10))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    keep_acknowledged(escalation=escalation, now=NOON + 8 * MINUTE)
    assert after(escalation, 17).status == Status.ACKNOWLEDGED
    assert after(escalation, 18).status == Status.TRIGGERED
