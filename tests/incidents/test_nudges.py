"""The update timer: what is due and did not come is said once, for each time at which it was due."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from events.models import Event
from incidents.actions import resolve_incident
from incidents.models import Incident
from incidents.nudges import nudge_due
from incidents.updates import post_update, start_update_timer, stop_update_timer

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)
SECOND = timedelta(seconds=1)


def told() -> int:
    return Event.objects.filter(name="incident.update_overdue").count()


def test_an_update_that_is_due_is_reminded_of_once(incident: Incident, now: datetime) -> None:
    assert nudge_due(now + HALF - SECOND) == 0
    assert nudge_due(now + HALF) == 1
    assert nudge_due(now + HALF + SECOND) == 0
    assert told() == 1
    assert incident.timeline.latest("sequence").text == "the update that was due has not come"


def test_the_next_time_it_is_due_it_is_reminded_of_again(responder: Actor, incident: Incident, now: datetime) -> None:
    nudge_due(now + HALF)
    post_update(actor=responder, incident=incident, text="Still looking", now=now + HALF + SECOND)
    assert nudge_due(now + 2 * HALF) == 0
    assert nudge_due(now + 2 * HALF + SECOND) == 1
    start_update_timer(actor=responder, incident=incident, interval=HALF, now=now + 3 * HALF)
    assert nudge_due(now + 4 * HALF) == 1
    assert told() == 3


def test_what_is_paused_stopped_or_over_is_not_reminded_of(responder: Actor, incident: Incident, now: datetime) -> None:
    Incident.objects.filter(pk=incident.pk).update(paused_at=now)
    assert nudge_due(now + HALF) == 0
    Incident.objects.filter(pk=incident.pk).update(paused_at=None)
    stop_update_timer(actor=responder, incident=incident, now=now)
    assert nudge_due(now + HALF) == 0
    start_update_timer(actor=responder, incident=incident, interval=HALF, now=now)
    resolve_incident(actor=responder, incident=incident, now=now)
    assert nudge_due(now + HALF) == 0
