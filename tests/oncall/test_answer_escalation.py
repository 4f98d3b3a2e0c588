"""Acknowledging stops the paging, resolving ends it; both may be repeated, and not everybody may do either."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall.actions import acknowledge_escalation, resolve_escalation, start_escalation
from oncall.engine import tick
from oncall.links import PageToken, page_of_token, page_token
from oncall.models import Escalation
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
Status = Escalation.Status


def running(now: datetime, **fields: Any) -> tuple[Escalation, Actor]:
    """An escalation that has paged a viewer, and that viewer."""
    ana = user(name="Ana", role=Role.VIEWER)
    oncall.contact_method(ana)
    escalation = oncall.escalation(oncall.level(ana), now=now, **fields)
    tick(now)
    return escalation, Actor.of_user(ana, via="email")


def test_whoever_is_paged_acknowledges_whatever_their_role(now: datetime) -> None:
    escalation, ana = running(now)
    answered = acknowledge_escalation(actor=ana, escalation=escalation, now=now + timedelta(seconds=112))
    assert (answered.status, answered.due_at) == (Status.ACKNOWLEDGED, None)
    assert answered.acknowledged_by_id == ana.user_id
    assert answered.time_to_acknowledge == timedelta(seconds=112)
    entry = escalation.entries.last()
    assert entry
    assert (entry.text, entry.via) == ("Ana acknowledged after 1:52", "email")
    assert Event.objects.get(name="escalation.acknowledged").via == "email"


def test_acknowledging_again_changes_nothing(now: datetime) -> None:
    escalation, ana = running(now)
    first = acknowledge_escalation(actor=ana, escalation=escalation, now=now)
    again = acknowledge_escalation(actor=actor(), escalation=escalation, now=now + timedelta(hours=1))
    assert (again.acknowledged_at, again.acknowledged_by_id) == (first.acknowledged_at, ana.user_id)
    assert escalation.entries.filter(kind="acknowledged").count() == 1
    assert Event.objects.filter(name="escalation.acknowledged").count() == 1


def test_what_nobody_answered_in_time_can_still_be_acknowledged(now: datetime) -> None:
    escalation, ana = running(now)
    tick(now + timedelta(minutes=5))
    late = acknowledge_escalation(actor=ana, escalation=escalation, now=now + timedelta(hours=1))
    assert (late.status, late.ended_at) == (Status.ACKNOWLEDGED, None)


def test_what_is_over_can_not_be_acknowledged(now: datetime) -> None:
    escalation, ana = running(now)
    resolve_escalation(actor=ana, escalation=escalation, now=now)
    with pytest.raises(Conflict):
        acknowledge_escalation(actor=ana, escalation=escalation, now=now)


def test_resolving_ends_it_with_a_reason_and_again_changes_nothing(now: datetime) -> None:
    escalation, ana = running(now)
    resolve_escalation(actor=ana, escalation=escalation, now=now, reason="the alert cleared")
    ended = resolve_escalation(actor=ana, escalation=escalation, now=now + timedelta(hours=1))
    assert (ended.status, ended.ended_at, ended.due_at) == (Status.RESOLVED, now, None)
    assert escalation.entries.filter(kind="resolved").values_list("text", flat=True).get() == (
        "Ana ended it: the alert cleared"
    )


@pytest.mark.parametrize("verb", [acknowledge_escalation, resolve_escalation])
def test_a_viewer_who_was_not_paged_may_do_neither(now: datetime, verb: object) -> None:
    escalation, _ = running(now)
    with pytest.raises(NotAllowed):
        verb(actor=actor(Role.VIEWER), escalation=escalation, now=now)  # type: ignore[operator]


def test_a_viewer_may_not_page_anybody_and_a_page_needs_a_title(now: datetime) -> None:
    policy = oncall.policy(oncall.level(user()))
    with pytest.raises(NotAllowed):
        start_escalation(actor=actor(Role.VIEWER), policy=policy, title="Help", now=now)
    with pytest.raises(Invalid):
        start_escalation(actor=actor(), policy=policy, title="  ", now=now)


def test_a_private_escalation_is_seen_and_answered_only_by_those_whom_it_pages(now: datetime) -> None:
    escalation, ana = running(now, is_private=True)
    owner = actor(Role.OWNER)
    assert Escalation.objects.visible_to(ana).get() == escalation
    assert not Escalation.objects.visible_to(owner).exists()
    with pytest.raises(NotAllowed):
        acknowledge_escalation(actor=owner, escalation=escalation, now=now)
    assert acknowledge_escalation(actor=ana, escalation=escalation, now=now).status == Status.ACKNOWLEDGED


@pytest.mark.parametrize(
    "statement", ["UPDATE oncall_escalationentry SET text = 'x'", "DELETE FROM oncall_escalationentry"]
)
def test_the_database_refuses_to_change_the_ledger(now: datetime, statement: str) -> None:
    running(now)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_open_escalation_always_has_a_due_time(now: datetime) -> None:
    escalation, _ = running(now)
    with pytest.raises(Exception, match="escalation_due_while_triggered"), transaction.atomic():
        Escalation.objects.filter(pk=escalation.pk).update(due_at=None)


def test_a_link_serves_its_own_page_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    token = page_token(12, 7, "acknowledge")
    assert page_of_token(token) == PageToken(12, 7, "acknowledge")
    assert page_of_token(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert page_of_token("12") is None
    monkeypatch.setattr("oncall.links.VALID_FOR", timedelta(seconds=-1))
    assert page_of_token(token) is None
