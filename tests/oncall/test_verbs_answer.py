"""Answers of those who are paged: everyone or N of them, declining, asking for help and helping."""

import pytest

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall.actions import (
    acknowledge_escalation,
    add_responder,
    decline_escalation,
    resolve_escalation,
)
from oncall.engine import tick
from oncall.models import Escalation, Page
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import actor, user
from tests.oncall.ladders import MINUTE, NOON, ladder, ledger, paged, reachable, rule, rung, running

pytestmark = pytest.mark.django_db
Status = Escalation.Status
SOON = NOON + MINUTE


def by(person: User) -> Actor:
    return Actor.of_user(person, via="sms")


# --- Who has to answer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("needed", "enough"), [(1, 1), (2, 2), (0, 3), (9, 3)])
def test_paging_stops_once_as_many_have_answered_as_the_level_asks_for(needed: int, enough: int) -> None:
    people = [reachable("Ana"), reachable("Bob"), reachable("Dan")]
    escalation = running(ladder(rung(*people, answers_needed=needed)))
    for number, person in enumerate(people[:enough], 1):
        answered = acknowledge_escalation(actor=by(person), escalation=escalation, now=SOON)
        assert answered.status == (Status.ACKNOWLEDGED if number == enough else Status.TRIGGERED)


def test_who_has_answered_is_not_paged_any_more_while_others_still_are() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    escalation = running(ladder(rung(ana, bob, answers_needed=0)))
    acknowledge_escalation(actor=by(ana), escalation=escalation, now=SOON)
    states = dict(escalation.pages.values_list("user__name", "state"))
    assert states == {"Ana": "dropped", "Bob": "pending"}
    assert ledger(escalation)[-1] == "Ana acknowledged; 1 more has to answer"
    assert Event.objects.filter(name="escalation.partly_acknowledged").count() == 1


def test_the_same_answer_twice_counts_once() -> None:
    ana = reachable("Ana")
    escalation = running(ladder(rung(ana, reachable("Bob"), answers_needed=2)))
    for _ in range(2):
        answered = acknowledge_escalation(actor=by(ana), escalation=escalation, now=SOON)
    assert answered.status == Status.TRIGGERED
    assert escalation.answers.count() == 1


def test_somebody_who_was_not_paged_is_no_answer_of_the_level() -> None:
    escalation = running(ladder(rung(reachable("Ana"), reachable("Bob"), answers_needed=2)))
    answered = acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    assert answered.status == Status.TRIGGERED


# --- Declining --------------------------------------------------------------------------------------------------------


def test_who_declines_is_left_alone_and_the_others_are_waited_for() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    escalation = running(ladder(rung(ana, bob), rung(reachable("Dan"))))
    decline_escalation(actor=by(ana), escalation=escalation, now=SOON)
    assert dict(escalation.pages.values_list("user__name", "state")) == {"Ana": "dropped", "Bob": "pending"}
    assert tick(SOON) == 0
    assert ledger(escalation)[-1] == "Ana cannot take it"


def test_once_all_of_a_level_have_declined_the_next_level_is_paged_at_once() -> None:
    ana, bob = reachable("Ana"), reachable("Bob")
    escalation = running(ladder(rung(ana, bob), rung(reachable("Dan"))))
    for person in (ana, bob):
        decline_escalation(actor=by(person), escalation=escalation, now=SOON)
    assert tick(SOON) == 1
    assert paged(escalation)[-1] == (2, "Dan")


def test_declining_again_changes_nothing_and_declining_what_somebody_has_is_refused() -> None:
    ana = reachable("Ana")
    escalation = running(ladder(rung(ana, reachable("Bob"))))
    for _ in range(2):
        decline_escalation(actor=by(ana), escalation=escalation, now=SOON)
    assert escalation.entries.filter(kind="declined").count() == 1
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    with pytest.raises(Conflict):
        decline_escalation(actor=by(ana), escalation=escalation, now=SOON)


def test_a_viewer_who_was_not_paged_can_not_decline() -> None:
    escalation = running(ladder(rung(reachable())))
    with pytest.raises(NotAllowed):
        decline_escalation(actor=actor(Role.VIEWER), escalation=escalation, now=SOON)


def test_a_page_whose_try_failed_is_not_sent_again_to_somebody_who_has_declined_meanwhile() -> None:
    ana = reachable("Ana")
    escalation = running(ladder(rung(ana, reachable("Bob"))))
    page = escalation.pages.get(user=ana)
    decline_escalation(actor=by(ana), escalation=escalation, now=SOON)
    Page.objects.filter(pk=page.pk).update(state=Page.State.PENDING, due_at=SOON)
    send_due(SOON)
    page.refresh_from_db()
    assert page.state == Page.State.DROPPED
    assert "Ana was not paged by email: they have answered" in ledger(escalation)


# --- Help -------------------------------------------------------------------------------------------------------------


def test_somebody_who_is_asked_to_help_is_paged_at_once_beside_who_has_it() -> None:
    dan = reachable("Dan")
    escalation = running(ladder(rung(reachable("Ana"))))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    asking = actor(name="Mia")
    for _ in range(2):
        add_responder(actor=asking, escalation=escalation, user=dan, now=SOON)
    page = escalation.pages.get(user=dan)
    assert page.is_extra
    send_due(SOON)
    page.refresh_from_db()
    assert page.state == Page.State.SENT
    assert "Mia asked Dan to help" in ledger(escalation)
    escalation.refresh_from_db()
    assert escalation.status == Status.ACKNOWLEDGED


def test_who_helps_is_not_rung_any_more_though_somebody_else_has_it() -> None:
    dan = reachable("Dan")
    rule(dan, 0, dan.contact_methods.get())
    rule(dan, 5, oncall.contact_method(dan, "web"))
    escalation = running(ladder(rung(reachable("Ana"))))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    add_responder(actor=actor(), escalation=escalation, user=dan, now=SOON)
    send_due(SOON)
    for _ in range(2):
        acknowledge_escalation(actor=by(dan), escalation=escalation, now=SOON)
    assert dict(escalation.pages.filter(user=dan).values_list("channel", "state")) == {
        "email": "sent",
        "web": "dropped",
    }
    assert [text for text in ledger(escalation) if text == "Dan helps"] == ["Dan helps"]


def test_who_can_not_help_says_so() -> None:
    dan = reachable("Dan")
    escalation = running(ladder(rung(reachable("Ana"))))
    acknowledge_escalation(actor=actor(), escalation=escalation, now=SOON)
    add_responder(actor=actor(), escalation=escalation, user=dan, now=SOON)
    decline_escalation(actor=by(dan), escalation=escalation, now=SOON)
    assert ledger(escalation)[-1] == "Dan cannot help"
    assert escalation.pages.get(user=dan).state == Page.State.DROPPED


def test_help_is_refused_of_whom_nothing_reaches_and_for_what_is_over() -> None:
    escalation = running(ladder(rung(reachable("Ana"))))
    with pytest.raises(Invalid, match="no usable contact method"):
        add_responder(actor=actor(), escalation=escalation, user=user(), now=SOON)
    resolve_escalation(actor=actor(), escalation=escalation, now=SOON)
    with pytest.raises(Conflict):
        add_responder(actor=actor(), escalation=escalation, user=reachable("Dan"), now=SOON)
