"""A form, REST, a command, the admin and a workflow's step leave the same rows; only `via` tells them apart."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from incidents.followers import follow
from incidents.membership import set_visibility
from incidents.merging import merge_incident
from incidents.models import CustomField, Incident, IncidentStatus, IncidentType, Severity
from incidents.pausing import pause_incident
from incidents.streams import declare_stream
from incidents.todo import add_action
from incidents.updates import post_update, start_update_timer
from tests.factories import accounts, catalog, incidents
from workflows.registry import Context, step_called

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


class No(str):
    """Why a verb does not come in by a way, in a word."""


@dataclass(frozen=True)
class Verb:
    """One verb by each of its ways in; a `No` where it makes no sense by that way.

    `form` and `rest` are the address below the incident and what is sent, `command` what is typed in the room, `admin`
    the action on chosen rows, `step` the kind of a workflow's step with its parameters. The verbs of `before` are done
    to the incident first. PERSON is Bob, OTHER the number of another incident, STATUS the row of Identified, UPDATE
    and ACTION the row of the newest one.
    """

    form: tuple[str, dict[str, Any]]
    rest: tuple[str, dict[str, Any]]
    command: str | No
    admin: str | No
    step: tuple[str, dict[str, Any]] | No
    before: str = ""


# What a list of incidents has no field for: each of its rows would take other words.
EACH_ITS_OWN = No("each incident takes its own")
BY_ITSELF = No("a workflow corrects nobody")
BOB = {"persons": ["bob@example.com"]}
STARTED = {"which": "started", "reason": "Logs"}
VERBS: dict[str, Verb] = {
    "note": Verb(
        ("notes", {"text": "Pool full"}),
        ("timeline", {"text": "Pool full"}),
        "/note Pool full",
        EACH_ITS_OWN,
        ("add_note", {"text": "Pool full"}),
    ),
    "full update": Verb(
        ("updates", {"text": "Found it", "status": "STATUS", "next_update_minutes": "30"}),
        ("updates", {"text": "Found it", "status": "identified", "next_update_minutes": 30}),
        No("its time is a command of its own"),
        EACH_ITS_OWN,
        No("its status and its timer are steps of their own"),
    ),
    "update with a status": Verb(
        ("updates", {"text": "Found it", "status": "STATUS"}),
        ("updates", {"text": "Found it", "status": "identified"}),
        "/status identified Found it",
        EACH_ITS_OWN,
        No("its status is a step of its own"),
    ),
    "update": Verb(
        ("updates", {"text": "Found it"}),
        ("updates", {"text": "Found it"}),
        "/update Found it",
        EACH_ITS_OWN,
        ("post_update", {"text": "Found it"}),
    ),
    "correct an update": Verb(
        ("updates/correct", {"update": "UPDATE", "text": "We think so"}),
        ("updates/{update}/correct", {"text": "We think so"}),
        "/correct We think so",
        EACH_ITS_OWN,
        BY_ITSELF,
        before="update",
    ),
    "timer": Verb(
        ("timer", {"minutes": "30"}),
        ("timer", {"minutes": 30}),
        "/timer 30",
        EACH_ITS_OWN,
        ("start_timer", {"minutes": 30}),
    ),
    "stop the timer": Verb(
        ("timer", {}), ("timer", {"minutes": None}), "/timer off", EACH_ITS_OWN, ("stop_timer", {}), before="timer"
    ),
    "status": Verb(
        ("status", {"status": "monitoring"}),
        ("status", {"status": "monitoring"}),
        "/status monitoring",
        EACH_ITS_OWN,
        ("set_status", {"status": "monitoring"}),
    ),
    "severity": Verb(
        ("severity", {"severity": "sev1"}),
        ("severity", {"severity": "sev1"}),
        "/severity sev1",
        EACH_ITS_OWN,
        ("set_severity", {"severity": "sev1"}),
    ),
    "type": Verb(
        ("type", {"incident_type": "security"}),
        ("type", {"incident_type": "security"}),
        "/type security",
        EACH_ITS_OWN,
        ("set_type", {"type": "security"}),
    ),
    "time": Verb(
        ("times", {**STARTED, "value": "2026-03-14T09:00:00"}),
        ("times", {**STARTED, "value": "2026-03-14T09:00:00Z"}),
        "/time started 2026-03-14T09:00 Logs",
        EACH_ITS_OWN,
        BY_ITSELF,
    ),
    "role": Verb(
        ("roles", {"role": "lead", "user": "PERSON"}),
        ("roles", {"role": "lead", "user": "PERSON"}),
        '/assign lead @"Bob Okafor"',
        EACH_ITS_OWN,
        ("set_role", {"role": "lead", "people": BOB}),
    ),
    "take a role": Verb(
        ("roles/take", {"role": "lead"}),
        ("roles/take", {"role": "lead"}),
        "/take lead",
        EACH_ITS_OWN,
        No("a workflow is nobody"),
    ),
    "service": Verb(
        ("services", {"service": "search", "impact": "major_outage"}),
        ("services", {"service": "search", "impact": "major_outage"}),
        "/service search major_outage",
        EACH_ITS_OWN,
        ("set_affected_service", {"service": "search", "impact": "major_outage"}),
    ),
    "custom field": Verb(
        ("fields", {"fields.region": "eu"}),
        ("fields", {"values": {"region": "eu"}}),
        "/field region eu",
        EACH_ITS_OWN,
        ("set_field", {"field": "region", "value": "eu"}),
        before="field",
    ),
    "summary": Verb(
        ("edit", {"summary": "Pool full"}),
        ("", {"summary": "Pool full"}),
        "/summary Pool full",
        EACH_ITS_OWN,
        No("people write it"),
    ),
    "facts": Verb(
        ("edit", {"impact": "No payments", "tickets": "4"}),
        ("", {"impact": "No payments", "tickets": 4}),
        No("edited in place"),
        EACH_ITS_OWN,
        No("people write them"),
    ),
    "action": Verb(
        ("todo", {"title": "Call the bank", "assignee": "PERSON"}),
        ("actions", {"title": "Call the bank", "assignee": "PERSON"}),
        '/action @"Bob Okafor" Call the bank',
        EACH_ITS_OWN,
        ("create_action", {"title": "Call the bank", "people": BOB}),
    ),
    "action done": Verb(
        ("todo/done", {"action": "ACTION"}),
        ("actions/{action}/done", {}),
        "/done 1",
        EACH_ITS_OWN,
        No("people do them"),
        before="action",
    ),
    "link": Verb(
        ("links", {"url": "https://example.com/pull/7", "title": "The fix"}),
        ("links", {"url": "https://example.com/pull/7", "title": "The fix"}),
        "/link https://example.com/pull/7 The fix",
        EACH_ITS_OWN,
        ("add_link", {"url": "https://example.com/pull/7", "title": "The fix"}),
    ),
    "follow": Verb(
        ("follow", {}),
        ("followers", {}),
        "/follow",
        EACH_ITS_OWN,
        ("follow", {"people": {"persons": ["ana@example.com"]}, "pace": "each"}),
    ),
    "unfollow": Verb(
        ("unfollow", {}), ("followers/remove", {}), "/follow off", EACH_ITS_OWN, No("people choose"), before="follow"
    ),
    "page": Verb(
        ("page", {"user": "PERSON"}),
        ("pages", {"user": "PERSON"}),
        '/page @"Bob Okafor"',
        EACH_ITS_OWN,
        ("page", {"people": BOB}),
    ),
    "visibility": Verb(
        ("visibility", {"visibility": "private"}),
        ("visibility", {"visibility": "private"}),
        "/private",
        EACH_ITS_OWN,
        ("set_visibility", {"visibility": "private"}),
    ),
    "member": Verb(
        ("members", {"user": "PERSON"}),
        ("members", {"user": "PERSON"}),
        '/invite @"Bob Okafor"',
        EACH_ITS_OWN,
        ("add_member", {"people": BOB}),
        before="private",
    ),
    "accept": Verb(("accept", {}), ("accept", {}), "/accept", "accept", ("accept", {}), before="triage"),
    "accept with a severity": Verb(
        ("accept", {"severity": "sev1"}),
        ("accept", {"severity": "sev1"}),
        "/accept sev1",
        EACH_ITS_OWN,
        ("accept", {"severity": "sev1"}),
        before="triage",
    ),
    "decline": Verb(
        ("decline", {"reason": "Noise"}),
        ("decline", {"reason": "Noise"}),
        "/decline Noise",
        "decline",
        ("decline", {"reason": "Noise"}),
        before="triage",
    ),
    "cancel": Verb(
        ("cancel", {"reason": "A drill"}),
        ("cancel", {"reason": "A drill"}),
        "/cancel A drill",
        "cancel",
        ("cancel", {"reason": "A drill"}),
    ),
    "mitigate": Verb(("mitigate", {}), ("mitigate", {}), "/mitigate", "mitigate", ("mitigate", {})),
    "resolve": Verb(("resolve", {}), ("resolve", {}), "/resolve", "resolve", ("resolve", {})),
    "resolve with a stream": Verb(
        ("resolve", {"confirmed": "on"}),
        ("resolve", {"confirmed": True}),
        "/resolve --confirm",
        "resolve",
        ("resolve", {"confirmed": True}),
        before="stream",
    ),
    "close": Verb(("close", {}), ("close", {}), "/close", "close", ("close", {}), before="resolved"),
    "reopen": Verb(("reopen", {}), ("reopen", {}), "/reopen", "reopen", ("reopen", {}), before="resolved"),
    "pause": Verb(
        ("pause", {"reason": "Night"}),
        ("pause", {"reason": "Night"}),
        "/pause Night",
        "pause",
        ("pause", {"reason": "Night"}),
    ),
    "continue": Verb(("resume", {}), ("resume", {}), "/continue", "go_on", ("resume", {}), before="paused"),
    "merge": Verb(
        ("merge", {"into": "OTHER", "reason": "Same"}),
        ("merge", {"into": "OTHER", "reason": "Same"}),
        "/merge #{other} Same",
        EACH_ITS_OWN,
        ("merge", {"into": "OTHER", "reason": "Same"}),
    ),
    "unmerge": Verb(
        ("unmerge", {"reason": "Not the same"}),
        ("unmerge", {"reason": "Not the same"}),
        "/unmerge Not the same",
        EACH_ITS_OWN,
        No("people judge"),
        before="merged",
    ),
    "stream": Verb(
        ("streams", {"name": "Disks", "lead": "PERSON"}),
        ("streams", {"name": "Disks", "lead": "PERSON"}),
        '/stream @"Bob Okafor" Disks',
        EACH_ITS_OWN,
        ("open_stream", {"name": "Disks", "lead": "bob@example.com"}),
    ),
}


@pytest.fixture
def ana() -> User:
    return accounts.user(name="Ana Ferreira", email="ana@example.com", role=Role.OWNER)


@pytest.fixture
def bob() -> User:
    return accounts.user(name="Bob Okafor", email="bob@example.com")


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
    about: dict[str, Any] = {"actor": actor, "incident": incident, "now": now}
    match verb.before:
        case "resolved":
            resolve_incident(**about)
        case "update":
            post_update(text="We know", **about)
        case "timer":
            start_update_timer(interval=timedelta(minutes=20), **about)
        case "action":
            add_action(title="Call the bank", **about)
        case "field":
            CustomField.objects.get_or_create(slug="region", defaults={"name": "Region"})
        case "follow":
            follow(user=ana, **about)
        case "private":
            set_visibility(visibility="private", **about)
        case "stream":
            declare_stream(name="Disks", **about)
        case "paused":
            pause_incident(**about)
        case "merged":
            merge_incident(into=another(), **about)
    return Incident.objects.select_related("status", "severity", "incident_type").get(pk=incident.pk)


def another() -> Incident:
    return incidents.incident(Actor.system(), name="Other", now=LONG_AGO)


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
        "is_timed": incident.next_update_due_at is not None,
        "updates": list(incident.updates.order_by("pk").values_list("text", "status__slug", "author_id")),
        "actions": list(incident.actions.order_by("pk").values_list("title", "assignee_id", "done_by_name")),
        "links": list(incident.links.values_list("url", "title", "kind")),
        "followers": list(incident.followers.values_list("user_id", "pace")),
        "started_at": incident.started_at,
        "fields": incident.fields,
        "facts": (incident.summary, incident.impact, incident.tickets, incident.incident_type.slug),
        "streams": list(incident.streams.values_list("name", flat=True)),
        "pages": list(incident.escalations.values_list("path__policy", "urgency")),
        "entries": [(e.kind, nameless(e.text), e.actor_name, e.user_id, e.is_key) for e in entries],
        "events": [(e.name, plain(e)) for e in events],
    }


# What each incident has another of.
OF_ITS_OWN = {"update", "entry", "stream", "into", "sequence", "action", "link", "pause", "next_update_due_at"}


def plain(event: Event) -> dict[str, Any]:
    """What an event tells, but for what each incident has another of."""
    own = OF_ITS_OWN | {"from"} if event.name == "incident.unmerged" else OF_ITS_OWN
    return {name: value for name, value in event.data.items() if name not in own}


def nameless(text: str) -> str:
    """The words without the number of an incident, a clock and a length of time."""
    return re.sub(r"\d+ min\b", "min", re.sub(r"\d\d:\d\d", "clock", re.sub(r"INC-\d+", "INC", text)))


def filled(fields: dict[str, Any], bob: User, incident: Incident) -> dict[str, Any]:
    newest_update, newest_action = incident.updates.last(), incident.actions.last()
    words = {
        "PERSON": bob.pk,
        "OTHER": another().number if "OTHER" in fields.values() else None,
        "STATUS": IncidentStatus.objects.get(slug="identified").pk,
        "UPDATE": newest_update and newest_update.pk,
        "ACTION": newest_action and newest_action.pk,
    }
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in fields.items()}


def sent(client: Client, way: str, verb: Verb, incident: Incident, bob: User) -> None:
    """Does the verb by a form or over REST."""
    address, fields = verb.form if way == "form" else verb.rest
    base = f"/incidents/{incident.number}/" if way == "form" else f"/api/v1/incidents/{incident.number}/"
    body, numbers = filled(fields, bob, incident), filled({"update": "UPDATE", "action": "ACTION"}, bob, incident)
    address = address.format(**numbers)
    if way == "form":
        answer = client.post(f"{base}{address}/", body)
    else:
        send = client.post if address else client.patch
        answer = send(f"{base}{address}/" if address else base, body, content_type="application/json")
    assert answer.status_code in {200, 201, 204, 302}, answer.content


def marked(incident: Incident) -> tuple[int, int]:
    """How far the timeline and the log are."""
    newest = Event.objects.order_by("-id").values_list("id", flat=True).first()
    return incident.timeline.count(), newest or 0


def vias(incident: Incident, since: tuple[int, int]) -> set[str]:
    """By which way its entries and its events came after that."""
    events = Event.objects.filter(subject_type="incidents.incident", subject_id=incident.pk, id__gt=since[1])
    entries = incident.timeline.filter(sequence__gt=since[0])
    return {*entries.values_list("via", flat=True), *events.values_list("via", flat=True)}


@pytest.mark.parametrize("name", VERBS)
def test_every_way_in_leaves_the_same_rows(name: str, ana: User, bob: User) -> None:
    verb = VERBS[name]
    client, by_form = client_of(ana), fresh(ana, verb)
    since = marked(by_form)
    sent(client, "form", verb, by_form, bob)
    expected = left_behind(by_form)
    assert vias(by_form, since) == {"web"}
    by_rest = fresh(ana, verb)
    since = marked(by_rest)
    sent(client, "rest", verb, by_rest, bob)
    assert left_behind(by_rest) == expected
    assert vias(by_rest, since) == {"api"}
    if not isinstance(verb.command, No):
        by_command, actor = fresh(ana, verb), Actor.of_user(ana, via="slack")
        since = marked(by_command)
        text = verb.command.format(other=another().number)
        run_command(actor=actor, incident=by_command, text=text, now=timezone.now())
        assert left_behind(by_command) == expected
        assert vias(by_command, since) == {"slack"}
    if not isinstance(verb.admin, No):
        by_admin = fresh(ana, verb)
        since = marked(by_admin)
        body = {"action": verb.admin, "_selected_action": [by_admin.pk], **verb.form[1]}
        assert client.post("/admin/incidents/incident/", body).status_code == 302
        assert left_behind(by_admin) == expected
        assert vias(by_admin, since) == {"admin"}
    if not isinstance(verb.step, No):
        by_step, (kind, given) = fresh(ana, verb), verb.step
        doing = step_called(kind)
        assert doing is not None
        context = Context(actor=Actor.of_user(ana, via="workflow"), now=timezone.now(), facts={}, incident=by_step)
        params = {each.name: each.default for each in doing.params} | filled(given, bob, by_step)
        since = marked(by_step)
        assert doing.plan(context, params)
        assert marked(by_step) == since
        doing.run(context, params)
        assert left_behind(by_step) == expected
        assert vias(by_step, since) == {"workflow"}


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
