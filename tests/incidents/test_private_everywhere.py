"""A private incident leaves no trace for those outside: every page, every read of the API, every list of the admin.

All addresses of the site are walked, those to come too. What an address takes is filled in with what belongs to the
incident, or with what it touches.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.actor import Actor
from accounts.models import Role, User
from alerts.models import Alert, RawEvent
from incidents import actions, entries, paging, todo, updates
from incidents.links import add_link
from incidents.models import Incident, IncidentRole
from incidents.roles import assign_role
from oncall.engine import tick
from oncall.sending import send_due
from postmortems.action_items import create_action_item
from postmortems.actions import start_postmortem
from postmortems.presets import load_presets
from tests.factories import accounts, alerts, catalog, incidents, oncall, statuspage
from tests.factories.workflows import running, step
from workflows.runs import start_by_hand

pytestmark = pytest.mark.django_db

OPEN, OVER = 7341, 7342
TRACE = re.compile(rf"zebra|INC-(?:{OPEN}|{OVER})|incidents/(?:{OPEN}|{OVER})", re.IGNORECASE)
# Addresses that end a session, lead to somebody else's login, or are no pages of this site.
NOT_WALKED = ("logout", "account_", "mfa_", "socialaccount", "javascript-catalog", "schema", "docs")


@dataclass(frozen=True)
class Scene:
    """What stands around two private incidents, one open and one over: ids and slugs by the app that has them."""

    member: User
    service: str
    pks: dict[str, set[int]]
    slugs: dict[str, set[str]]

    def fillings(self, space: str, names: list[str]) -> Iterator[dict[str, Any]]:
        """Each way to fill an address in."""
        known: dict[str, list[Any]] = {"number": [OPEN, OVER]}
        found = [
            known.get(name)
            or sorted(self.slugs.get(space, set()) if "slug" in name else self.pks.get(space, set()))
            or [1]
            for name in names
        ]
        for values in product(*found):
            yield dict(zip(names, values, strict=True))


@pytest.fixture
def scene(now: datetime) -> Scene:
    member = accounts.user(name="Ana Ferreira")
    ana = Actor.of_user(member, via="web")
    oncall.contact_method(member)
    policy = oncall.policy(oncall.level(member))
    service = catalog.service(name="Payments", slug="payments", team=accounts.team(member), escalation_policy=policy)
    source = alerts.source()
    incidents.configuration()
    load_presets()
    made: list[Incident] = []
    for number in (OPEN, OVER):
        incident = incidents.incident(
            ana,
            name=f"Zebra heist {number}",
            summary="The zebra is out.",
            visibility="private",
            severity="sev1",
            services=[service],
            now=now - timedelta(hours=1),
        )
        Incident.objects.filter(pk=incident.pk).update(number=number)
        incident.refresh_from_db()
        made.append(incident)
        entries.add_note(actor=ana, incident=incident, text="zebra note", now=now)
        updates.post_update(actor=ana, incident=incident, text="zebra update", now=now)
        assign_role(
            actor=ana, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=member, now=now, note="zebra"
        )
        todo.add_action(actor=ana, incident=incident, title="Catch the zebra", assignee=member, now=now)
        add_link(actor=ana, incident=incident, url="https://zebra.example.com/", title="Zebra board", now=now)
        alerts.sent(source, now, title=f"Zebra alert {number}", dedup_key=f"zebra-{number}", status="firing")
        Alert.objects.filter(dedup_key=f"zebra-{number}").update(incident=incident, service=service)
        paging.page_for_incident(actor=ana, incident=incident, policy=policy, now=now)
    chores = running(step("add_note", text="Look"), name="Chores", sees_private=True, trigger={"kind": "person"})
    runs = {start_by_hand(actor=ana, workflow=chores, incident=incident, now=now).pk for incident in made}
    tick(now)
    send_due(now)
    item = create_action_item(
        actor=ana, incident=made[1], title="Build a zebra fence", owner=member, due_on=now.date(), now=now
    )
    actions.resolve_incident(actor=ana, incident=made[1], now=now)
    postmortem = start_postmortem(actor=ana, incident=made[1], now=now)
    page = statuspage.page()
    escalations = {pk for incident in made for pk in incident.escalations.values_list("pk", flat=True)}
    found = set(Alert.objects.filter(incident__in=made).values_list("pk", flat=True))
    return Scene(
        member,
        service.slug,
        pks={
            "workflows": runs,
            "workflow-run": runs,
            "accounts": {member.pk},
            "user": {member.pk},
            "oncall": escalations,
            "escalation": escalations,
            "alerts": found,
            "alert": found,
            "raw-event": set(RawEvent.objects.values_list("pk", flat=True)),
            "postmortems": {postmortem.pk, item.pk},
            "postmortem": {postmortem.pk},
            "action-item": {item.pk},
        },
        slugs={
            "catalog": {service.slug},
            "service": {service.slug},
            "oncall": {policy.slug},
            "statuspage": {page.slug},
            "status": {page.slug},
            "accounts": {service.team.slug if service.team else ""},
            "alerts": {source.slug},
        },
    )


def patterns(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """Each named address of the site: its namespace, its whole name, its pattern."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, pattern.namespace or space)
        elif pattern.name:
            yield space, f"{space}:{pattern.name}" if space else pattern.name, pattern


