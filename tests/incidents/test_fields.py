"""Custom fields: what each kind takes, who has them, when they are asked for, how they are shown and found."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.actor import Actor
from accounts.models import User
from events.errors import Conflict, DomainError, Invalid
from events.models import Event
from incidents.actions import change_status, resolve_incident
from incidents.fields import checked, set_fields, show_fields
from incidents.models import CustomField, Incident, IncidentStatus, IncidentType
from tests.factories import accounts, catalog, incidents

pytestmark = pytest.mark.django_db
Kind = CustomField.Kind


def field(slug: str = "cause", kind: str = Kind.TEXT, **more: Any) -> CustomField:
    made: CustomField = CustomField.objects.create(slug=slug, name=slug.title(), kind=kind, **more)
    return made


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        (Kind.TEXT, "  pool exhausted ", "pool exhausted"),
        (Kind.NUMBER, "12", 12),
        (Kind.NUMBER, 3.5, 3.5),
        (Kind.SELECT, "red", "red"),
        (Kind.MULTI_SELECT, ["green", "red"], ["red", "green"]),
        (Kind.MULTI_SELECT, "green,red", ["red", "green"]),
        (Kind.LINK, "https://example.com/a", "https://example.com/a"),
        (Kind.DATE, "2026-03-14", "2026-03-14"),
        (Kind.SERVICE, "payments", "payments"),
        (Kind.TEAM, "shop", "shop"),
        (Kind.PERSON, "ana@example.com", "ANA"),
    ],
)
def test_each_kind_takes_its_values(kind: str, given: Any, stored: Any) -> None:
    catalog.service(slug="payments")
    accounts.team(slug="shop")
    ana = accounts.user(email="ana@example.com")
    made = CustomField(name="Field", slug="field", kind=kind, options=["red", "green"])
    assert checked(made, given) == (ana.pk if stored == "ANA" else stored)


def test_nothing_is_nothing_in_every_kind() -> None:
    for kind in Kind:
        assert {checked(CustomField(kind=kind), None), checked(CustomField(kind=kind), " ")} == {None}
        assert checked(CustomField(kind=kind), []) is None


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (Kind.TEXT, "x" * 2001),
        (Kind.TEXT, {"a": 1}),
        (Kind.TEXT, True),
        (Kind.NUMBER, "many"),
        (Kind.NUMBER, "NaN"),
        (Kind.NUMBER, True),
        (Kind.NUMBER, "1e99"),
        (Kind.SELECT, "blue"),
        (Kind.SELECT, ["red"]),
        (Kind.MULTI_SELECT, ["red", "blue"]),
        (Kind.MULTI_SELECT, 7),
        (Kind.LINK, "javascript:alert(1)"),
        (Kind.DATE, "14.3.2026"),
        (Kind.SERVICE, "nothing"),
        (Kind.TEAM, "nobody"),
        (Kind.PERSON, "99999"),
    ],
)
def test_what_a_kind_does_not_take_is_refused_with_a_remedy(kind: str, given: Any) -> None:
    made = CustomField(name="Field", slug="field", kind=kind, options=["red", "green"])
    with pytest.raises(Invalid) as refused:
        checked(made, given)
    assert refused.value.field == "fields.field"
    assert refused.value.message.startswith("Field: ")
    assert refused.value.remedy


def test_each_change_is_an_entry_and_the_same_again_is_none(
    responder: Actor, incident: Incident, now: datetime
) -> None:
    field("cause"), field("users", Kind.NUMBER)
    incident = set_fields(actor=responder, incident=incident, values={"cause": "pool", "users": "12"}, now=now)
    set_fields(actor=responder, incident=incident, values={"cause": "pool"}, now=now)
    set_fields(actor=responder, incident=incident, values={"cause": ""}, now=now)
    told = list(incident.timeline.filter(kind="field").order_by("sequence").values_list("text", "data"))
    assert told == [
        ("set Cause: pool", {"field": "cause", "from": None, "to": "pool"}),
        ("set Users: 12", {"field": "users", "from": None, "to": 12}),
        ("cleared Cause (was “pool”)", {"field": "cause", "from": "pool", "to": None}),
    ]
    incident.refresh_from_db()
    assert incident.fields == {"users": 12}
    assert Event.objects.filter(name="incident.fields_changed").count() == 2


def test_nobody_overwrites_what_they_have_not_seen(responder: Actor, incident: Incident, now: datetime) -> None:
    field("cause")
    set_fields(actor=responder, incident=incident, values={"cause": "pool"}, now=now)
    bob = accounts.actor(name="Bob")
    with pytest.raises(Conflict) as refused:
        set_fields(actor=bob, incident=incident, values={"cause": "disk"}, was={"cause": None}, now=now)
    assert refused.value.code == "stale"
    assert "Ana Ferreira" in refused.value.message
    set_fields(actor=bob, incident=incident, values={"cause": "disk"}, was={"cause": "pool"}, now=now)


def test_a_type_has_its_own_fields_and_those_of_all(responder: Actor, incident: Incident, now: datetime) -> None:
    field("cause")
    field("breach").types.add(IncidentType.objects.get(slug="security"))
    with pytest.raises(Invalid, match="have no field “breach”"):
        set_fields(actor=responder, incident=incident, values={"breach": "yes"}, now=now)
    assert [row.slug for row in show_fields(incident)] == ["cause"]


def test_what_is_gone_stays_readable(responder: Actor, incident: Incident, now: datetime) -> None:
    color = field("color", Kind.SELECT, options=["red", "green"])
    cause = field("cause")
    set_fields(actor=responder, incident=incident, values={"color": "red", "cause": "pool"}, now=now)
    CustomField.objects.filter(pk=color.pk).update(options=["green"])
    cause.delete()
    incident.refresh_from_db()
    shown = [(row.name, row.words, row.is_current) for row in show_fields(incident)]
    assert shown == [("Color", "red", True), ("cause", "pool", False)]
    set_fields(actor=responder, incident=incident, values={"color": "green"}, now=now)


def test_required_fields_hold_people_back_and_never_an_alert(responder: Actor, now: datetime) -> None:
    incidents.configuration()
    field("team", required_at="declare"), field("cause", required_at="resolve"), field("lesson", required_at="close")
    with pytest.raises(Conflict) as refused:
        incidents.incident(responder, now=now)
    assert (refused.value.code, refused.value.field) == ("fields_missing", "fields.team")
    assert incidents.incident(Actor.of_alert_source(1, "Prometheus"), now=now).number == 1
    incident = incidents.incident(responder, fields={"team": "shop"}, now=now)
    with pytest.raises(Conflict, match="resolved: Cause"):
        resolve_incident(actor=responder, incident=incident, now=now)
    set_fields(actor=responder, incident=incident, values={"cause": "pool"}, now=now)
    incident = resolve_incident(actor=responder, incident=incident, now=now)
    closed = IncidentStatus.objects.get(slug="closed")
    with pytest.raises(DomainError, match="closed: Lesson"):
        change_status(actor=responder, incident=incident, status=closed, now=now)


def test_what_is_declared_as_over_is_asked_for_what_its_end_asks_for(responder: Actor, now: datetime) -> None:
    incidents.configuration()
    field("cause", required_at="resolve")
    past = {"mode": "retrospective", "started_at": now - timedelta(hours=2), "resolved_at": now - timedelta(hours=1)}
    with pytest.raises(Conflict, match="resolved: Cause"):
        incidents.incident(responder, now=now, **past)
    assert incidents.incident(responder, now=now, fields={"cause": "pool"}, **past).fields == {"cause": "pool"}


def test_the_form_asks_for_the_fields_of_the_type_and_keeps_what_was_typed(responder: Actor, client: Client) -> None:
    incidents.configuration()
    security = IncidentType.objects.get(slug="security")
    field("breach", required_at="declare", description="What got out?").types.add(security)
    client.force_login(User.objects.get(pk=responder.person_id))
    assert "What got out?" not in client.get("/incidents/declare/").text
    typed = {"name": "Laptop gone", "incident_type": security.pk, "severity": incidents.severity("sev1").pk}
    part = client.post("/incidents/declare/by-type/", {**typed, "fields.breach": "names"})
    assert 'value="names"' in part.text
    refused = client.post("/incidents/declare/", typed)
    assert refused.status_code == 422
    assert "Breach" in refused.text
    assert client.post("/incidents/declare/", {**typed, "fields.breach": "names"}).status_code == 302
    assert Incident.objects.get().fields == {"breach": "names"}
    assert Incident.objects.get().is_private


def test_they_are_set_by_dialog_and_by_api(responder: Actor, incident: Incident, client: Client) -> None:
    field("cause"), field("color", Kind.MULTI_SELECT, options=["red", "green"])
    client.force_login(User.objects.get(pk=responder.person_id))
    address = f"/incidents/{incident.number}/fields/"
    assert "Cause" in client.get(address).text
    filled = {"fields.cause": "pool", "fields.color": ["red"], "was": "{}"}
    assert client.post(address, filled, headers={"HX-Request": "true"}).status_code == 204
    api = f"/api/v1{address}"
    body = {"values": {"color": ["green"]}, "was": {"color": ["red"]}}
    answer = client.post(api, body, content_type="application/json")
    assert [(row["slug"], row["value"]) for row in answer.json()] == [("cause", "pool"), ("color", ["green"])]
    assert client.get(f"/api/v1/incidents/{incident.number}/").json()["fields"] == {"cause": "pool", "color": ["green"]}
    page = client.get(incident.get_absolute_url()).text
    assert "pool" in page


FOUND = {
    "field.cause=POOL": 1,
    "field.cause=disk": 0,
    "field.color=red": 1,
    "field.color=green&field.color=blue": 1,
    "field.color=blue": 0,
    "field.users=12": 1,
    "field.users=13": 0,
    "field.day=2026-03-14": 1,
}


def test_incidents_are_found_by_them(responder: Actor, incident: Incident, now: datetime, client: Client) -> None:
    field("cause"), field("users", Kind.NUMBER), field("day", Kind.DATE)
    field("color", Kind.MULTI_SELECT, options=["red", "green"])
    values = {"cause": "pool exhausted", "users": 12, "day": "2026-03-14", "color": ["red", "green"]}
    set_fields(actor=responder, incident=incident, values=values, now=now)
    incidents.incident(responder, name="Another", now=now)
    client.force_login(User.objects.get(pk=responder.person_id))
    by_api = {asked: len(client.get(f"/api/v1/incidents/?{asked}").json()["results"]) for asked in FOUND}
    assert by_api == FOUND
    on_screen = {asked: len(client.get(f"/incidents/?{asked}").context["list"].page) for asked in FOUND}
    assert on_screen == FOUND
    refused = client.get("/api/v1/incidents/?field.caus=pool")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["field.caus"])
    assert client.get("/incidents/?field.caus=pool").status_code == 200


def test_showing_many_costs_a_few_queries(
    responder: Actor, incident: Incident, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services = [catalog.service() for _ in range(6)]
    for number, service in enumerate(services):
        field(f"service-{number}", Kind.SERVICE)
        incident.fields[f"service-{number}"] = service.slug
    incident.save()
    with django_assert_num_queries(2):
        assert [row.words for row in show_fields(incident)] == [service.name for service in services]
