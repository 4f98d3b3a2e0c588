"""Steps that do to an incident what people do: what they leave alone, and what they need to be told."""

from datetime import datetime
from typing import Any

import pytest

from accounts.actor import Actor
from events.errors import Conflict
from incidents.membership import set_visibility
from incidents.models import Incident
from incidents.streams import declare_stream
from tests.factories import accounts, incidents
from workflows.registry import Context, Outcome, Skip, step_called

pytestmark = pytest.mark.django_db
CHORES = Actor.of_workflow(1, "Chores")


@pytest.fixture
def incident(now: datetime) -> Incident:
    return incidents.incident(accounts.actor(name="Ana Ferreira", email="ana@example.com"), now=now)


def done(kind: str, incident: Incident, now: datetime, **params: Any) -> Outcome:
    """What came of a step, with its defaults for what is not given."""
    step = step_called(kind)
    assert step is not None
    given = {each.name: each.default for each in step.params} | params
    incident = Incident.objects.get(pk=incident.pk)
    return step.run(Context(actor=CHORES, now=now, facts={}, incident=incident), given)


@pytest.mark.parametrize("kind", ["resolve", "close", "cancel"])
def test_an_incident_with_open_streams_ends_only_where_the_step_says_that_they_do(
    kind: str, incident: Incident, now: datetime
) -> None:
    stream = declare_stream(actor=Actor.system(), incident=incident, name="Disks", now=now)
    params = {"reason": "A drill"} if kind == "cancel" else {}
    with pytest.raises(Conflict, match="still open"):
        done(kind, incident, now, **params)
    done(kind, incident, now, confirmed=True, **params)
    stream.refresh_from_db()
    assert not stream.is_open


def test_a_stream_of_the_same_name_is_opened_once(incident: Incident, now: datetime) -> None:
    assert done("open_stream", incident, now, name="Disks").output["number"] == incident.streams.get().number
    with pytest.raises(Skip, match="is open already"):
        done("open_stream", incident, now, name="Disks")


def test_what_is_accepted_already_is_left_alone(incident: Incident, now: datetime) -> None:
    with pytest.raises(Skip, match="accepted already"):
        done("accept", incident, now)


def test_a_private_incident_is_not_there_for_what_is_public(incident: Incident, now: datetime) -> None:
    other = incidents.incident(accounts.actor(), name="Secret", now=now)
    set_visibility(actor=Actor.system(), incident=other, visibility="private", now=now)
    for said in (other.reference, "INC-999", "soon"):
        with pytest.raises(Skip, match=f"no incident “{said}”"):
            done("merge", incident, now, into=said)
    incident.refresh_from_db()
    assert incident.merged_into is None


def test_people_are_let_in_once_and_only_where_a_door_is(incident: Incident, now: datetime) -> None:
    accounts.user(name="Bob Okafor", email="bob@example.com")
    bob = {"persons": ["bob@example.com"]}
    with pytest.raises(Skip, match="Everybody here"):
        done("add_member", incident, now, people=bob)
    assert done("set_visibility", incident, now).detail == "Only its members see it."
    # Whoever may not see it is told nothing, not even that it is followed.
    with pytest.raises(Skip, match="may not see this incident"):
        done("follow", incident, now, people=bob)
    assert done("add_member", incident, now, people=bob).detail == "Let Bob Okafor in."
    with pytest.raises(Skip, match="see it already"):
        done("add_member", incident, now, people=bob)
    assert "Bob Okafor will be told" in done("follow", incident, now, people=bob).detail
    with pytest.raises(Skip, match="follow it already"):
        done("follow", incident, now, people=bob)