def is_read(pattern: URLPattern) -> bool:
    """Whether it answers to GET, as far as it says."""
    asked = getattr(pattern.callback, "actions", None)
    return asked is None or "get" in asked


def addresses(scene: Scene) -> list[str]:
    """Every address that somebody can look at, filled in."""
    found: dict[str, None] = {}
    for space, name, pattern in patterns(get_resolver()):
        if any(word in name for word in NOT_WALKED) or space == "admin" or not is_read(pattern):
            continue
        names = list(pattern.pattern.regex.groupindex)
        # The API's addresses stand in no namespace: what they are about begins their name.
        about = space or next((known for known in scene.pks | scene.slugs if name.startswith(f"{known}-")), "")
        for filled in scene.fillings(about, [each for each in names if each != "format"]):
            try:
                found[reverse(name, kwargs=filled)] = None
            except NoReverseMatch:
                continue
    for model in admin.site._registry:
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        found[reverse(place)] = None
    searches = ["/incidents/", "/alerts/", "/postmortems/", "/action-items/", "/search/"]
    searches += ["/api/v1/incidents/", "/api/v1/alerts/"]
    found |= {f"{place}?q=zebra": None for place in searches} | {f"/search/?q=INC-{OPEN}": None}
    found |= {"/incidents/?service=payments": None, "/api/v1/incidents/?service=payments": None}
    return list(found)


def traces(client: Client, places: list[str]) -> dict[str, set[str]]:
    """What is told of the incidents, by the address that tells it."""
    told: dict[str, set[str]] = {}
    client.raise_request_exception = False
    for place in places:
        response: Any = client.get(place)
        if response.status_code == 405 or response.get("Content-Type", "").startswith("image/"):
            continue
        content = b"".join(response.streaming_content) if response.streaming else response.content
        # (what was asked for may be said again)
        text = content.decode("utf-8", "replace").replace("?q=zebra", "").replace("q=zebra", "").replace('"zebra"', "")
        text = text.replace(place, "").replace(f'value="INC-{OPEN}"', "")
        if found := {match.group().casefold() for match in TRACE.finditer(text)}:
            told[place] = found
        if response.status_code >= 500:
            told[place] = {str(response.status_code)}
    return told


def test_those_outside_find_no_trace_anywhere(scene: Scene) -> None:
    places = addresses(scene)
    assert len(places) > 150
    for role in (Role.RESPONDER, Role.OWNER):
        client = Client()
        client.force_login(accounts.user(role=role))
        assert traces(client, places) == {}, role


def test_a_member_finds_it_where_it_belongs(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.member)
    (postmortem,) = scene.pks["postmortem"]
    places = {
        *("/", "/incidents/", f"/incidents/{OPEN}/", "/alerts/?status=firing", "/postmortems/", "/action-items/"),
        *("/search/?q=zebra", f"/postmortems/{postmortem}/", "/services/payments/", "/api/v1/incidents/"),
        *("/api/v1/alerts/", "/api/v1/escalations/", "/api/v1/postmortems/", "/api/v1/action-items/"),
    }
    assert places - set(traces(client, sorted(places))) == set()


def test_no_count_betrays_it(scene: Scene) -> None:
    client = Client()
    client.force_login(accounts.user(role=Role.OWNER))
    assert client.get("/incidents/").context["open_count"] == 0
    assert "No incident has affected it." in client.get("/services/payments/").text
    assert client.get("/api/v1/incidents/").json()["results"] == []
    assert client.get("/api/v1/alerts/").json()["results"] == []
    assert client.get("/api/v1/escalations/").json()["results"] == []
    assert "in 2 incidents" not in client.get(f"/people/{scene.member.pk}/").text
