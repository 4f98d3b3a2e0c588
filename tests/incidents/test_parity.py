"""A form, REST, a command, the admin and a workflow's step leave the same rows; only `via` tells them apart."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from events.models import Event
from incidents.actions import resolve_incident
from incidents.commands.running import run_command
from incidents.models import Incident, IncidentStatus, IncidentType, Severity
from tests.factories import accounts, catalog, incidents
from workflows.registry import Context, step_called

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@dataclass(frozen=True)
class Verb:
    """One verb by each of its ways in; None where a way has it not.

    `form` and `rest` are the address below the incident and what is sent, `command` what is typed in the room, `admin`
    the action on chosen rows, `step` the kind of a workflow's step with its parameters. The verbs of `before` are done
    to the incident first. PERSON is Bob, OTHER the number of another incident, STATUS the row of Identified.
    """

    form: tuple[str, dict[str, Any]]
    rest: tuple[str, dict[str, Any]]
    command: str | None = None
    admin: str | None = None
    step: tuple[str, dict[str, Any]] | None = None
    before: str = ""


STARTED = {"which": "started", "reason": "Logs"}
VERBS: dict[str, Verb] = {
    "note": Verb(
        ("notes", {"text": "Pool full"}),
        ("timeline", {"text": "Pool full"}),
        "/note Pool full",
        step=("add_note", {"text": "Pool full"}),
    ),
    "update": Verb(
        ("updates", {"text": "Found it", "status": "STATUS", "next_update_minutes": "30"}),
        ("updates", {"text": "Found it", "status": "identified", "next_update_minutes": 30}),
    ),
    "plain update": Verb(
        ("updates", {"text": "Found it"}),
        ("updates", {"text": "Found it"}),
        "/update Found it",
        step=("post_update", {"text": "Found it"}),
    ),
    "status": Verb(
        ("status", {"status": "monitoring"}),
        ("status", {"status": "monitoring"}),
        "/status monitoring",
        step=("set_status", {"status": "monitoring"}),
    ),
    "severity": Verb(
        ("severity", {"severity": "sev1"}),
        ("severity", {"severity": "sev1"}),
        "/severity sev1",
        step=("set_severity", {"severity": "sev1"}),
    ),
    "role": Verb(
        ("roles", {"role": "lead", "user": "PERSON"}),
        ("roles", {"role": "lead", "user": "PERSON"}),
        '/assign lead @"Bob Okafor"',
    ),
    "service": Verb(
        ("services", {"service": "search", "impact": "major_outage"}),
        ("services", {"service": "search", "impact": "major_outage"}),
        "/service search major_outage",
    ),
    "accept": Verb(
        ("accept", {"severity": "sev1"}),
        ("accept", {"severity": "sev1"}),
        "/accept sev1",
        before="triage",
    ),
    "decline": Verb(
        ("decline", {"reason": "Noise"}),
        ("decline", {"reason": "Noise"}),
        "/decline Noise",
        "decline",
        before="triage",
    ),
    "cancel": Verb(("cancel", {"reason": "A drill"}), ("cancel", {"reason": "A drill"}), "/cancel A drill", "cancel"),
    "merge": Verb(("merge", {"into": "OTHER", "reason": "Same"}), ("merge", {"into": "OTHER", "reason": "Same"})),
    "stream": Verb(("streams", {"name": "Disks", "lead": "PERSON"}), ("streams", {"name": "Disks", "lead": "PERSON"})),
    "pause": Verb(("pause", {"reason": "Night"}), ("pause", {"reason": "Night"}), "/pause Night"),
    "type": Verb(
        ("type", {"incident_type": "security"}),
        ("type", {"incident_type": "security"}),
        step=("set_type", {"type": "security"}),
    ),
    "time": Verb(
        ("times", {**STARTED, "value": "2026-03-14T09:00:00"}), ("times", {**STARTED, "value": "2026-03-14T09:00:00Z"})
    ),
    "summary": Verb(("edit", {"summary": "Pool full"}), ("", {"summary": "Pool full"}), "/summary Pool full"),
    "facts": Verb(("edit", {"impact": "No payments", "tickets": "4"}), ("", {"impact": "No payments", "tickets": 4})),
    "page": Verb(("page", {"user": "PERSON"}), ("pages", {"user": "PERSON"}), '/page @"Bob Okafor"'),
    "mitigate": Verb(("mitigate", {}), ("mitigate", {}), "/mitigate", "mitigate", ("mitigate", {})),
    "resolve": Verb(("resolve", {}), ("resolve", {}), "/resolve", "resolve", ("resolve", {})),
    "close": Verb(("close", {}), ("close", {}), "/close", "close", before="resolved"),
    "reopen": Verb(("reopen", {}), ("reopen", {}), "/reopen", "reopen", before="resolved"),
    "visibility": Verb(
        ("visibility", {"visibility": "private"}), ("visibility", {"visibility": "private"}), "/private"
    ),
}


@pytest.fixture
def ana() -> User:
    return accounts.user(name="Ana Ferreira", role=Role.OWNER)


@pytest.fixture
def bob() -> User:
    return accounts.user(name="Bob Okafor")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fresh(ana: User, verb: Verb) -> Incident:
    """An incident for the verb; the clock of its declaration is long ago, as verbs come at any time."""
    Service.objects.get_or_create(name="Search", slug="search")
    actor, now = Actor.of_user(ana, via="web"), LONG_AGO
    status = incidents.status("triage") if verb.before == "triage" else None
    incident = incidents.incident(actor, status=status, now=now)
    return resolve_incident(actor=actor, incident=incident, now=now) if verb.before == "resolved" else incident


def left_behind(incident: Incident) -> dict[str, Any]:
    """What a change leaves in the database, without ids and the way it came."""
    incident.refresh_from_db()
    entries = incident.timeline.exclude(kind="declared").order_by("sequence")
    events = Event.objects.filter(subject_type="incidents.incident", subject_id=incident.pk).order_by("id")
    return {
        "status": incident.status.slug,
        "severity": incident.severity.slug,
        "visibility": incident.visibility,
        "is_mitigated": incident.mitigated_at is not None,
        "is_resolved": incident.resolved_at is not None,
        "roles": list(incident.role_assignments.values_list("role__slug", "user_id")),
        "services": list(incident.affected_services.values_list("service__slug", "impact")),
        "members": list(incident.members.values_list("pk", flat=True)),
        "is_merged": incident.merged_into_id is not None,
        "is_paused": incident.paused_at is not None,
        "started_at": incident.started_at,
        "facts": (incident.summary, incident.impact, incident.tickets, incident.incident_type.slug),
        "streams": list(incident.streams.values_list("name", flat=True)),
        "pages": list(incident.escalations.values_list("path__policy", "urgency")),
        "entries": [(e.kind, nameless(e.text), e.actor_name, e.user_id, e.is_key) for e in entries],
        "events": [(e.name, {k: v for k, v in e.data.items() if k not in OF_ITS_OWN}) for e in events],
    }


# What each incident has another of.
OF_ITS_OWN = {"update", "entry", "stream", "into", "sequence"}


def nameless(text: str) -> str:
    """The words without the number of an incident."""
    return re.sub(r"INC-\d+", "INC", text)


def filled(fields: dict[str, Any], bob: User, other: Incident) -> dict[str, Any]:
    words = {"PERSON": bob.pk, "OTHER": other.number, "STATUS": IncidentStatus.objects.get(slug="identified").pk}
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}


def sent(client: Client, way: str, verb: Verb, incident: Incident, bob: User) -> None:
    """Does the verb by a form or over REST."""
    other = incidents.incident(Actor.system(), name="Other", now=LONG_AGO)
    address, fields = verb.form if way == "form" else verb.rest
    base = f"/incidents/{incident.number}/" if way == "form" else f"/api/v1/incidents/{incident.number}/"
    body = filled(fields, bob, other)
    if way == "form":
        answer = client.post(f"{base}{address}/", body)
    else:
        send = client.post if address else client.patch
        answer = send(f"{base}{address}/" if address else base, body, content_type="application/json")
    assert answer.status_code in {200, 201, 302}, answer.content


def vias(incident: Incident, of: Verb) -> set[str]:
    """By which way its entries came, but for those of before."""
    first = {"resolved": 2}.get(of.before, 1)
    return set(incident.timeline.filter(sequence__gt=first).values_list("via", flat=True))


@pytest.mark.parametrize("name", VERBS)
def test_every_way_in_leaves_the_same_rows(name: str, ana: User, bob: User) -> None:
    verb = VERBS[name]
    client, by_form = client_of(ana), fresh(ana, verb)
    sent(client, "form", verb, by_form, bob)
    expected = left_behind(by_form)
    assert vias(by_form, verb) == {"web"}
    by_rest = fresh(ana, verb)
    sent(client, "rest", verb, by_rest, bob)
    assert left_behind(by_rest) == expected
    assert vias(by_rest, verb) == {"api"}
    if verb.command:
        by_command = fresh(ana, verb)
        run_command(actor=Actor.of_user(ana, via="slack"), incident=by_command, text=verb.command, now=timezone.now())
        assert left_behind(by_command) == expected
        assert vias(by_command, verb) == {"slack"}
    if verb.admin:
        by_admin = fresh(ana, verb)
        body = {"action": verb.admin, "_selected_action": [by_admin.pk], **verb.form[1]}
        assert client.post("/admin/incidents/incident/", body).status_code == 302
        assert left_behind(by_admin) == expected
        assert vias(by_admin, verb) == {"admin"}
    if verb.step:
        by_step, (kind, params) = fresh(ana, verb), verb.step
        actor = Actor.of_user(ana, via="workflow")
        doing = step_called(kind)
        assert doing is not None
        doing.run(Context(actor=actor, now=timezone.now(), facts={}, incident=by_step), params)
        assert left_behind(by_step) == expected
        assert vias(by_step, verb) == {"workflow"}


def test_declaring_by_form_and_by_rest_leaves_the_same_rows(ana: User, bob: User, now: datetime) -> None:
    incidents.configuration()
    catalog.service(name="Search", slug="search")
    severity = Severity.objects.get(slug="sev1")
    client = client_of(ana)
    kind = IncidentType.objects.get(is_default=True)
    answer = client.post(
        "/incidents/declare/",
        {
            "name": "Cards fail",
            "severity": severity.pk,
            "services": [Service.objects.get(slug="search").pk],
            "lead": bob.pk,
            "incident_type": kind.pk,
            "visibility": "public",
            "mode": "standard",
        },
    )
    assert answer.status_code == 302, answer.content
    by_form = Incident.objects.get(name="Cards fail")
    answer = client.post(
        "/api/v1/incidents/",
        {"name": "Cards fail again", "severity": "sev1", "services": ["search"], "lead": bob.pk},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    by_rest = Incident.objects.get(name="Cards fail again")
    assert left_behind(by_form) == left_behind(by_rest)
