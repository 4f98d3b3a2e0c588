"""The workflows that ship for a response under way and for what follows it."""

from collections.abc import Generator
from datetime import date, datetime, timedelta

import icalendar
import pytest
import time_machine
from django.core import mail

from accounts.actor import Actor
from incidents.actions import resolve_incident
from incidents.models import IncidentRole
from incidents.roles import assign_role
from incidents.updates import post_update
from oncall.actions import acknowledge_escalation
from oncall.models import Escalation
from postmortems.action_items import create_action_item
from postmortems.models import Postmortem
from statuspage.models import PublicIncident
from tests.factories import accounts, oncall
from tests.factories.workflows import pass_time
from tests.workflows.house import House, came_of, house
from workflows.models import Workflow, WorkflowRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(now: datetime) -> Generator[House]:
    with time_machine.travel(now, tick=False):
        yield house()


def subjects_to(address: str) -> list[str]:
    return [str(message.subject) for message in mail.outbox if address in message.to]


@pytest.mark.parametrize(("severity", "minutes"), [("sev1", 5), ("sev2", 15)])
def test_what_nobody_acknowledges_in_time_escalates_and_is_told(
    ours: House, now: datetime, severity: str, minutes: int
) -> None:
    incident = ours.declare(severity, now)
    pass_time(now)
    pass_time(now + timedelta(minutes=minutes, seconds=-5))
    assert ours.paged() == ["Olga"]
    pass_time(now + timedelta(minutes=minutes, seconds=5))
    assert ours.paged() == ["Olga", "Sam"]
    assert subjects_to("emma@example.com") == [f"Nobody has acknowledged {incident.reference} {incident.name}"]
    assert incident.timeline.filter(text="Nobody acknowledged this in time: escalated.").count() == 1
    assert list(came_of("not-acknowledged", incident)) == ["target", "nobody", "escalate", "managers", "note"]


def test_what_is_acknowledged_in_time_does_not_escalate(ours: House, now: datetime) -> None:
    incident = ours.declare("sev1", now)
    pass_time(now)
    actor = Actor.of_user(ours.on_call, via="web")
    later = now + timedelta(minutes=3)
    with time_machine.travel(later, tick=False):
        acknowledge_escalation(actor=actor, escalation=Escalation.objects.get(), now=later)
    pass_time(now + timedelta(minutes=6))
    assert ours.paged() == ["Olga"]
    assert came_of("not-acknowledged", incident)["nobody"].startswith("done: Not so")


def test_an_update_that_does_not_come_is_asked_for_once_each_time(ours: House, now: datetime) -> None:
    incident = ours.declare("sev1", now)
    lead = accounts.user(name="Lena", email="lena@example.com")
    oncall.contact_method(lead)
    assign_role(actor=ours.ana, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=lead, now=now)
    pass_time(now)
    mail.outbox.clear()
    said = f"An update is due: {incident.reference} {incident.name}"
    pass_time(now + timedelta(minutes=14))
    assert said not in subjects_to("lena@example.com")
    for minutes in (16, 17, 20):
        pass_time(now + timedelta(minutes=minutes))
    assert subjects_to("lena@example.com").count(said) == 1
    later = now + timedelta(minutes=21)
    with time_machine.travel(later, tick=False):
        post_update(actor=ours.ana, incident=incident, text="We roll back.", now=later)
    pass_time(now + timedelta(minutes=35))
    assert subjects_to("lena@example.com").count(said) == 1
    pass_time(now + timedelta(minutes=37))
    assert subjects_to("lena@example.com").count(said) == 2


