"""A form, REST and the admin leave the same rows; only `via` tells them apart."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from events.models import Event
from incidents.actions import resolve_incident
from incidents.models import Incident, IncidentStatus, IncidentType, Severity
from tests.factories import accounts, catalog, incidents

pytestmark = pytest.mark.django_db

Verb = tuple[str, dict[str, Any], str, dict[str, Any]]

VERBS: dict[str, Verb] = {
    # name: address of the form, its fields, address below the API's incident, its body
    "note": ("notes", {"text": "Pool full"}, "timeline", {"text": "Pool full"}),
    "update": (
        "updates",
        {"text": "Found it", "status": "STATUS", "next_update_minutes": "30"},
        "updates",
        {"text": "Found it", "status": "identified", "next_update_minutes": 30},
    ),
    "status": ("status", {"status": "monitoring"}, "status", {"status": "monitoring"}),
    "severity": ("severity", {"severity": "sev1"}, "severity", {"severity": "sev1"}),
    "role": ("roles", {"role": "lead", "user": "PERSON"}, "roles", {"role": "lead", "user": "PERSON"}),
    "service": (
        "services",
        {"service": "search", "impact": "major_outage"},
        "services",
        {"service": "search", "impact": "major_outage"},
    ),
    "mitigate": ("mitigate", {}, "mitigate", {}),
    "resolve": ("resolve", {}, "resolve", {}),
    "visibility": ("visibility", {"visibility": "private"}, "visibility", {"visibility": "private"}),
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


def fresh(ana: User, now: datetime) -> Incident:
    Service.objects.get_or_create(name="Search", slug="search")
    return incidents.incident(Actor.of_user(ana, via="web"), now=now)


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
        "entries": [(e.kind, e.text, e.actor_name, e.user_id, e.is_key) for e in entries],
        "events": [(e.name, {k: v for k, v in e.data.items() if k != "update"}) for e in events],
    }


def filled(fields: dict[str, Any], bob: User) -> dict[str, Any]:
    words = {"PERSON": bob.pk, "STATUS": IncidentStatus.objects.get(slug="identified").pk}
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}


@pytest.mark.parametrize("verb", VERBS)
def test_form_and_rest_leave_the_same_rows(verb: str, ana: User, bob: User, now: datetime) -> None:
    form_address, form_fields, api_address, body = VERBS[verb]
    by_form, by_rest = fresh(ana, now), fresh(ana, now)
    client = client_of(ana)
    answer = client.post(f"/incidents/{by_form.number}/{form_address}/", filled(form_fields, bob))
    assert answer.status_code == 302, answer.content
    answer = client.post(
        f"/api/v1/incidents/{by_rest.number}/{api_address}/", filled(body, bob), content_type="application/json"
    )
    assert answer.status_code in {200, 201}, answer.content
    assert left_behind(by_form) == left_behind(by_rest)
    assert set(by_form.timeline.filter(sequence__gt=1).values_list("via", flat=True)) == {"web"}
    assert set(by_rest.timeline.filter(sequence__gt=1).values_list("via", flat=True)) == {"api"}


@pytest.mark.parametrize("verb", ["mitigate", "resolve", "reopen"])
def test_the_admin_leaves_the_same_rows(verb: str, ana: User, bob: User, now: datetime) -> None:
    by_form, by_admin = fresh(ana, now), fresh(ana, now)
    if verb == "reopen":
        for incident in (by_form, by_admin):
            resolve_incident(actor=Actor.of_user(ana, via="web"), incident=incident, now=now)
    client = client_of(ana)
    client.post(f"/incidents/{by_form.number}/{verb}/")
    answer = client.post("/admin/incidents/incident/", {"action": verb, "_selected_action": [by_admin.pk]})
    assert answer.status_code == 302
    assert left_behind(by_form) == left_behind(by_admin)
    newest = by_admin.timeline.order_by("-sequence").first()
    assert newest is not None
    assert newest.via == "admin"


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
