"""Whatever people do with incidents, in whatever order: no rule breaks, and the timeline tells how it stands.

LIFECYCLE_EXAMPLES=500 tries more orders than the few of each run of the suite; those differ each time.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from events.errors import DomainError
from incidents import actions, kinds, membership, merging, paging, pausing, roles, streams, triage
from incidents.models import Incident, IncidentMerge, IncidentRole, IncidentStatus, IncidentType, Severity
from incidents.rules import audit
from incidents.times import NAMES, set_time
from incidents.updates import post_update
from oncall.models import EscalationPolicy
from tests.factories import accounts, catalog, incidents, oncall

SEVERITIES = ["sev1", "sev2", "sev3", "sev4"]
STATUSES = ["triage", "investigating", "monitoring", "resolved", "closed", "declined", "merged", "canceled"]
FEW_EXAMPLES = 10
EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", FEW_EXAMPLES))
IMPACTS = ["degraded_performance", "major_outage", None]


class Undo(Exception):
    """Takes back what an example has stored."""


class Lifecycle(RuleBasedStateMachine):
    """Verbs in any order; some are refused."""

    declared = Bundle("incidents")

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.fromisoformat("2026-03-14T09:26:53+00:00")
        self.audited: dict[int, str] = {}
        self.scope = rolled_back()
        self.scope.__enter__()
        self.ana = Actor.of_user(User.objects.get(name="Ana"), via="web")
        self.people = [User.objects.get(name="Ana"), User.objects.get(name="Bob")]
        self.service = Service.objects.get(slug="payments")
        self.policy = EscalationPolicy.objects.get()

    def teardown(self) -> None:
        self.scope.__exit__(None, None, None)

    def act(self, verb: Callable[..., Any], **fields: Any) -> Any:
        """Does it a minute later; None if it is refused."""
        self.now += timedelta(minutes=1)
        try:
            with transaction.atomic():
                return verb(actor=self.ana, now=self.now, **fields)
        except DomainError:
            return None

    def do(self, verb: Callable[..., Any], incident: int, **fields: Any) -> None:
        self.act(verb, incident=Incident.objects.get(pk=incident), **fields)

    @rule(
        target=declared,
        mode=st.sampled_from(Incident.Mode.values),
        kind=st.sampled_from(["incident", "security"]),
        severity=st.sampled_from(SEVERITIES),
        status=st.sampled_from(["triage", "investigating", None]),
        ends=st.booleans(),
    )
    def declare(self, mode: str, kind: str, severity: str, status: str | None, *, ends: bool) -> Any:
        over = {"resolved_at": self.now} if ends and mode == "retrospective" else {}
        incident = self.act(
            actions.declare_incident,
            name="Something fails",
            severity=Severity.objects.get(slug=severity),
            incident_type=IncidentType.objects.get(slug=kind),
            status=IncidentStatus.objects.get(slug=status) if status and not over else None,
            mode=mode,
            services=[self.service],
            started_at=self.now - timedelta(minutes=30),
            **over,
        )
        return incident.pk if incident else multiple()

    @initialize(target=declared, status=st.sampled_from(["triage", "investigating"]))
    def begin(self, status: str) -> Any:
        """Two that could become one, and a stream of the first if that is accepted."""
        first: Any = self.declare("standard", "incident", "sev2", status, ends=False)
        second: Any = self.declare("standard", "incident", "sev1", "investigating", ends=False)
        stream = self.act(streams.declare_stream, incident=Incident.objects.get(pk=second), name="A part")
        self.do(roles.assign_role, first, role=IncidentRole.objects.get(slug="lead"), user=self.people[1])
        self.do(paging.page_for_incident, first, policy=self.policy)
        return multiple(first, second, stream.pk)

    @rule(target=declared, parent=declared)
    def open_stream(self, parent: int) -> Any:
        stream = self.act(
            streams.declare_stream, incident=Incident.objects.get(pk=parent), name="A part", lead=self.people[1]
        )
        return stream.pk if stream else multiple()

    @rule(incident=declared)
    def accept(self, incident: int) -> None:
        self.do(triage.accept_incident, incident, name="Something really fails")

    @rule(incident=declared, confirmed=st.booleans())
    def decline_or_cancel(self, incident: int, *, confirmed: bool) -> None:
        self.do(triage.decline_incident, incident, reason="Noise")
        if confirmed:
            self.do(triage.cancel_incident, incident, reason="A mistake", confirmed=True)

    @rule(incident=declared, status=st.sampled_from(STATUSES), confirmed=st.booleans())
    def move(self, incident: int, status: str, *, confirmed: bool) -> None:
        found = IncidentStatus.objects.get(slug=status)
        self.do(actions.change_status, incident, status=found, reason="So it is", confirmed=confirmed)

    @rule(incident=declared, severity=st.sampled_from(SEVERITIES))
    def grade(self, incident: int, severity: str) -> None:
        self.do(actions.change_severity, incident, severity=Severity.objects.get(slug=severity))

    @rule(incident=declared, kind=st.sampled_from(["incident", "security"]))
    def retype(self, incident: int, kind: str) -> None:
        self.do(kinds.change_type, incident, incident_type=IncidentType.objects.get(slug=kind))

    @rule(incident=declared, visibility=st.sampled_from(Incident.Visibility.values))
    def show_or_hide(self, incident: int, visibility: str) -> None:
        self.do(membership.set_visibility, incident, visibility=visibility)

    @rule(incident=declared, into=declared, confirmed=st.booleans())
    def merge(self, incident: int, into: int, *, confirmed: bool) -> None:
        self.do(merging.merge_incident, incident, into=Incident.objects.get(pk=into), confirmed=confirmed)

    @rule(incident=declared, into=declared)
    def merge_and_unmerge(self, incident: int, into: int) -> None:
        self.do(merging.merge_incident, incident, into=Incident.objects.get(pk=into), confirmed=True)
        self.every_incident_stands_as_it_may_and_as_its_timeline_tells()
        self.do(merging.unmerge_incident, incident)

    @rule(incident=declared, slug=st.sampled_from(["lead", "comms"]), who=st.sampled_from([0, 1, None]))
    def assign(self, incident: int, slug: str, who: int | None) -> None:
        user = None if who is None else self.people[who]
        self.do(roles.assign_role, incident, role=IncidentRole.objects.get(slug=slug), user=user)

    @rule(incident=declared, impact=st.sampled_from(IMPACTS))
    def affect(self, incident: int, impact: str | None) -> None:
        self.do(actions.set_affected_service, incident, service=self.service, impact=impact)

    @rule(incident=declared)
    def page(self, incident: int) -> None:
        self.do(paging.page_for_incident, incident, policy=self.policy)

    @rule(incident=declared)
    def mitigate(self, incident: int) -> None:
        self.do(actions.mitigate_incident, incident)

    @rule(incident=declared, confirmed=st.booleans())
    def resolve(self, incident: int, *, confirmed: bool) -> None:
        self.do(actions.resolve_incident, incident, confirmed=confirmed)

    @rule(incident=declared)
    def reopen(self, incident: int) -> None:
        self.do(actions.reopen_incident, incident)

    @rule(incident=declared)
    def close(self, incident: int) -> None:
        self.do(triage.close_incident, incident)

    @rule(incident=declared)
    def update(self, incident: int) -> None:
        self.do(post_update, incident, text="We know more.")

    @rule(incident=declared, resume=st.booleans())
    def pause(self, incident: int, *, resume: bool) -> None:
        self.do(pausing.pause_incident, incident)
        if resume:
            self.do(pausing.resume_incident, incident)

    @rule(
        incident=declared,
        which=st.sampled_from(sorted(NAMES)),
        minutes=st.one_of(st.none(), st.integers(-40, 1)),
    )
    def correct(self, incident: int, which: str, minutes: int | None) -> None:
        value = None if minutes is None else self.now + timedelta(minutes=minutes)
        self.do(set_time, incident, which=which, value=value, reason="As logs say")

    @invariant()
    def every_incident_stands_as_it_may_and_as_its_timeline_tells(self) -> None:
        # Whatever a verb changes, it numbers or locks: those that stand as they stood need no second look.
        for incident in Incident.objects.order_by("pk"):
            stands = tuple(getattr(incident, field.attname) for field in Incident._meta.concrete_fields)
            if self.audited.get(incident.pk) != repr(stands):
                assert audit(incident) == [], incident.reference
                self.audited[incident.pk] = repr(stands)

    @invariant()
    def nothing_is_merged_without_a_way_back(self) -> None:
        merged = set(Incident.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"))
        assert merged == set(IncidentMerge.objects.filter(unmerged_at=None).values_list("source_id", "target_id"))


@contextmanager
def rolled_back() -> Generator[None]:
    """What is stored within is gone after it."""
    try:
        with transaction.atomic():
            yield
            raise Undo
    except Undo:
        pass


@pytest.mark.django_db
def test_no_order_of_verbs_breaks_a_rule_and_the_timeline_tells_how_it_stands() -> None:
    incidents.configuration()
    security = IncidentType.objects.get(slug="security")
    security.severities.set(Severity.objects.filter(slug__in=["sev1", "sev2"]))
    accounts.user(name="Ana")
    oncall.policy(oncall.level(accounts.user(name="Bob")))
    catalog.service(name="Payments", slug="payments")
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES == FEW_EXAMPLES,
            database=None,
        ),
    )
