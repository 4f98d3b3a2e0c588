"""Changing an incident: severity, status, roles, services, words."""

from datetime import datetime, timedelta

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from incidents import actions, entries, membership, paging, roles, updates
from incidents.models import Incident, IncidentRole, IncidentStatus
from oncall.models import Escalation
from tests.factories import accounts, catalog, incidents, oncall


def texts(incident: Incident) -> list[str]:
    return list(incident.timeline.order_by("sequence").values_list("text", flat=True))


def test_raising_the_severity_says_so_and_shortens_the_update_timer(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    changed = actions.change_severity(
        actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now + timedelta(minutes=5)
    )
    assert texts(incident)[-1] == "raised severity SEV2 → SEV1"
    assert changed.next_update_due_at == now + timedelta(minutes=15)
    assert Event.objects.get(name="incident.severity_changed").data["raised"] is True


def test_the_same_severity_again_changes_nothing(responder: Actor, incident: Incident, now: datetime) -> None:
    before = texts(incident)
    actions.change_severity(actor=responder, incident=incident, severity=incident.severity, now=now)
    assert texts(incident) == before


def test_resolving_mitigates_ends_escalations_and_stops_the_timer(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    escalation = oncall.escalation(oncall.level(accounts.user()), now=now)
    paging.attach_escalation(actor=responder, incident=incident, escalation=escalation, now=now)
    later = now + timedelta(minutes=42)
    resolved = actions.resolve_incident(actor=responder, incident=incident, now=later)
    escalation.refresh_from_db()
    assert (resolved.status.slug, resolved.resolved_at, resolved.mitigated_at) == ("resolved", later, later)
    assert resolved.next_update_due_at is None
    assert escalation.status == Escalation.Status.RESOLVED
    assert Event.objects.filter(name="incident.resolved", subject_id=incident.pk).count() == 1


def test_resolving_twice_changes_nothing(responder: Actor, incident: Incident, now: datetime) -> None:
    actions.resolve_incident(actor=responder, incident=incident, now=now)
    before = texts(incident)
    actions.resolve_incident(actor=responder, incident=incident, now=now + timedelta(hours=1))
    assert texts(incident) == before


def test_reopening_takes_the_ends_back(responder: Actor, incident: Incident, now: datetime) -> None:
    actions.resolve_incident(actor=responder, incident=incident, now=now)
    reopened = actions.reopen_incident(actor=responder, incident=incident, now=now)
    assert reopened.status.slug == "investigating"
    assert (reopened.resolved_at, reopened.mitigated_at) == (None, None)
    assert Event.objects.filter(name="incident.reopened").exists()


def test_mitigated_is_not_resolved(responder: Actor, incident: Incident, now: datetime) -> None:
    mitigated = actions.mitigate_incident(actor=responder, incident=incident, now=now)
    again = actions.mitigate_incident(actor=responder, incident=incident, now=now + timedelta(minutes=9))
    assert mitigated.mitigated_at == again.mitigated_at == now
    assert again.is_open


def test_a_resolved_incident_cannot_be_mitigated(responder: Actor, incident: Incident, now: datetime) -> None:
    Incident.objects.filter(pk=incident.pk).update(status=IncidentStatus.objects.get(slug="declined"))
    with pytest.raises(Conflict):
        actions.mitigate_incident(actor=responder, incident=incident, now=now)


def test_a_role_is_handed_over(responder: Actor, incident: Incident, now: datetime) -> None:
    lead = IncidentRole.objects.get(slug="lead")
    ana, bob = accounts.user(name="Ana"), accounts.user(name="Bob")
    roles.assign_role(actor=responder, incident=incident, role=lead, user=ana, now=now)
    roles.assign_role(actor=responder, incident=incident, role=lead, user=bob, now=now)
    assert incident.role_assignments.filter(role=lead, ended_at=None).get().user == bob
    assert incident.role_assignments.filter(role=lead).count() == 2
    assert texts(incident)[-1] == "made Bob Incident Commander (was Ana)"
    roles.assign_role(actor=responder, incident=incident, role=lead, user=None, now=now)
    assert texts(incident)[-1] == "left Incident Commander open"


def test_services_are_affected_more_less_and_no_longer(responder: Actor, incident: Incident, now: datetime) -> None:
    search = catalog.service(name="Search")

    def affect(impact: str | None) -> None:
        actions.set_affected_service(actor=responder, incident=incident, service=search, impact=impact, now=now)

    affect("degraded_performance")
    affect("major_outage")
    affect("major_outage")
    affect(None)
    assert texts(incident)[-3:] == [
        "marked Search as affected: degraded performance",
        "marked Search as affected: major outage",
        "took Search off the affected services",
    ]
    with pytest.raises(Invalid) as refused:
        affect("on fire")
    assert refused.value.field == "impact"


def test_an_update_carries_status_and_severity_and_restarts_the_timer(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    later = now + timedelta(minutes=10)
    update = updates.post_update(
        actor=responder,
        incident=incident,
        text="The pool is exhausted.",
        status=IncidentStatus.objects.get(slug="identified"),
        next_update_in=timedelta(minutes=20),
        now=later,
    )
    incident.refresh_from_db()
    assert (incident.status.slug, incident.last_update_at) == ("identified", later)
    assert incident.next_update_due_at == update.next_update_due_at == later + timedelta(minutes=20)
    assert texts(incident)[-2:] == ["changed status Investigating → Identified", "The pool is exhausted."]


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_note_is_refused(responder: Actor, incident: Incident, now: datetime, text: str) -> None:
    with pytest.raises(Invalid):
        entries.add_note(actor=responder, incident=incident, text=text, now=now)


def test_an_edit_names_what_changed_and_an_empty_one_says_nothing(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    actions.edit_incident(actor=responder, incident=incident, now=now, name="Cards fail", users_affected=15000)
    actions.edit_incident(actor=responder, incident=incident, now=now, name="Cards fail")
    assert texts(incident)[1:] == ["edited the name, users affected (now “Cards fail”)"]


def test_paging_for_an_incident_is_tied_to_it(responder: Actor, incident: Incident, now: datetime) -> None:
    policy = oncall.policy(oncall.level(accounts.user()))
    escalation = paging.page_for_incident(actor=responder, incident=incident, policy=policy, now=now)
    assert escalation.title == f"{incident.reference} {incident.name}"
    assert escalation.facts["severity"] == "SEV2"
    assert texts(incident)[-1] == f"started paging {policy.name}"
    actions.resolve_incident(actor=responder, incident=incident, now=now)
    with pytest.raises(Conflict):
        paging.page_for_incident(actor=responder, incident=incident, policy=policy, now=now)


VERBS = [
    lambda actor, incident, now: entries.add_note(actor=actor, incident=incident, text="x", now=now),
    lambda actor, incident, now: updates.post_update(actor=actor, incident=incident, text="x", now=now),
    lambda actor, incident, now: actions.edit_incident(actor=actor, incident=incident, now=now, name="x"),
    lambda actor, incident, now: actions.resolve_incident(actor=actor, incident=incident, now=now),
    lambda actor, incident, now: actions.mitigate_incident(actor=actor, incident=incident, now=now),
    lambda actor, incident, now: membership.set_visibility(
        actor=actor, incident=incident, visibility="private", now=now
    ),
    lambda actor, incident, now: actions.change_severity(
        actor=actor, incident=incident, severity=incidents.severity("sev1"), now=now
    ),
    lambda actor, incident, now: roles.assign_role(
        actor=actor, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=accounts.user(), now=now
    ),
]


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_may_change_nothing(incident: Incident, now: datetime, verb: object) -> None:
    with pytest.raises(NotAllowed):
        verb(accounts.actor(Role.VIEWER), incident, now)  # type: ignore[operator]
    assert incident.timeline.count() == 1


def test_sequences_have_no_holes(responder: Actor, incident: Incident, now: datetime) -> None:
    for number in range(5):
        entries.add_note(actor=responder, incident=incident, text=str(number), now=now)
    sequences = list(incident.timeline.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == [1, 2, 3, 4, 5, 6]