def test_what_is_resolved_tells_the_public_starts_the_postmortem_and_invites(ours: House, now: datetime) -> None:
    incident = ours.declare("sev1", now)
    lead = accounts.user(name="Lena", email="lena@example.com", time_zone="Asia/Bangkok")
    assign_role(actor=ours.ana, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=lead, now=now)
    pass_time(now)
    later = now + timedelta(minutes=40)
    with time_machine.travel(later, tick=False):
        resolve_incident(actor=ours.ana, incident=incident, now=later)
    pass_time(later)
    came = came_of("incident-resolved", incident)
    assert came["public"] == "done: Resolved on Example."
    assert came["postmortem"] == "done: Started the postmortem."
    assert came["review"].startswith("done: Invited Lena (nobody is comms; nobody is tech; nobody is scribe) to ")
    assert came["tickets"] == "skipped: No tracker is connected."
    assert PublicIncident.objects.get().status == "resolved"
    assert Postmortem.objects.get().incident == incident
    [invitation] = [m for m in mail.outbox if m.subject == f"Postmortem review of {incident.reference}"]
    attached = next(content for _name, content, kind in invitation.attachments if kind == "application/ics")
    calendar = icalendar.Calendar.from_ical(attached)
    event = calendar.walk("VEVENT")[0]
    assert str(calendar["METHOD"]) == "REQUEST"
    run = WorkflowRun.objects.get(workflow__slug="incident-resolved")
    assert str(event["UID"]).startswith(f"workflow-{run.pk}-review@")
    # Saturday: the first hour of Monday that is working time in Bangkok, 10:00 there.
    assert event.decoded("DTSTART").isoformat() == "2026-03-16T03:00:00+00:00"
    assert str(event["ATTENDEE"]) == "mailto:lena@example.com"


@pytest.mark.parametrize(
    ("severity", "mode", "starts"),
    [("sev2", "standard", True), ("sev1", "retrospective", True), ("sev1", "test", False), ("sev1", "game_day", False)],
)
def test_resolving_starts_the_postmortem_where_the_severity_requires_one_and_it_was_real(
    ours: House, now: datetime, severity: str, mode: str, starts: bool
) -> None:
    incident = ours.declare(severity, now, mode=mode)
    resolve_incident(actor=ours.ana, incident=incident, now=now)
    pass_time(now)
    assert Postmortem.objects.filter(incident=incident).exists() is starts


def test_a_sev3_that_is_resolved_needs_no_postmortem(ours: House, now: datetime) -> None:
    incident = ours.declare("sev3", now)
    resolve_incident(actor=ours.ana, incident=incident, now=now)
    pass_time(now)
    came = came_of("incident-resolved", incident)
    assert came["postmortem"] == "skipped: SEV3 requires no postmortem."
    assert came["review"].startswith("skipped: Not so")


def test_the_digest_comes_each_monday_at_nine(ours: House, now: datetime) -> None:
    incident, hidden = ours.declare("sev3", now), ours.declare("sev3", now, visibility="private")
    owner = accounts.user(name="Omar", email="omar@example.com")
    oncall.contact_method(owner)
    ours.service.team = accounts.team(ours.second, name="Payments")
    ours.service.save()
    create_action_item(
        actor=ours.ana, incident=incident, title="Bound the pool", owner=owner, due_on=date(2026, 3, 1), now=now
    )
    create_action_item(actor=ours.ana, incident=incident, title="Alert on it", now=now)
    create_action_item(actor=ours.ana, incident=hidden, title="Secret", now=now)
    mail.outbox.clear()
    pass_time(datetime.fromisoformat("2026-03-16T08:59:00+00:00"))
    assert mail.outbox == []
    for minute in ("09:00:05", "09:00:15", "09:30:00"):
        pass_time(datetime.fromisoformat(f"2026-03-16T{minute}+00:00"))
    digests = [message for message in mail.outbox if "action item" in message.subject]
    assert {(message.to[0], message.subject) for message in digests} == {
        ("omar@example.com", "1 action item is open, 1 overdue"),
        (ours.second.email, "2 action items are open, 1 overdue"),
    }
    body = str(next(message for message in digests if message.to == ["omar@example.com"]).body)
    assert f"overdue: Bound the pool: P1, 2026-03-01, {incident.reference}" in body
    assert not any("Secret" in str(message.body) for message in digests)
    assert Workflow.objects.get(slug="weekly-action-items").next_at == datetime.fromisoformat(
        "2026-03-23T09:00:00+00:00"
    )


def test_the_game_day_is_off_and_declares_a_test_when_it_is_on(ours: House, now: datetime) -> None:
    game_day = Workflow.objects.get(slug="game-day")
    assert not game_day.is_enabled
    Workflow.objects.filter(pk=game_day.pk).update(is_enabled=True, next_at=now)
    pass_time(now)
    came = came_of("game-day")
    assert came["exercise"].startswith("done: Declared INC-")
    assert ours.paged() == []
