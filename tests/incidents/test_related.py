"""Similar incidents: by services, by words, by alerts, each with its reason, and only what one may see."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from alerts.models import Alert
from incidents.actions import set_affected_service
from incidents.models import Incident
from incidents.related import related_incidents, telling_words, words_of
from incidents.triage import decline_incident
from tests.factories import accounts, alerts, catalog, incidents

pytestmark = pytest.mark.django_db


def reasons(actor: Actor, incident: Incident) -> dict[str, str]:
    return {related.incident.name: related.why for related in related_incidents(actor, incident)}


def test_the_same_service_is_named(responder: Actor, incident: Incident, now: datetime) -> None:
    payments, search = catalog.service(name="Payments"), catalog.service(name="Search")
    set_affected_service(actor=responder, incident=incident, service=payments, impact="major_outage", now=now)
    incidents.incident(responder, name="Slow", services=[payments, search], now=now)
    incidents.incident(responder, name="Other", services=[search], now=now)
    assert reasons(responder, incident) == {"Slow": "same service Payments"}


def test_similar_words_are_named_and_one_word_is_none(responder: Actor, incident: Incident, now: datetime) -> None:
    incidents.incident(responder, name="Checkout", summary="The payment API was slow", now=now)
    incidents.incident(responder, name="Payment of invoices", now=now)
    assert reasons(responder, incident) == {"Checkout": "similar words: payment, api"}


def test_the_same_alert_weighs_most(responder: Actor, incident: Incident, now: datetime) -> None:
    source = alerts.source()
    first = incidents.incident(responder, name="Was it this?", now=now)
    other = incidents.incident(responder, name="Payment API returning 500 errors", now=now)
    for holder, key in ((incident, "disk:1"), (first, "disk:1"), (other, "disk:2")):
        Alert.objects.create(
            source=source,
            dedup_key=key,
            title="Disk full" if holder != other else "Disk nearly full",
            status="resolved",
            started_at=now,
            first_event_at=now,
            last_event_at=now,
            incident=holder,
        )
    found = related_incidents(responder, incident)
    assert [(related.incident, related.why.split(":")[0]) for related in found] == [
        (first, "same alert"),
        (other, "similar words"),
    ]


def test_private_declined_and_test_incidents_are_left_out(responder: Actor, incident: Incident, now: datetime) -> None:
    name = incident.name
    incidents.incident(accounts.actor(Role.OWNER), name=name, visibility="private", now=now)
    incidents.incident(responder, name=name, mode="test", now=now)
    declined = incidents.incident(responder, name=name, status=incidents.status("triage"), now=now)
    decline_incident(actor=responder, incident=declined, reason="noise", now=now)
    assert related_incidents(responder, incident) == []


def test_words_that_tell_nothing_are_left_out() -> None:
    assert words_of("The Payment API is down: payment of 500") == ["payment", "api", "500"]
    assert telling_words([]) == []


def test_they_stand_on_the_page_and_in_the_api(responder: Actor, incident: Incident, now: datetime) -> None:
    incidents.incident(responder, name="Payment API slow", now=now)
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    assert "similar words: payment, api" in client.get(f"/incidents/{incident.number}/similar/").text
    (found,) = client.get(f"/api/v1/incidents/{incident.number}/related/").json()
    assert found["incident"]["name"] == "Payment API slow"
    assert found["reasons"] == ["similar words: payment, api"]
