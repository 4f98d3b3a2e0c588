"""A form, REST, a command, the admin and a workflow's step leave the same rows; only `via` tells them apart."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from events.models import Event
from incidents import todo
from incidents.actions import resolve_incident
from incidents.commands.running import run_command
from incidents.entries import add_note, remove_entry
from incidents.followers import follow
from incidents.links import add_link
from incidents.membership import add_member, set_visibility
from incidents.merging import merge_incident
from incidents.models import (
    ChecklistItem,
    CustomField,
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    Reaction,
    Severity,
    TimelineEntry,
)
from incidents.pausing import pause_incident
from incidents.roles import assign_role
from incidents.streams import declare_stream
from incidents.todo import add_action, complete_action
from incidents.updates import post_update, start_update_timer
from oncall.models import EscalationPolicy
from tests.factories import accounts, catalog, incidents, oncall
from tests.incidents.verbs import VERBS, No, Verb
from workflows.registry import Context, step_called

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


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
        case "done":
            complete_action(actor=actor, action=add_action(title="Call the bank", **about), now=now)
        case "tick":
            todo.tick(item=ChecklistItem.objects.get(slug="assess-scope"), **about)
        case "link":
            add_link(url="https://example.com/pull/7", title="The fix", **about)
        case "note":
            add_note(text="Pool full", **about)
        case "removed":
            remove_entry(actor=actor, entry=add_note(text="Pool full", **about), now=now)
        case "lead":
            assign_role(role=IncidentRole.objects.get(slug="lead"), user=ana, **about)
        case "member":
            set_visibility(visibility="private", **about)
            add_member(user=User.objects.get(email="bob@example.com"), **about)
        case "policy":
            asks = EscalationPolicy.objects.first() or oncall.policy(oncall.level(User.objects.get(name="Bob Okafor")))
            Service.objects.filter(slug="search").update(escalation_policy=asks)
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
        "ticks": list(incident.ticks.values_list("item__slug", flat=True)),
        "reactions": list(Reaction.objects.filter(entry__incident=incident).values_list("emoji", "user_id")),
        "links": list(incident.links.values_list("url", "title", "kind")),
        "followers": list(incident.followers.values_list("user_id", "pace")),
        "started_at": incident.started_at,
        "fields": incident.fields,
        "facts": (incident.summary, incident.impact, incident.tickets, incident.incident_type.slug),
        "streams": list(incident.streams.values_list("name", flat=True)),
        "pages": list(incident.escalations.values_list("path__policy", "urgency")),
        "entries": [(e.kind, nameless(e.text), e.actor_name, e.user_id, *flags(e)) for e in entries],
        "events": [(e.name, plain(e)) for e in events],
    }


def flags(entry: TimelineEntry) -> tuple[bool | None, ...]:
    return (entry.is_key, entry.pinned_at is not None, entry.removed_at is not None, entry.in_postmortem)


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


def newest(incident: Incident) -> dict[str, int]:
    """What stands in an address for the newest of each kind."""
    update, action, link = incident.updates.last(), incident.actions.last(), incident.links.last()
    entry = incident.timeline.order_by("sequence").exclude(kind__in=["declared", "member"]).last()
    return {
        "update": update.pk if update else 0,
        "action": action.pk if action else 0,
        "link": link.pk if link else 0,
        "entry": entry.sequence if entry else 0,
    }


def sent(client: Client, way: str, verb: Verb, incident: Incident, bob: User) -> None:
    """Does the verb by a form or over REST."""
    address, fields = verb.form if way == "form" else verb.rest
    body = filled(fields, bob, incident)
    method, _space, below = address.format(**newest(incident)).rpartition(" ")
    if way == "form":
        answer = client.post(f"/incidents/{incident.number}/{below}/", body)
    else:
        send = getattr(client, (method or ("POST" if below else "PATCH")).lower())
        whole = f"/api/v1/incidents/{incident.number}/{below}/".replace("//", "/")
        answer = send(whole, body, content_type="application/json")
    assert answer.status_code in {200, 201, 204, 302}, answer.content


def chosen(model: str, incident: Incident) -> list[int]:
    """The rows that somebody chooses in the admin."""
    match model:
        case "timelineentry":
            return [incident.timeline.get(sequence=newest(incident)["entry"]).pk]
        case "incidentaction":
            return [newest(incident)["action"]]
        case "checklisttick":
            return list(incident.ticks.values_list("pk", flat=True))
        case _:
            return [incident.pk]


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
        text = verb.command.format(other=another().number, **newest(by_command))
        run_command(actor=actor, incident=by_command, text=text, now=timezone.now())
        assert left_behind(by_command) == expected
        assert vias(by_command, since) == {"slack"}
    if not isinstance(verb.admin, No):
        by_admin = fresh(ana, verb)
        since = marked(by_admin)
        model, _slash, act = verb.admin.rpartition("/")
        body = {**verb.form[1], "action": act, "_selected_action": chosen(model, by_admin)}
        assert client.post(f"/admin/incidents/{model or 'incident'}/", body).status_code == 302
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
