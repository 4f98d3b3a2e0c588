"""Services and functionalities: made, changed, removed; on screen, in the API and in the admin."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Membership, Role, User
from catalog import actions
from catalog.models import Service
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from tests.factories import accounts, catalog, incidents, oncall

pytestmark = pytest.mark.django_db


def save(role: Role = Role.MANAGER, **fields: Any) -> Service:
    defaults = {"name": "Payments", "slug": "payments"}
    return actions.save_service(actor=accounts.actor(role), **{**defaults, **fields})


def api(role: Role) -> APIClient:
    client = APIClient()
    client.force_login(accounts.user(role=role))
    return client


def test_a_service_has_an_owner_a_policy_needs_links_and_functionalities() -> None:
    database = catalog.service(name="PostgreSQL", slug="postgres")
    paying = actions.save_functionality(actor=accounts.actor(Role.MANAGER), name="Payment", slug="payment")
    link = actions.LinkDraft("runbook", "Runbook", "https://wiki.example.com/payments")
    service = save(tier=1, needs=[database], functionalities=[paying], links=[link])
    assert [row.needs for row in service.dependencies.all()] == [database]
    assert list(service.functionalities.all()) == [paying]
    assert service.links.get().url == "https://wiki.example.com/payments"
    assert Event.objects.filter(name="service.created", subject_id=service.pk).exists()


def test_a_change_replaces_what_is_named_and_keeps_the_rest() -> None:
    database, search = catalog.service(), catalog.service()
    link = actions.LinkDraft("runbook", "Runbook", "https://wiki.example.com/payments")
    service = save(needs=[database], links=[link])
    save(service=service, needs=[search])
    assert [row.needs for row in service.dependencies.all()] == [search]
    assert service.links.count() == 1
    save(service=service, links=[])
    assert service.links.count() == 0


@pytest.mark.parametrize(("fields", "field"), [({"name": "  "}, "name"), ({"slug": "new"}, "slug")])
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises((Invalid, Conflict)) as refused:
        save(**fields)
    assert refused.value.field == field


def test_a_name_is_taken_whatever_its_case() -> None:
    save()
    with pytest.raises(Conflict) as refused:
        save(name="PAYMENTS", slug="other")
    assert refused.value.field == "name"


def test_a_service_cannot_need_itself() -> None:
    service = save()
    with pytest.raises(Invalid):
        save(service=service, needs=[service])


def test_responders_change_the_services_of_their_own_team_only() -> None:
    team = accounts.team()
    service = save(team=team)
    member, stranger = accounts.actor(), accounts.actor()
    Membership.objects.create(team=team, user_id=member.person_id)
    fields: dict[str, Any] = {
        "name": "Payments",
        "slug": "payments",
        "team": team,
        "service": service,
        "description": "Cards",
    }
    actions.save_service(actor=member, **fields)
    with pytest.raises(NotAllowed):
        actions.save_service(actor=stranger, **fields)
    with pytest.raises(NotAllowed):
        save(Role.RESPONDER, name="Other", slug="other")


def test_a_service_that_incidents_have_affected_stays() -> None:
    service, unused = save(), catalog.service()
    incidents.incident(services=[service])
    actor = accounts.actor(Role.MANAGER)
    with pytest.raises(Conflict):
        actions.remove_service(actor=actor, service=service)
    actions.remove_service(actor=actor, service=unused)
    assert list(Service.objects.all()) == [service]


def test_programs_make_read_change_and_remove_services() -> None:
    catalog.service(slug="postgres")
    policy = oncall.policy(oncall.level(accounts.user()))
    client = api(Role.MANAGER)
    body = {
        "name": "Payments",
        "tier": 1,
        "needs": ["postgres"],
        "escalation_policy": policy.slug,
        "links": [{"kind": "runbook", "label": "Runbook", "url": "https://wiki.example.com/payments"}],
    }
    made = client.post("/api/v1/services/", body, format="json")
    assert made.status_code == 201
    assert (made.json()["slug"], made.json()["needs"]) == ("payments", ["postgres"])
    changed = client.patch("/api/v1/services/payments/", {"tier": 2}, format="json").json()
    assert (changed["tier"], changed["needs"], changed["escalation_policy"]) == (2, ["postgres"], policy.slug)
    assert client.delete("/api/v1/services/payments/").status_code == 204
    assert client.get("/api/v1/services/payments/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"needs": ["nowhere"]}, "needs"),
        ({"links": [{"kind": "runbook", "label": "Without an address"}]}, "links"),
        ({"escalation_policy": "nowhere"}, "escalation_policy"),
        ({"tier": 9}, "tier"),
    ],
)
def test_a_wrong_field_is_named_when_a_program_changes_a_service(body: dict[str, Any], field: str) -> None:
    save()
    answer = api(Role.MANAGER).patch("/api/v1/services/payments/", body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize(
    ("query", "found"), [("tier=1", 1), ("q=pay", 1), ("team=none-such", None), ("lifecycle=production", 2), ("", 2)]
)
def test_services_filter(query: str, found: int | None) -> None:
    save(tier=1)
    catalog.service(name="Search")
    answer = api(Role.VIEWER).get(f"/api/v1/services/?{query}")
    if found is None:
        assert answer.status_code == 400
    else:
        assert len(answer.json()["results"]) == found


def test_viewers_read_and_change_nothing() -> None:
    save()
    client = api(Role.VIEWER)
    assert client.get("/services/payments/").status_code == 200
    assert client.post("/services/new/", {"name": "x"}).status_code == 403
    assert client.patch("/api/v1/services/payments/", {"tier": 1}, format="json").status_code == 403


def test_a_manager_fills_in_the_form_and_what_was_typed_survives_a_mistake() -> None:
    save()
    client = Client()
    client.force_login(accounts.user(role=Role.MANAGER))
    rows = {"links-TOTAL_FORMS": "1", "links-INITIAL_FORMS": "0"}
    rows |= {"mitigations-TOTAL_FORMS": "0", "mitigations-INITIAL_FORMS": "0"}
    fields = {"name": "Payments", "tier": "1", "lifecycle": "production", "description": "typed before", **rows}
    refused = client.post("/services/new/", fields)
    assert refused.status_code == 422
    assert "typed before" in refused.content.decode()
    assert "is taken" in refused.content.decode()
    link = {"links-0-kind": "runbook", "links-0-label": "Runbook", "links-0-url": "https://wiki.example.com"}
    saved = client.post("/services/new/", {**fields, **link, "name": "Invoices"})
    assert saved.headers["Location"] == "/services/invoices/"
    page = client.get("/services/invoices/").content.decode()
    assert "https://wiki.example.com" in page
    assert client.get("/services/invoices/edit/").status_code == 200
    assert client.get("/functionalities/").status_code == 200
    assert client.post("/functionalities/new/", {"name": "Login"}).status_code == 302
    assert client.get("/functionalities/login/edit/").status_code == 200
    assert client.post("/services/invoices/remove/").status_code == 302


@pytest.mark.parametrize("address", ["/services/", "/api/v1/services/", "/admin/catalog/service/"])
def test_a_list_costs_the_same_however_long(address: str, django_assert_max_num_queries: Any) -> None:
    client = Client()
    client.force_login(User.objects.create_user("owner@example.com", name="Owner", role=Role.OWNER))
    team = accounts.team()
    for _ in range(15):
        service = catalog.service(team=team)
        actions.save_service(
            actor=accounts.actor(Role.MANAGER),
            service=service,
            name=service.name,
            slug=service.slug,
            team=team,
            needs=[],
        )
    with django_assert_max_num_queries(20):
        assert client.get(address).status_code == 200
