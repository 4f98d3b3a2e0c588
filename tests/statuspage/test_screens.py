"""The pages on which people set up and publish."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from incidents.membership import add_member
from incidents.models import Incident
from statuspage.models import Component, PublicIncident, StatusPage
from tests.factories.accounts import actor, user
from tests.factories.catalog import service
from tests.factories.incidents import incident
from tests.factories.statuspage import component, page, public_incident

pytestmark = pytest.mark.django_db


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def client(role: Role = Role.RESPONDER) -> Client:
    return client_of(user(role=role))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.MANAGER])
def test_everybody_here_may_look(role: Role, now: datetime) -> None:
    published = public_incident(page("API"), now=now)
    viewer = client(role)
    for path in ["", "example/", "example/incidents/", f"example/incidents/{published.public_id}/"]:
        assert viewer.get(f"/statuspages/{path}").status_code == 200


def test_strangers_must_sign_in() -> None:
    page()
    assert Client().get("/statuspages/example/").status_code == 302


def test_viewers_get_no_form_and_can_not_post(now: datetime) -> None:
    published = public_incident(page("API"), now=now)
    viewer = client(Role.VIEWER)
    assert "Publish" not in viewer.get("/statuspages/example/").content.decode()
    assert viewer.get("/statuspages/example/publish/").status_code == 403
    message = {"name": "x", "status": "resolved", "body": "x"}
    assert viewer.post("/statuspages/example/publish/", message).status_code == 403
    assert viewer.post(f"/statuspages/example/incidents/{published.public_id}/", message).status_code == 403
    status = f"/statuspages/example/components/{Component.objects.get().pk}/status/"
    assert viewer.post(status, {"status": "major_outage"}).status_code == 403
    assert PublicIncident.objects.get().updates.count() == 1


def test_a_manager_sets_up_a_page_and_its_components() -> None:
    manager, payments = client(Role.MANAGER), service(name="payments")
    assert manager.get("/statuspages/new/").status_code == 200
    made = manager.post("/statuspages/new/", {"name": "Example", "slug": "example", "time_zone": "UTC"})
    assert made["Location"] == "/statuspages/example/"
    manager.post("/statuspages/example/components/new/", {"name": "Checkout", "services": [payments.pk]})
    checkout = Component.objects.get(name="Checkout")
    assert list(checkout.services.all()) == [payments]
    path = f"/statuspages/example/components/{checkout.pk}/"
    assert "payments" in manager.get(path).content.decode()
    manager.post(path, {"name": "Till", "services": []})
    checkout.refresh_from_db()
    assert (checkout.name, checkout.services.count()) == ("Till", 0)
    manager.post(f"{path}remove/")
    assert not Component.objects.exists()


def test_a_refusal_is_shown_at_its_field_and_what_was_typed_stays() -> None:
    page(slug="example")
    answer = client(Role.MANAGER).post("/statuspages/new/", {"name": "Second", "slug": "example", "time_zone": "UTC"})
    text = answer.content.decode()
    assert "Another status page has this address." in text
    assert 'value="Second"' in text
    assert StatusPage.objects.count() == 1


def test_publishing_from_an_incident_suggests_the_components_of_its_services(now: datetime) -> None:
    payments: Service = service(name="payments")
    example = page("Search")
    checkout = component(example, "Checkout", services=[payments])
    source = incident(name="Pool exhausted", services={payments: "major_outage"}, now=now)
    text = client().get(f"/statuspages/example/publish/?incident={source.number}").content.decode()
    assert 'value="Problems with Checkout"' in text
    assert "which affects Checkout" in text
    assert f'name="component-{checkout.pk}"' in text
    assert text.count('<option value="major_outage" selected>') == 1


def test_a_responder_publishes_updates_and_resolves(now: datetime) -> None:
    example, responder = page("Checkout"), client()
    source = incident(now=now)
    checkout = example.components.get()
    responder.post(
        f"/statuspages/example/publish/?incident={source.number}",
        {"name": "Errors", "status": "investigating", "body": "Looking.", f"component-{checkout.pk}": "major_outage"},
    )
    published = PublicIncident.objects.get()
    assert (published.incident, published.impact) == (source, "critical")
    path = f"/statuspages/example/incidents/{published.public_id}/"
    responder.post(path, {"status": "identified", "body": "Found."})
    responder.post(path, {"status": "resolved", "body": "Fixed."})
    published.refresh_from_db()
    checkout.refresh_from_db()
    assert (published.status, checkout.status) == ("resolved", "operational")
    assert [update.body for update in published.updates.all()] == ["Fixed.", "Found.", "Looking."]


def test_the_preview_shows_the_message_and_keeps_nothing() -> None:
    checkout = page("Checkout").components.get()
    form = {"status": "identified", "body": "A **full** disk.", f"component-{checkout.pk}": "partial_outage"}
    text = client().post("/statuspages/example/preview/", form).content.decode()
    assert "<strong>full</strong>" in text
    assert "Partial outage" in text
    assert not PublicIncident.objects.exists()


def test_a_private_incident_asks_for_a_confirmation(now: datetime) -> None:
    person = user()
    page()
    secret = incident(Actor.of_user(person, via="web"), visibility=Incident.Visibility.PRIVATE, now=now)
    path, member = f"/statuspages/example/publish/?incident={secret.number}", client_of(person)
    message = {"name": "Sign-in is off", "status": "investigating", "body": "Looking."}
    assert "This incident is private." in member.post(path, message).content.decode()
    assert not PublicIncident.objects.exists()
    assert member.post(path, {**message, "confirm_private": "on"}).status_code == 302


def test_who_is_not_a_member_finds_no_trace_of_a_private_incident(now: datetime) -> None:
    ana, bob = actor(), user()
    secret = incident(ana, name="Breach of the vault", visibility=Incident.Visibility.PRIVATE, now=now)
    published = public_incident(
        page(), actor=ana, incident=secret, name="Sign-in is off", confirm_private=True, now=now
    )
    outsider = client_of(bob)
    path = f"/statuspages/example/incidents/{published.public_id}/"
    for each in [path, "/statuspages/example/", f"/statuspages/example/incidents/?incident={secret.number}"]:
        text = outsider.get(each).content.decode()
        assert "Breach" not in text
        assert f"{secret.reference} " not in text
    filtered = f"/statuspages/example/incidents/?incident={secret.number}"
    assert "Sign-in is off" not in outsider.get(filtered).content.decode()
    assert outsider.get(f"/statuspages/example/publish/?incident={secret.number}").status_code == 404
    add_member(actor=ana, incident=secret, user=bob, now=now)
    assert "Breach of the vault" in outsider.get(path).content.decode()


def test_the_list_can_be_filtered(now: datetime) -> None:
    example = page()
    public_incident(example, name="Slow searches", now=now)
    public_incident(example, name="Errors on checkout", status="resolved", now=now)
    text = client().get("/statuspages/example/incidents/?status=resolved").content.decode()
    assert "Errors on checkout" in text
    assert "Slow searches" not in text
    assert "Slow searches" in client().get("/statuspages/example/incidents/?q=SLOW").content.decode()
