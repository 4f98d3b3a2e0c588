"""Modes: retrospective ones page nobody, tests only their own people, game days say what they are; none is counted."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from accounts.models import User
from events.errors import Conflict, Invalid
from events.models import Event
from incidents import paging, triage
from incidents.models import Incident, IncidentRole
from incidents.roles import assign_role
from incidents.updates import post_update
from oncall.models import Escalation
from tests.factories import accounts, incidents, oncall

HOUR = timedelta(hours=1)


def test_a_test_pages_no_policy_and_says_what_to_do(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(responder, mode="test", now=now)
    policy = oncall.policy(oncall.level(accounts.user()))
    with pytest.raises(Conflict) as refused:
        paging.page_for_incident(actor=responder, incident=incident, policy=policy, now=now)
    assert refused.value.remedy
    assert not Escalation.objects.exists()


def test_a_test_pages_who_is_in_it_and_says_that_it_is_one(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(responder, mode="test", now=now)
    ana, bob = User.objects.get(pk=responder.person_id), accounts.user(name="Bob")
    with pytest.raises(Conflict):
        paging.page_for_incident(actor=responder, incident=incident, user=bob, now=now)
    assign_role(actor=responder, incident=incident, role=IncidentRole.objects.get(slug="tech"), user=bob, now=now)
    for person in (ana, bob):
        escalation = paging.page_for_incident(actor=responder, incident=incident, user=person, now=now)
        assert escalation.title.startswith("[Test] ")


def test_a_game_day_pages_like_a_real_one_and_says_so(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(responder, mode="game_day", now=now)
    policy = oncall.policy(oncall.level(accounts.user()))
    escalation = paging.page_for_incident(actor=responder, incident=incident, policy=policy, now=now)
    assert escalation.title.startswith("[Game day] ")


def test_one_told_of_in_retrospect_pages_nobody_and_needs_no_update(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(responder, mode="retrospective", now=now)
    assert incident.next_update_due_at is None
    with pytest.raises(Conflict):
        paging.page_for_incident(actor=responder, incident=incident, user=accounts.user(), now=now)
    post_update(actor=responder, incident=incident, text="It was the pool.", now=now)
    incident.refresh_from_db()
    assert incident.next_update_due_at is None


def test_one_told_of_in_retrospect_can_be_over_already(responder: Actor, now: datetime) -> None:
    incident = incidents.incident(
        responder,
        mode="retrospective",
        started_at=now - 5 * HOUR,
        detected_at=now - 4 * HOUR,
        mitigated_at=now - 3 * HOUR,
        resolved_at=now - 2 * HOUR,
        now=now,
    )
    assert (incident.status.slug, incident.resolved_at) == ("resolved", now - 2 * HOUR)
    assert incident.declared_at == now - 4 * HOUR
    assert incident.durations(now).to_resolve == 2 * HOUR
    assert list(Event.objects.filter(name__startswith="incident.").order_by("id").values_list("name", flat=True)) == [
        "incident.declared",
        "incident.resolved",
    ]


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"started_at": 1}, "started_at"),
        ({"resolved_at": 1}, "resolved_at"),
        ({"started_at": -2, "detected_at": -3}, "detected_at"),
        ({"detected_at": -2, "resolved_at": -3}, "resolved_at"),
        ({"mitigated_at": -1, "resolved_at": -2}, "resolved_at"),
    ],
)
def test_times_that_make_no_sense_are_refused(
    responder: Actor, now: datetime, times: dict[str, int], field: str
) -> None:
    given = {name: now + hours * HOUR for name, hours in times.items()}
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, mode="retrospective", now=now, **given)
    assert refused.value.field == field


def test_only_in_retrospect_an_end_is_known_at_the_beginning(responder: Actor, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, resolved_at=now, now=now)
    assert "retrospective" in refused.value.remedy
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, status=incidents.status("closed"), now=now)
    assert refused.value.field == "status"


def test_what_is_practice_or_was_none_is_not_counted(responder: Actor, now: datetime) -> None:
    counted = [incidents.incident(responder, now=now), incidents.incident(responder, mode="retrospective", now=now)]
    incidents.incident(responder, mode="test", now=now)
    incidents.incident(responder, mode="game_day", now=now)
    mistake = incidents.incident(responder, now=now)
    triage.cancel_incident(actor=responder, incident=mistake, reason="Wrong cluster", now=now)
    assert set(Incident.objects.counting()) == set(counted)
