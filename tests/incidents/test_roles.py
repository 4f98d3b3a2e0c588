"""Roles: required, offered, taken, handed over, left, warned of, told, remembered."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from incidents.actions import change_severity
from incidents.handlers import tell_role
from incidents.models import (
    Incident,
    IncidentRole,
    IncidentType,
    PersonQualification,
    Qualification,
    RoleAssignment,
    TimelineEntry,
)
from incidents.roles import assign_role, leave_role, missing_roles, role_warnings, roles_held, take_role
from tests.factories import accounts, incidents, oncall

pytestmark = pytest.mark.django_db


def role(slug: str = "lead") -> IncidentRole:
    found: IncidentRole = IncidentRole.objects.get(slug=slug)
    return found


def latest(incident: Incident) -> TimelineEntry:
    entry = incident.timeline.order_by("-sequence").first()
    assert entry is not None
    return entry


def person_of(actor: Actor) -> User:
    return User.objects.get(pk=actor.person_id)


def test_what_the_severity_requires_is_missing_until_somebody_has_it(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    assert [each.slug for each in missing_roles(incident)] == ["lead"]
    take_role(actor=responder, incident=incident, role=role(), now=now)
    assert missing_roles(incident) == []
    incident = change_severity(actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now)
    assert [each.slug for each in missing_roles(incident)] == ["comms", "tech"]


def test_taking_handing_over_and_leaving_are_told_apart(responder: Actor, incident: Incident, now: datetime) -> None:
    bob = accounts.user(name="Bob Okafor")
    take_role(actor=responder, incident=incident, role=role(), now=now)
    assert latest(incident).text == "took Incident Commander"
    later = now + timedelta(minutes=5)
    assign_role(actor=responder, incident=incident, role=role(), user=bob, now=later, note="pool at 200")
    assert latest(incident).text == "handed Incident Commander over to Bob Okafor: “pool at 200”"
    assert incident.role_assignments.get(ended_at=None).note == "pool at 200"
    leave_role(actor=Actor.of_user(bob, via="web"), incident=incident, role=role(), now=later)
    assert latest(incident).text == "left Incident Commander open"
    assert list(incident.role_assignments.values_list("ended_at", flat=True)) == [later, later]


def test_only_who_has_a_role_leaves_it(responder: Actor, incident: Incident, now: datetime) -> None:
    assign_role(actor=responder, incident=incident, role=role(), user=accounts.user(), now=now)
    with pytest.raises(Conflict):
        leave_role(actor=responder, incident=incident, role=role(), now=now)
    assert leave_role(actor=responder, incident=incident, role=role("comms"), now=now) == incident


def test_viewers_and_machines_take_no_role(incident: Incident, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        take_role(actor=accounts.actor(Role.VIEWER), incident=incident, role=role(), now=now)
    with pytest.raises(Invalid):
        take_role(actor=Actor.of_workflow(1, "SEV1 declared"), incident=incident, role=role(), now=now)


def test_a_role_that_the_type_does_not_offer_is_refused(responder: Actor, incident: Incident, now: datetime) -> None:
    incident.incident_type.roles.add(role("lead"), role("scribe"))
    with pytest.raises(Invalid) as refused:
        take_role(actor=responder, incident=incident, role=role("comms"), now=now)
    assert "Incident Commander, Scribe" in refused.value.remedy
    IncidentRole.objects.filter(slug="scribe").update(is_active=False)
    with pytest.raises(Invalid, match="archived"):
        take_role(actor=responder, incident=incident, role=role("scribe"), now=now)


def test_a_missing_qualification_warns_and_never_blocks(responder: Actor, incident: Incident, now: datetime) -> None:
    low = Qualification.objects.create(slug="low", name="low", rank=11)
    high = Qualification.objects.create(slug="high", name="high", rank=12)
    IncidentRole.objects.filter(slug="lead").update(qualification=low)
    bob = accounts.user(name="Bob Okafor")
    assign_role(actor=responder, incident=incident, role=role(), user=bob, now=now)
    assert latest(incident).data["warnings"] == [
        "Bob Okafor is not qualified as low, which Incident Commander asks for."
    ]
    assert Event.objects.filter(name="incident.role_assigned").latest("pk").data["warnings"]
    PersonQualification.objects.create(user=bob, qualification=high, granted_at=now)
    assert role_warnings(role(), bob) == []


def test_screen_and_api_warn_and_do_it(responder: Actor, incident: Incident, client: Client) -> None:
    rung = Qualification.objects.create(slug="captain", name="Captain", rank=9)
    IncidentRole.objects.filter(slug="comms").update(qualification=rung)
    client.force_login(person_of(responder))
    address = f"/incidents/{incident.number}/roles"
    taken = client.post(f"{address}/take/", {"role": "comms"}, headers={"HX-Request": "true"})
    assert taken.status_code == 204
    assert "not qualified as Captain" in taken.headers["HX-Trigger"]
    shown = client.get(f"{address}/")
    assert "does not debug" in shown.text
    assert "Leave the role" in shown.text
    assert client.post(f"{address}/leave/", {"role": "comms"}, headers={"HX-Request": "true"}).status_code == 204
    api = f"/api/v1/incidents/{incident.number}/roles/"
    answer = client.post(f"{api}take/", {"role": "comms"}, content_type="application/json").json()
    assert answer["warnings"] == ["Ana Ferreira is not qualified as Captain, which Communications Lead asks for."]
    assert answer["missing_roles"] == ["lead"]
    history = client.get(api).json()
    assert [(row["role"], row["ended_at"] is None) for row in history] == [("comms", True), ("comms", False)]


def test_whoever_is_given_a_role_is_told_but_not_who_took_it(
    responder: Actor, incident: Incident, now: datetime, mailoutbox: list[Any]
) -> None:
    bob = accounts.user(name="Bob Okafor")
    for user in (bob, person_of(responder)):
        oncall.contact_method(user)
    assign_role(actor=responder, incident=incident, role=role(), user=bob, now=now, note="pool at 200")
    take_role(actor=responder, incident=incident, role=role("comms"), now=now)
    for event in Event.objects.filter(name="incident.role_assigned"):
        tell_role(event)
    (mail,) = mailoutbox
    assert mail.to == [bob.email]
    assert "pool at 200" in mail.body
    assert "does not debug" in mail.body


def test_of_a_private_incident_only_that_it_is_there(responder: Actor, now: datetime, mailoutbox: list[Any]) -> None:
    private = incidents.incident(responder, visibility="private", name="Stolen laptop of the CFO", now=now)
    bob = accounts.user()
    oncall.contact_method(bob)
    assign_role(actor=responder, incident=private, role=role(), user=bob, now=now)
    event = Event.objects.get(name="incident.role_assigned")
    tell_role(event)
    assert "Stolen" not in mailoutbox[0].subject + mailoutbox[0].body
    private.memberships.filter(user=bob).delete()
    tell_role(event)
    assert len(mailoutbox) == 1


def test_a_persons_page_counts_what_the_viewer_may_see(responder: Actor, now: datetime, client: Client) -> None:
    bob = accounts.user(name="Bob Okafor")
    for severity, visibility in (("sev1", "public"), ("sev1", "public"), ("sev2", "public"), ("sev3", "private")):
        incident = incidents.incident(responder, severity=severity, visibility=visibility, now=now)
        assign_role(actor=responder, incident=incident, role=role(), user=bob, now=now)
    (record,) = roles_held(responder, bob)
    assert [(severity.slug, times) for severity, times in record.severities] == [("sev1", 2), ("sev2", 1), ("sev3", 1)]
    (record,) = roles_held(accounts.actor(Role.OWNER), bob)
    assert record.times == 3
    client.force_login(accounts.user())
    page = client.get(f"/people/{bob.pk}/").text
    assert "in 3 incidents" in page
    assert "SEV3" not in page


def test_only_offered_roles_are_missing(responder: Actor, now: datetime) -> None:
    incidents.configuration()
    drill = IncidentType.objects.create(name="Drill", slug="drill")
    drill.roles.add(role("scribe"))
    incident = incidents.incident(responder, incident_type=drill, now=now)
    assert missing_roles(incident) == []
    assert not RoleAssignment.objects.filter(incident=incident, started_at__gt=timezone.now()).exists()
