"""Previews and backtests on screen and by REST, and all of a route by REST."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, Scope, User
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from alerts.routes import Notice
from events.models import Event
from incidents.models import Incident
from oncall.models import EscalationPolicy
from tests.alerts.test_route_screens import WEBHOOK, filled, rows
from tests.factories import accounts, alerts, catalog, incidents, oncall
from tests.factories.alerts import sent

pytestmark = pytest.mark.django_db
JSON = "application/json"
ROUTES = "/api/v1/alert-routes/"


@pytest.fixture
def manager() -> User:
    return accounts.user(role=Role.MANAGER)


@pytest.fixture
def client(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def rest(manager: User) -> Client:
    key = accounts.api_key(manager, Scope.READ, Scope.ALERTS)
    return Client(headers={"authorization": f"Bearer {key}"})


@pytest.fixture
def policy() -> EscalationPolicy:
    ana = accounts.user(name="Ana")
    oncall.contact_method(ana)
    return oncall.policy(oncall.level(ana))


@pytest.fixture
def source() -> AlertSource:
    return alerts.source(name="Prom", slug="prom")


def tried(source: AlertSource, body: Any, **more: Any) -> dict[str, Any]:
    """What the panel sends."""
    return {"payload-source": source.slug, "payload-body": json.dumps(body), **more}


def private_alert(source: AlertSource, policy: EscalationPolicy) -> Alert:
    """An alert that belongs to an incident which others may not see."""
    sent(source, timezone.now(), title="Somebody is leaving", dedup_key="hush")
    incident = incidents.incident(visibility=Incident.Visibility.PRIVATE)
    alert = Alert.objects.get(dedup_key="hush")
    alert.incident = incident
    alert.save(update_fields=["incident"])
    return alert


# --- The panel --------------------------------------------------------------------------------------------------------


def test_the_panel_offers_what_a_source_sent_last_else_an_example(client: Client, source: AlertSource) -> None:
    address = reverse("alerts:route-payload")
    assert "Payment API returning 500" in client.get(address, {"payload-source": "prom"}).content.decode()
    now = timezone.now()
    sent(source, now - timedelta(days=8), title="Long ago")
    sent(source, now, title="Disk full", token=source.token)
    first = RawEvent.objects.order_by("-pk").first()
    assert first is not None
    page = client.get(address, {"payload-source": "prom"}).content.decode()
    assert "Disk full" in page
    assert source.token not in page
    assert page.count("Recorded only") == 1
    other = client.get(address, {"payload-source": "prom", "shown": "prom", "payload-raw_event": ""}).content.decode()
    assert "Payment API returning 500" in other


def test_a_preview_tells_what_holds_and_who_would_be_paged(
    client: Client, source: AlertSource, policy: EscalationPolicy
) -> None:
    catalog.service(slug="pay", escalation_policy=policy)
    alerts.route({"fact": "severity", "operator": "is", "value": "info"}, name="Only info")
    alerts.route(paging="service", name="By service")
    events = Event.objects.count()
    page = client.post(
        reverse("alerts:route-preview"), tried(source, {"title": "Disk full", "service": "pay", "team": "nobody"})
    ).content.decode()
    for said in ("Only info", "By service", "It would page", "Ana", "does not know the team"):
        assert said in page
    assert (Alert.objects.count(), RawEvent.objects.count(), Event.objects.count()) == (0, 0, events)


def test_what_was_sent_is_tried_as_it_was_sent(client: Client) -> None:
    source = alerts.source()
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/pump", "ce-type": "pump.hot.firing"}
    now = timezone.now()
    raw = RawEvent.objects.create(
        source=source, received_at=now, due_at=now, headers=headers, address="in/<token>", body=b'{"heat": 90}'
    )
    shown = client.get(reverse("alerts:route-payload"), {"payload-source": source.slug}).content.decode()
    assert "&quot;heat&quot;: 90" in shown
    asked = {**tried(source, {"heat": 90}), "payload-raw_event": raw.pk}
    assert "pump.hot" in client.post(reverse("alerts:route-preview"), asked).content.decode()


def test_a_preview_in_the_form_uses_the_route_as_it_is_typed(
    client: Client, source: AlertSource, policy: EscalationPolicy
) -> None:
    typed = filled(name="", paging="policy", escalation_policy=policy.pk, draft="new")
    asked = {**typed, **tried(source, {"title": "Disk full"})}
    page = client.post(reverse("alerts:route-preview"), asked).content.decode()
    assert f"It would page {policy}" in page
    assert "draft" in page
    broken = client.post(reverse("alerts:route-preview"), {**asked, "escalation_policy": ""}).content.decode()
    assert "Choose the policy to page." in broken
    assert not AlertRoute.objects.exists()


def test_what_a_format_cannot_read_is_said(client: Client, source: AlertSource) -> None:
    asked = {**tried(source, {}), "payload-body": "[{"}
    assert "The body is not JSON" in client.post(reverse("alerts:route-preview"), asked).content.decode()


def test_a_backtest_tells_what_would_have_changed(
    client: Client, source: AlertSource, policy: EscalationPolicy
) -> None:
    route = alerts.route(paging="policy", escalation_policy=policy)
    now = timezone.now()
    for number in range(3):
        sent(source, now, title=f"Disk {number}", dedup_key=str(number), severity="critical" if number else "info")
    critical = rows("conditions", {"fact": "severity", "operator": "is", "value": "critical"})
    typed = filled(name=route.name, paging="policy", escalation_policy=policy.pk, draft=route.pk, **critical)
    page = " ".join(client.post(reverse("alerts:route-backtest"), typed).content.decode().split())
    assert "Of 3 alerts of the last 30 days 1 would be decided otherwise." in page
    assert "Now 3 of them page; with the draft 2 would." in page
    assert "Disk 0" in page
    assert "Disk 1" not in page
    assert AlertRoute.objects.get().conditions == {}


def test_nothing_private_is_told_by_a_backtest(client: Client, source: AlertSource, policy: EscalationPolicy) -> None:
    hidden = private_alert(source, policy)
    typed = filled(paging="policy", escalation_policy=policy.pk, draft="new")
    page = client.post(reverse("alerts:route-backtest"), typed).content.decode()
    assert hidden.title not in page
    assert "Of 0 alerts" in page


def test_no_incident_is_named_that_the_viewer_may_not_see(
    client: Client, source: AlertSource, policy: EscalationPolicy
) -> None:
    service = catalog.service(slug="pay", escalation_policy=policy)
    incident = incidents.incident(visibility=Incident.Visibility.PRIVATE, services=[service])
    alerts.route(paging="service", attaches_to_open=True)
    asked = tried(source, {"title": "Disk full", "service": "pay"})
    page = client.post(reverse("alerts:route-preview"), asked).content.decode()
    assert "attached to the open incident of its service" in page
    assert incident.reference not in page


# --- REST -------------------------------------------------------------------------------------------------------------


def test_all_of_a_route_is_read_and_written_by_rest(rest: Client, policy: EscalationPolicy) -> None:
    team = accounts.team(slug="web")
    incidents.severity("sev1")
    body = {
        "name": "Critical",
        "conditions": {"fact": "severity", "operator": "is", "value": "critical"},
        "paging": "policy",
        "escalation_policy": policy.slug,
        "wait_seconds": 30,
        "declares_incident": True,
        "severity": "sev1",
        "severity_map": {"page": "sev1"},
        "group_by": ["service", "labels.cluster"],
        "group_minutes": 10,
        "joining": "always",
        "notices": [{"kind": "team", "team": "web"}, {"kind": "webhook", "name": "Hook", "address": WEBHOOK}],
    }
    made = rest.post(ROUTES, body, content_type=JSON)
    assert made.status_code == 201, made.json()
    assert {name: made.json()[name] for name in body if name != "notices"} == {
        name: value for name, value in body.items() if name != "notices"
    }
    assert [(each["kind"], each["team"], each["name"]) for each in made.json()["notices"]] == [
        ("team", "web", ""),
        ("webhook", None, "Hook"),
    ]
    assert "secret-part" not in made.content.decode()
    address = f"{ROUTES}{made.json()['id']}/"
    changed = rest.patch(address, {"wait_seconds": 0}, content_type=JSON).json()
    assert (changed["wait_seconds"], changed["group_by"], len(changed["notices"])) == (0, body["group_by"], 2)
    kept = rest.patch(address, {"notices": [{"kind": "webhook", "name": "Hook"}]}, content_type=JSON)
    assert len(kept.json()["notices"]) == 1
    assert AlertRoute.objects.get().notices.get().address == WEBHOOK
    wrong = rest.post(ROUTES, {"name": "X", "group_by": ["a b"]}, content_type=JSON)
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "group_by")
    assert team.pk


def test_a_payload_is_previewed_by_rest(rest: Client, source: AlertSource, policy: EscalationPolicy) -> None:
    catalog.service(slug="pay", escalation_policy=policy)
    route = alerts.route(paging="service")
    address = f"{ROUTES}preview/"
    body = {"source": "prom", "body": {"title": "Disk full", "app": "pay", "team": "nobody"}}
    mapping = [{"field": "service", "expression": "payload.app"}]
    [found] = rest.post(address, {**body, "mapping": mapping}, content_type=JSON).json()
    assert (found["title"], found["facts"]["service"], found["policy"]) == ("Disk full", "pay", policy.slug)
    assert found["unresolved"] == [{"field": "team", "text": "nobody"}]
    assert [(seen["id"], seen["holds"], seen["decides"]) for seen in found["routes"]] == [(route.pk, True, True)]
    assert found["simulation"]["pages"][0]["name"] == "Ana"
    [without] = rest.post(address, {**body, "route": {"id": route.pk, "paging": "nobody"}}, content_type=JSON).json()
    assert (without["simulation"], without["policy"]) == (None, None)
    assert AlertRoute.objects.get().paging == "service"
    unread = rest.post(address, {"source": "prom", "body": "["}, content_type=JSON)
    assert (unread.status_code, unread.json()["error"]["field"]) == (400, "body")
    nothing = rest.post(address, {"source": "prom"}, content_type=JSON)
    assert (nothing.status_code, nothing.json()["error"]["field"]) == (400, "body")


def test_a_stored_event_is_previewed_by_rest_only_for_its_source(rest: Client, source: AlertSource) -> None:
    sent(source, timezone.now(), title="Disk full", dedup_key="disk")
    raw = RawEvent.objects.get()
    [found] = rest.post(f"{ROUTES}preview/", {"source": "prom", "raw_event": raw.pk}, content_type=JSON).json()
    assert "It would only be counted" in found["words"][0]
    other = alerts.source()
    refused = rest.post(f"{ROUTES}preview/", {"source": other.slug, "raw_event": raw.pk}, content_type=JSON)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "raw_event")


def test_a_draft_is_held_against_the_past_by_rest(rest: Client, source: AlertSource, policy: EscalationPolicy) -> None:
    sent(source, timezone.now(), title="Disk full")
    draft = {"paging": "policy", "escalation_policy": policy.slug}
    found = rest.post(f"{ROUTES}backtest/", draft, content_type=JSON).json()
    assert (found["looked_at"], found["changed"], found["paging_before"], found["paging_after"]) == (1, 1, 0, 1)
    [difference] = found["differences"]
    assert (difference["title"], difference["before"], difference["after"]) == ("Disk full", None, "Draft")
    assert (difference["paging_before"], difference["paging_after"]) == (None, "policy")
    assert not AlertRoute.objects.exists()


def test_only_managers_try_routes_by_rest(source: AlertSource) -> None:
    key = accounts.api_key(accounts.user(role=Role.RESPONDER), Scope.READ, Scope.ALERTS)
    responder = Client(headers={"authorization": f"Bearer {key}"})
    for verb, body in (("preview", {"source": "prom", "body": {"title": "x"}}), ("backtest", {})):
        assert responder.post(f"{ROUTES}{verb}/", body, content_type=JSON).status_code == 403


def test_the_same_notices_keep_their_rows(rest: Client) -> None:
    route = alerts.route(notices=[Notice("webhook", name="Hook", address=WEBHOOK)])
    before = route.notices.get().pk
    told = {"notices": [{"kind": "webhook", "name": "Hook"}]}
    rest.patch(f"{ROUTES}{route.pk}/", told, content_type=JSON)
    assert route.notices.get().pk == before
