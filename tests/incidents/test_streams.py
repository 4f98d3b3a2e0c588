"""Streams: parts of an incident that tell their parent what they do, and end with it only when somebody means it."""

from datetime import datetime

import pytest

from accounts.actor import Actor
from accounts.models import User
from events.errors import Conflict
from incidents import actions, membership, streams, triage
from incidents.models import Incident
from incidents.updates import post_update
from tests.factories import accounts, incidents


@pytest.fixture
def stream(responder: Actor, incident: Incident, now: datetime) -> Incident:
    bob = accounts.user(name="Bob Okafor")
    return streams.declare_stream(actor=responder, incident=incident, name="Database", lead=bob, now=now)


def texts(incident: Incident) -> list[str]:
    return list(incident.timeline.order_by("sequence").values_list("text", flat=True))


def test_a_stream_is_like_its_parent_with_a_lead_of_its_own(stream: Incident, incident: Incident) -> None:
    assert (stream.parent, stream.severity, stream.incident_type) == (
        incident,
        incident.severity,
        incident.incident_type,
    )
    assert stream.role_assignments.get().user.name == "Bob Okafor"
    entry = incident.timeline.get(kind="stream")
    assert (entry.text, entry.origin) == (
        f"{stream.reference} Database: opened as a stream, led by Bob Okafor",
        stream,
    )


def test_what_a_stream_posts_stands_in_its_parent(
    responder: Actor, stream: Incident, incident: Incident, now: datetime
) -> None:
    post_update(actor=responder, incident=stream, text="Replica rebuilt.", now=now)
    actions.mitigate_incident(actor=responder, incident=stream, now=now)
    actions.resolve_incident(actor=responder, incident=stream, now=now)
    assert [text.partition(": ")[2] for text in texts(incident)[-3:]] == [
        "Replica rebuilt.",
        "mitigated: the impact is over",
        "resolved the incident (Investigating → Resolved)",
    ]


def test_an_incident_with_open_streams_ends_only_when_confirmed(
    responder: Actor, stream: Incident, incident: Incident, now: datetime
) -> None:
    with pytest.raises(Conflict) as refused:
        actions.resolve_incident(actor=responder, incident=incident, now=now)
    assert (refused.value.code, refused.value.details) == ("needs_confirmation", {"streams": [stream.reference]})
    actions.resolve_incident(actor=responder, incident=incident, now=now, confirmed=True)
    stream.refresh_from_db()
    assert stream.status.slug == "resolved"
    assert texts(incident)[-2:] == [
        f"{stream.reference} Database: resolved the incident (Investigating → Resolved)",
        "resolved the incident (Investigating → Resolved)",
    ]
    with pytest.raises(Conflict) as refused:
        actions.reopen_incident(actor=responder, incident=stream, now=now)
    assert incident.reference in refused.value.remedy


def test_a_canceled_incident_takes_its_streams_along(
    responder: Actor, stream: Incident, incident: Incident, now: datetime
) -> None:
    triage.cancel_incident(actor=responder, incident=incident, reason="A drill", now=now, confirmed=True)
    stream.refresh_from_db()
    assert stream.status.slug == "canceled"


def test_streams_have_no_streams(responder: Actor, stream: Incident, now: datetime) -> None:
    with pytest.raises(Conflict):
        streams.declare_stream(actor=responder, incident=stream, name="Deeper", now=now)


def test_only_what_is_active_has_streams(responder: Actor, now: datetime) -> None:
    waiting = incidents.incident(responder, status=incidents.status("triage"), now=now)
    with pytest.raises(Conflict):
        streams.declare_stream(actor=responder, incident=waiting, name="Early", now=now)


def test_streams_are_as_private_as_their_parent(
    responder: Actor, stream: Incident, incident: Incident, now: datetime
) -> None:
    bob = User.objects.get(name="Bob Okafor")
    membership.set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    stream.refresh_from_db()
    assert stream.is_private
    assert set(stream.members.all()) == {User.objects.get(pk=responder.person_id), bob}
    with pytest.raises(Conflict):
        membership.set_visibility(actor=responder, incident=stream, visibility="public", now=now)
    second = streams.declare_stream(actor=responder, incident=incident, name="Network", now=now)
    assert second.is_private
    assert set(second.members.all()) == set(incident.members.all())


def test_a_private_stream_tells_an_open_parent_nothing(
    responder: Actor, stream: Incident, incident: Incident, now: datetime
) -> None:
    membership.set_visibility(actor=responder, incident=stream, visibility="private", now=now)
    count = len(texts(incident))
    post_update(actor=responder, incident=stream, text="Zebra", now=now)
    assert len(texts(incident)) == count


def test_a_stream_counts_with_its_parent(stream: Incident, incident: Incident) -> None:
    assert list(Incident.objects.counting()) == [incident]
