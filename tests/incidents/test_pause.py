"""Pausing: timers stand still, what pages is not touched."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from events.errors import Conflict
from incidents import actions, paging, pausing
from incidents.models import Incident
from incidents.updates import post_update
from oncall.models import Escalation
from tests.factories import accounts, incidents, oncall

MINUTE = timedelta(minutes=1)


def test_the_next_update_is_due_later_by_the_pause(responder: Actor, incident: Incident, now: datetime) -> None:
    pausing.pause_incident(actor=responder, incident=incident, reason="Vendor's night", now=now + 10 * MINUTE)
    pausing.pause_incident(actor=responder, incident=incident, now=now + 20 * MINUTE)
    resumed = pausing.resume_incident(actor=responder, incident=incident, now=now + 50 * MINUTE)
    assert resumed.next_update_due_at == now + 70 * MINUTE
    assert (resumed.paused_at, resumed.paused_seconds) == (None, 40 * 60)
    assert list(incident.timeline.filter(kind="time").order_by("sequence").values_list("text", flat=True)) == [
        "paused the incident: Vendor's night",
        "resumed the incident after 40 min",
    ]
    assert resumed.durations(now + 60 * MINUTE).lasted == 20 * MINUTE


def test_an_update_within_a_pause_is_followed_by_one_after_it(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    pausing.pause_incident(actor=responder, incident=incident, now=now + 10 * MINUTE)
    post_update(actor=responder, incident=incident, text="Still waiting.", now=now + 20 * MINUTE)
    resumed = pausing.resume_incident(actor=responder, incident=incident, now=now + 50 * MINUTE)
    assert resumed.next_update_due_at == now + 80 * MINUTE
    worse = actions.change_severity(
        actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now + 51 * MINUTE
    )
    assert worse.next_update_due_at == now + 65 * MINUTE


def test_paging_goes_on(responder: Actor, incident: Incident, now: datetime) -> None:
    escalation = oncall.escalation(oncall.level(accounts.user()), now=now)
    paging.attach_escalation(actor=responder, incident=incident, escalation=escalation, now=now)
    pausing.pause_incident(actor=responder, incident=incident, now=now)
    escalation.refresh_from_db()
    assert (escalation.status, escalation.due_at) == (Escalation.Status.TRIGGERED, now)


def test_resolving_ends_a_pause(responder: Actor, incident: Incident, now: datetime) -> None:
    pausing.pause_incident(actor=responder, incident=incident, now=now + 10 * MINUTE)
    resolved = actions.resolve_incident(actor=responder, incident=incident, now=now + 15 * MINUTE)
    assert (resolved.paused_at, resolved.next_update_due_at) == (None, None)
    assert resolved.durations(now).to_resolve == 10 * MINUTE
    with pytest.raises(Conflict):
        pausing.pause_incident(actor=responder, incident=incident, now=now)


def test_what_is_not_paused_is_not_resumed(responder: Actor, incident: Incident, now: datetime) -> None:
    pausing.resume_incident(actor=responder, incident=incident, now=now)
    assert incident.timeline.count() == 1
