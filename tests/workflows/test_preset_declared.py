"""The workflows that ship for what is declared: each effect by its severity, and no page twice."""

from collections.abc import Generator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core import mail

from incidents.actions import change_severity, resolve_incident
from incidents.paging import page_service
from statuspage.models import PublicIncident
from tests.factories import incidents
from tests.factories.workflows import pass_time
from tests.workflows.house import House, came_of, house
from workflows.models import WorkflowRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(now: datetime) -> Generator[House]:
    with time_machine.travel(now, tick=False):
        yield house()


def subjects_to(address: str) -> list[str]:
    return [str(message.subject) for message in mail.outbox if address in message.to]


def test_a_sev1_pages_tells_leadership_and_the_public_and_starts_the_clock(ours: House, now: datetime) -> None:
    incident = ours.declare("sev1", now)
    pass_time(now)
    assert came_of("sev1-declared", incident) == {
        "page": "done: Paged Payments.",
        "channel": "skipped: No chat is connected.",
        "invite": "skipped: No chat is connected.",
        "incidents": "skipped: No chat is connected.",
        "leadership": "done: Notified Vera.",
        "timer": "done: The next update is due in 15 minutes.",
        "public": "done: Published on Example.",
        "ticket": "skipped: No tracker is connected.",
    }
    assert ours.paged() == ["Olga"]
    assert subjects_to("vera@example.com") == [f"{incident.reference} SEV1: Payment API returning 500 errors"]
    incident.refresh_from_db()
    assert incident.next_update_due_at == now + timedelta(minutes=15)
    public = PublicIncident.objects.get(incident=incident)
    assert (public.name, public.status, public.impact) == ("Problems with Checkout", "investigating", "major")


def test_what_pages_already_is_not_paged_twice(ours: House, now: datetime) -> None:
    incident = ours.declare("sev1", now)
    page_service(actor=ours.ana, incident=incident, service=ours.service, now=now)
    pass_time(now)
    assert came_of("sev1-declared", incident)["page"] == "skipped: All of it pages for the incident already."
    assert ours.paged() == ["Olga"]


def test_raised_to_sev1_is_as_declared_and_once_for_good(ours: House, now: datetime) -> None:
    incident = ours.declare("sev3", now)
    pass_time(now)
    assert came_of("sev3-declared", incident) == {"incidents": "skipped: No chat is connected."}
    assert ours.paged() == []
    for slug in ("sev1", "sev2", "sev1"):
        change_severity(actor=ours.ana, incident=incident, severity=incidents.severity(slug), now=now)
        pass_time(now + timedelta(minutes=1))
    assert ours.paged() == ["Olga"]
    assert WorkflowRun.objects.filter(workflow__slug="sev1-declared").count() == 1
    assert PublicIncident.objects.count() == 1


def test_a_sev2_pages_and_starts_the_clock_and_tells_nobody_else(ours: House, now: datetime) -> None:
    incident = ours.declare("sev2", now)
    pass_time(now)
    assert ours.paged() == ["Olga"]
    incident.refresh_from_db()
    assert incident.next_update_due_at == now + timedelta(minutes=30)
    assert not PublicIncident.objects.exists()
    assert subjects_to("vera@example.com") == []


def test_a_sev4_asks_for_a_ticket(ours: House, now: datetime) -> None:
    incident = ours.declare("sev4", now)
    pass_time(now)
    assert came_of("sev4-declared", incident) == {"ticket": "skipped: No tracker is connected."}
    assert ours.paged() == []


@pytest.mark.parametrize("mode", ["test", "game_day", "retrospective"])
def test_what_is_no_real_incident_sets_nothing_off(ours: House, now: datetime, mode: str) -> None:
    ours.declare("sev1", now, mode=mode)
    pass_time(now)
    pass_time(now + timedelta(minutes=40))
    ran = set(WorkflowRun.objects.values_list("workflow__slug", flat=True))
    assert ran <= {"update-overdue"}
    assert (ours.paged(), PublicIncident.objects.count()) == ([], 0)


def test_a_private_sev1_pages_and_tells_neither_the_public_nor_whoever_may_not_see_it(
    ours: House, now: datetime
) -> None:
    incident = ours.declare("sev1", now, visibility="private")
    pass_time(now)
    came = came_of("sev1-declared", incident)
    assert came["page"] == "done: Paged Payments."
    assert came["leadership"] == "skipped: There is nobody to notify (Vera may not see this incident)."
    assert came["public"].startswith("skipped: The incident is private")
    assert not PublicIncident.objects.exists()
    assert not any("Payment API" in message.subject + str(message.body) for message in mail.outbox)


def test_management_is_looped_in_after_half_an_hour_only_if_it_is_still_active(ours: House, now: datetime) -> None:
    over, active = ours.declare("sev1", now), ours.declare("sev1", now)
    pass_time(now)
    resolve_incident(actor=ours.ana, incident=over, now=now + timedelta(minutes=20))
    pass_time(now + timedelta(minutes=29))
    assert subjects_to("max@example.com") == []
    pass_time(now + timedelta(minutes=31))
    assert subjects_to("max@example.com") == [f"Still active: {active.reference} {active.name}"]
    assert WorkflowRun.objects.get(workflow__slug="management-loop", incident=over).state == "not_met"
    pass_time(now + timedelta(hours=5))
    assert len(subjects_to("max@example.com")) == 1
