"""Action items whose day has passed are told once."""

from datetime import date, datetime

import pytest

from accounts.actor import Actor
from events.models import Event
from postmortems.action_items import create_action_item, update_action_item
from postmortems.overdue import OVERDUE, tell_overdue
from tests.factories import incidents

pytestmark = pytest.mark.django_db


def test_an_overdue_item_is_told_once_for_each_day_on_which_it_was_due(now: datetime) -> None:
    actor, incident = Actor.system(), incidents.incident(now=now)
    late = create_action_item(actor=actor, incident=incident, title="Late", due_on=date(2026, 3, 13), now=now)
    create_action_item(actor=actor, incident=incident, title="Today", due_on=date(2026, 3, 14), now=now)
    create_action_item(actor=actor, incident=incident, title="Some day", now=now)
    create_action_item(actor=actor, incident=incident, title="Done", due_on=date(2026, 3, 1), status="done", now=now)
    assert (tell_overdue(now), tell_overdue(now)) == (1, 0)
    assert Event.objects.get(name=OVERDUE).subject_id == late.pk
    update_action_item(actor=actor, action_item=late, due_on=date(2026, 3, 12), now=now)
    assert (tell_overdue(now), tell_overdue(now)) == (1, 0)
