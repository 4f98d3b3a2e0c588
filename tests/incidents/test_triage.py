"""Triage: accepted, declined, canceled; which step leads where; what ends without being resolved."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from accounts.actor import Actor
from events.errors import Conflict, Invalid
from events.models import Event
from incidents import actions, kinds, paging, triage
from incidents.models import Incident, IncidentType, StatusCategory
from incidents.transitions import MOVES, move_between, reachable, times_after
from oncall.models import Escalation
from tests.factories import accounts, alerts, incidents, oncall

LATER = timedelta(minutes=10)


@pytest.fixture
def waiting(responder: Actor, now: datetime) -> Incident:
    """A SEV3 in triage."""
    return incidents.incident(responder, severity="sev3", status=incidents.status("triage"), now=now)


def test_accepting_makes_it_active_and_says_so(responder: Actor, waiting: Incident, now: datetime) -> None:
    accepted = triage.accept_incident(
        actor=responder, incident=waiting, severity=incidents.severity("sev1"), name="Cards fail", now=now + LATER
    )
    assert (accepted.status.slug, accepted.severity.slug, accepted.name) == ("investigating", "sev1", "Cards fail")
    assert waiting.timeline.latest("sequence").text == "accepted the incident as SEV1 (Investigating)"
    names = Event.objects.filter(subject_id=waiting.pk).order_by("id").values_list("name", flat=True)
    assert list(names) == ["incident.declared", "incident.edited", "incident.severity_changed", "incident.accepted"]


def test_accepting_twice_changes_nothing(responder: Actor, waiting: Incident, now: datetime) -> None:
    triage.accept_incident(actor=responder, incident=waiting, now=now)
    count = waiting.timeline.count()
    triage.accept_incident(actor=responder, incident=waiting, now=now)
    assert waiting.timeline.count() == count


@pytest.mark.parametrize(
    ("end", "event"), [(triage.decline_incident, "incident.declined"), (triage.cancel_incident, "incident.canceled")]
)
def test_what_was_no_incident_ends_unresolved(
    end: Callable[..., Incident], event: str, responder: Actor, waiting: Incident, now: datetime
) -> None:
    escalation = oncall.escalation(oncall.level(accounts.user()), now=now)
    paging.attach_escalation(actor=responder, incident=waiting, escalation=escalation, now=now)
    with pytest.raises(Invalid) as refused:
        end(actor=responder, incident=waiting, reason=" ", now=now)
    assert refused.value.field == "reason"
    ended = end(actor=responder, incident=waiting, reason="A load test", now=now + LATER)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.RESOLVED
    assert (ended.resolved_at, ended.mitigated_at, ended.closed_at) == (None, None, now + LATER)
    assert ended.next_update_due_at is None
    lengths = ended.durations(now + timedelta(days=9))
    assert (lengths.to_resolve, lengths.lasted) == (None, LATER)
    assert waiting.timeline.filter(kind="status").get().text.endswith(": A load test")
    assert Event.objects.get(name=event).data["reason"] == "A load test"
    count = waiting.timeline.count()
    assert end(actor=responder, incident=waiting, reason="Again", now=now).pk == waiting.pk
    assert waiting.timeline.count() == count


def test_what_nobody_has_accepted_is_not_resolved(responder: Actor, waiting: Incident, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        actions.resolve_incident(actor=responder, incident=waiting, now=now)
    assert refused.value.remedy == "Accept it first, or decline it."


def test_an_accepted_incident_is_canceled_not_declined(responder: Actor, incident: Incident, now: datetime) -> None:
    with pytest.raises(Conflict) as refused:
        triage.decline_incident(actor=responder, incident=incident, reason="Noise", now=now)
    assert "Cancel" in refused.value.remedy


def test_a_declined_incident_can_be_taken_up_after_all(responder: Actor, waiting: Incident, now: datetime) -> None:
    triage.decline_incident(actor=responder, incident=waiting, reason="Noise", now=now)
    reopened = actions.reopen_incident(actor=responder, incident=waiting, now=now)
    assert (reopened.status.slug, reopened.closed_at) == ("investigating", None)


def test_closing_what_is_active_resolves_it_too(responder: Actor, incident: Incident, now: datetime) -> None:
    closed = triage.close_incident(actor=responder, incident=incident, now=now + LATER)
    assert (closed.resolved_at, closed.closed_at) == (now + LATER, now + LATER)
    names = Event.objects.filter(subject_id=incident.pk).order_by("id").values_list("name", flat=True)
    assert list(names)[1:] == ["incident.resolved", "incident.closed"]


def test_no_step_leads_into_merged_or_out_of_it_but_merging() -> None:
    for before, after in product(StatusCategory.values, repeat=2):
        if "merged" in {before, after}:
            with pytest.raises(Conflict) as refused:
                move_between(before, after)
            assert refused.value.remedy


@pytest.mark.parametrize(("before", "after"), list(product(StatusCategory.values, repeat=2)))
def test_every_step_is_in_the_table_or_refused_with_a_remedy(before: str, after: str) -> None:
    if after in reachable(before):
        assert move_between(before, after) is MOVES[before, after]
        return
    with pytest.raises(Conflict) as refused:
        move_between(before, after)
    assert refused.value.remedy


def test_times_follow_from_the_step(now: datetime) -> None:
    before = now - LATER
    assert times_after("active", "post_incident", {"mitigated_at": before}, now) == {"resolved_at": now}
    assert times_after("post_incident", "closed", {"resolved_at": before}, now) == {"closed_at": now}
    assert times_after("closed", "post_incident", {"closed_at": before}, now) == {"closed_at": None}
    assert times_after("merged", "active", {"mitigated_at": before, "closed_at": now}, now) == {"closed_at": None}


# --- Types ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def security(db: None) -> IncidentType:
    """Private by default, SEV1 or SEV2 only."""
    incidents.configuration()
    found = IncidentType.objects.get(slug="security")
    found.severities.set([incidents.severity("sev1"), incidents.severity("sev2")])
    return found


def test_a_type_refuses_a_severity_and_names_those_it_allows(
    responder: Actor, security: IncidentType, now: datetime
) -> None:
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, severity="sev4", incident_type=security, now=now)
    assert (refused.value.field, refused.value.remedy) == ("severity", "Use SEV1, SEV2.")
    incident = incidents.incident(responder, incident_type=security, now=now)
    with pytest.raises(Invalid):
        actions.change_severity(actor=responder, incident=incident, severity=incidents.severity("sev3"), now=now)


def test_an_alert_is_never_held_back_by_its_type(security: IncidentType, now: datetime) -> None:
    source = Actor.of_alert_source(1, "Prometheus")
    assert incidents.incident(source, severity="sev4", incident_type=security, now=now).severity.slug == "sev4"


def test_a_route_is_refused_that_would_declare_what_its_type_does_not_allow(security: IncidentType) -> None:
    wanted: dict[str, Any] = {"declares_incident": True, "incident_type": security}
    with pytest.raises(Invalid) as refused:
        alerts.route(severity=incidents.severity("sev4"), **wanted)
    assert (refused.value.field, refused.value.remedy) == ("severity", "Use SEV1, SEV2.")
    with pytest.raises(Invalid) as refused:
        alerts.route(severity=incidents.severity("sev1"), severity_map={"info": "sev4"}, **wanted)
    assert refused.value.field == "severity_map"


def test_nothing_is_declared_of_a_type_that_is_out_of_use(
    responder: Actor, security: IncidentType, now: datetime
) -> None:
    security.is_active = False
    security.save()
    with pytest.raises(Invalid) as refused:
        incidents.incident(responder, incident_type=security, now=now)
    assert refused.value.field == "incident_type"


def test_a_type_that_is_private_makes_the_incident_private(
    responder: Actor, incident: Incident, security: IncidentType, now: datetime
) -> None:
    changed = kinds.change_type(actor=responder, incident=incident, incident_type=security, now=now)
    assert (changed.incident_type, changed.is_private) == (security, True)
    assert incident.timeline.order_by("sequence").values_list("text", flat=True)[1] == (
        "changed the type Incident → Security"
    )


def test_a_type_that_does_not_allow_the_severity_is_refused(
    responder: Actor, security: IncidentType, now: datetime
) -> None:
    incident = incidents.incident(responder, severity="sev3", now=now)
    with pytest.raises(Conflict) as refused:
        kinds.change_type(actor=responder, incident=incident, incident_type=security, now=now)
    assert "SEV1, SEV2" in refused.value.remedy
