"""Paging a service's people from an incident: along its own policy, once, and who that is."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Mitigation, ServiceDependency
from events.errors import Conflict
from incidents.actions import resolve_incident, set_affected_service
from incidents.models import Incident
from incidents.paging import page_service
from incidents.standby import standby_of
from oncall.actions import resolve_escalation
from tests.factories import accounts, catalog, oncall

pytestmark = pytest.mark.django_db


def test_it_is_not_paged_twice_until_that_is_over(responder: Actor, incident: Incident, now: datetime) -> None:
    policy = oncall.policy(oncall.level(accounts.user()))
    service = catalog.service(name="Payments", escalation_policy=policy)
    first = page_service(actor=responder, incident=incident, service=service, now=now)
    again = page_service(actor=responder, incident=incident, service=service, now=now)
    assert (first.is_new, again.is_new, again.escalation) == (True, False, first.escalation)
    assert first.escalation.facts["service"] == "Payments"
    resolve_escalation(actor=responder, escalation=first.escalation, now=now)
    assert page_service(actor=responder, incident=incident, service=service, now=now).is_new


def test_without_a_policy_or_when_it_is_over_nobody_is_paged(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    with pytest.raises(Conflict, match="has no escalation policy"):
        page_service(actor=responder, incident=incident, service=catalog.service(), now=now)
    service = catalog.service(escalation_policy=oncall.policy(oncall.level(accounts.user())))
    resolve_incident(actor=responder, incident=incident, now=now)
    with pytest.raises(Conflict, match="no longer open"):
        page_service(actor=responder, incident=incident, service=service, now=now)


def test_the_panel_and_the_api_tell_who_stands_by(responder: Actor, incident: Incident, now: datetime) -> None:
    bob = accounts.user(name="Bob Okafor")
    oncall.contact_method(bob)
    policy = oncall.policy(oncall.level(bob))
    payments = catalog.service(name="Payments", slug="payments", escalation_policy=policy, team=accounts.team())
    checkout = catalog.service(name="Checkout", slug="checkout")
    ServiceDependency.objects.create(service=checkout, needs=payments)
    Mitigation.objects.create(service=payments, label="Roll back", command="kubectl rollout undo")
    set_affected_service(actor=responder, incident=incident, service=payments, impact="major_outage", now=now)
    assert [each.on_call for each in standby_of(incident, now)] == [[bob]]
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    place = f"/incidents/{incident.number}"
    panel = client.get(f"{place}/blast/").text
    assert "on call: Bob Okafor" in panel
    assert "Checkout" in panel
    assert "kubectl rollout undo" in client.get(f"{place}/").text
    paged = client.post(f"{place}/services/page/", {"service": "payments"}, headers={"HX-Request": "true"})
    assert "Paging" in paged.headers["HX-Trigger"]
    api = f"/api/v1{place}"
    again = client.post(f"{api}/services/page/", {"service": "payments"}, content_type="application/json")
    assert (again.status_code, again.json()["is_new"]) == (200, False)
    told = client.get(f"{api}/radius/").json()
    assert [row["service"] for row in told["hit"]] == ["checkout"]
    assert told["services"][0]["on_call"][0]["name"] == "Bob Okafor"
    assert told["services"][0]["escalation"] == again.json()["id"]
    assert client.get(f"{api}/mitigations/").json()[0]["service"] == "payments"
