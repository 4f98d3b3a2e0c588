"""A private incident leaves no trace for people outside: lists, pages, search, API, home, postmortems."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, NotFound
from incidents import actions, entries, followers, membership, merging, paging, roles, todo, updates
from incidents.models import AnnouncementRule, Incident, IncidentFollower, IncidentRole, IncidentType
from oncall.actions import add_responder, reassign_escalation
from tests.factories import accounts, alerts, catalog, incidents, oncall
from tests.factories.workflows import pass_time

pytestmark = pytest.mark.django_db

SECRET = "Zebra breach"
PLACES = [
    "/",
    "/incidents/",
    "/incidents/?q=Zebra",
    "/search/?q=Zebra",
    "/search/?q=INC-{number}",
    "/api/v1/incidents/",
    "/api/v1/incidents/?q=Zebra",
    "/alerts/?status=firing",
    "/api/v1/alerts/",
    "/postmortems/",
    "/action-items/",
    "/services/zebra-service/",
]


@pytest.fixture
def private(responder: Actor, now: datetime) -> Incident:
    service = catalog.service(name="Zebra service", slug="zebra-service")
    return incidents.incident(responder, name=SECRET, visibility="private", services=[service], now=now)


def client_of(role: Role) -> tuple[Client, User]:
    user = accounts.user(role=role)
    client = Client()
    client.force_login(user)
    return client, user


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.OWNER])
@pytest.mark.parametrize("place", PLACES)
def test_those_outside_find_no_trace(private: Incident, role: Role, place: str) -> None:
    client, _ = client_of(role)
    response = client.get(place.format(number=private.number))
    assert response.status_code == 200
    assert SECRET not in response.content.decode()
    assert f'"{private.reference}"' not in response.content.decode()


@pytest.mark.parametrize(
    "address",
    ["/incidents/{n}/", "/incidents/{n}/timeline/", "/api/v1/incidents/{n}/", "/api/v1/incidents/{n}/timeline/"],
)
def test_those_outside_get_the_same_answer_as_for_one_that_does_not_exist(private: Incident, address: str) -> None:
    client, _ = client_of(Role.OWNER)
    there, nowhere = client.get(address.format(n=private.number)), client.get(address.format(n=999_999))
    assert there.status_code == nowhere.status_code == 404


def test_a_member_sees_it_everywhere(private: Incident, responder: Actor) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=responder.person_id))
    for place in ("/incidents/", "/search/?q=Zebra", "/api/v1/incidents/", f"/incidents/{private.number}/"):
        assert SECRET in client.get(place).content.decode(), place


def test_an_outsider_cannot_write_to_it(private: Incident, now: datetime) -> None:
    with pytest.raises(NotFound):
        entries.add_note(actor=accounts.actor(Role.OWNER), incident=private, text="hello", now=now)
    client, _ = client_of(Role.OWNER)
    assert client.post(f"/incidents/{private.number}/notes/", {"text": "hello"}).status_code == 404


def test_the_administrator_in_the_django_admin_is_outside_too(private: Incident) -> None:
    client, _ = client_of(Role.OWNER)
    for place in ("/admin/incidents/incident/", "/admin/incidents/timelineentry/", "/admin/events/event/"):
        response = client.get(place)
        assert response.status_code == 200
        assert SECRET not in response.content.decode()


def test_members_come_and_go_but_one_stays(private: Incident, responder: Actor, now: datetime) -> None:
    bob = accounts.user()
    membership.add_member(actor=responder, incident=private, user=bob, now=now)
    assert Incident.objects.visible_to(Actor.of_user(bob, via="web")).filter(pk=private.pk).exists()
    membership.remove_member(actor=responder, incident=private, user=bob, now=now)
    assert not Incident.objects.visible_to(Actor.of_user(bob, via="web")).filter(pk=private.pk).exists()
    with pytest.raises(Conflict):
        membership.remove_member(
            actor=responder, incident=private, user=User.objects.get(pk=responder.person_id), now=now
        )


def test_making_an_incident_private_keeps_its_people(responder: Actor, incident: Incident, now: datetime) -> None:
    bob = accounts.user()
    roles.assign_role(
        actor=responder,
        incident=incident,
        role=IncidentRole.objects.get(slug="lead"),
        user=bob,
        now=now,
    )
    membership.set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    assert set(incident.members.values_list("pk", flat=True)) == {responder.user_id, bob.pk}


# --- What a machine declares ------------------------------------------------------------------------------------------


def members(incident: Incident) -> set[int]:
    return set(incident.members.values_list("pk", flat=True))


def declared_by_a_machine(now: datetime, **fields: Any) -> Incident:
    return incidents.incident(Actor.of_workflow(1, "Chores"), visibility="private", now=now, **fields)


def test_who_is_on_call_sees_what_a_machine_declares(now: datetime) -> None:
    paged, later = accounts.user(), accounts.user()
    for user in (paged, later):
        oncall.contact_method(user)
    policy = oncall.policy(oncall.level(paged), oncall.level(later))
    service = catalog.service(escalation_policy=policy, team=accounts.team(accounts.user()))
    assert members(declared_by_a_machine(now, services=[service])) == {paged.pk}
    assert members(declared_by_a_machine(now, policy=policy)) == {paged.pk}


def test_where_nobody_is_on_call_the_team_sees_it_and_else_the_administrators(now: datetime) -> None:
    owner, administrator, mate = accounts.user(role=Role.OWNER), accounts.user(role=Role.ADMINISTRATOR), accounts.user()
    accounts.user(role=Role.ADMINISTRATOR, is_active=False)
    service = catalog.service(team=accounts.team(mate))
    assert members(declared_by_a_machine(now, services=[service])) == {mate.pk}
    assert members(declared_by_a_machine(now)) == {owner.pk, administrator.pk}


def test_what_a_machine_makes_private_keeps_somebody(now: datetime) -> None:
    administrator, machine = accounts.user(role=Role.ADMINISTRATOR), Actor.of_workflow(1, "Chores")
    incident = incidents.incident(machine, now=now)
    membership.set_visibility(actor=machine, incident=incident, visibility="private", now=now)
    assert members(incident) == {administrator.pk}


def test_what_a_route_declares_is_seen_by_whom_it_pages(now: datetime) -> None:
    paged = accounts.user()
    oncall.contact_method(paged)
    incidents.configuration()
    secret = IncidentType.objects.filter(private_by_default=True).first() or IncidentType.objects.create(
        name="Secret", slug="secret", private_by_default=True
    )
    policy = oncall.policy(oncall.level(paged))
    alerts.route(
        paging="policy",
        escalation_policy=policy,
        declares_incident=True,
        severity=incidents.severity("sev2"),
        incident_type=secret,
    )
    alerts.sent(alerts.source(), now, title="Disk full", dedup_key="1")
    assert members(Incident.objects.get()) == {paged.pk}


# --- Who is paged for it ----------------------------------------------------------------------------------------------


@pytest.fixture
def on_call() -> list[User]:
    people = [accounts.user(name=name) for name in ("Bob Okafor", "Eve Stone", "Dan Reyes")]
    for person in people:
        oncall.contact_method(person)
    return people


def told(incident: Incident) -> list[str]:
    """What its timeline says about who is in, oldest first."""
    return list(incident.timeline.filter(kind="member").order_by("sequence").values_list("text", flat=True))


def test_each_level_is_let_in_when_it_is_paged(
    private: Incident, responder: Actor, on_call: list[User], now: datetime
) -> None:
    bob, eve, dan = on_call
    policy = oncall.policy(oncall.level(bob, minutes=5), oncall.level(eve, dan, minutes=5))
    paging.page_for_incident(actor=responder, incident=private, policy=policy, now=now)
    pass_time(now)
    assert members(private) == {responder.user_id, bob.pk}
    client = Client()
    client.force_login(eve)
    assert client.get(private.get_absolute_url()).status_code == 404
    pass_time(now + timedelta(minutes=6))
    assert members(private) == {responder.user_id, bob.pk, eve.pk, dan.pk}
    assert SECRET in client.get(private.get_absolute_url()).content.decode()
    assert told(private) == ["let Bob Okafor in: paged for it", "let Eve Stone, Dan Reyes in: paged for it"]


def test_whom_it_is_handed_to_and_who_is_asked_to_help_are_let_in(
    private: Incident, responder: Actor, on_call: list[User], now: datetime
) -> None:
    bob, eve, dan = on_call
    policy, other = oncall.policy(oncall.level(bob)), oncall.policy(oncall.level(eve))
    escalation = paging.page_for_incident(actor=responder, incident=private, policy=policy, now=now)
    pass_time(now)
    first = Actor.of_user(bob, via="web")
    reassign_escalation(actor=first, escalation=escalation, policy=other, now=now)
    pass_time(now + timedelta(seconds=5))
    add_responder(actor=first, escalation=escalation, user=dan, now=now)
    pass_time(now + timedelta(seconds=9))
    assert members(private) == {responder.user_id, bob.pk, eve.pk, dan.pk}


def test_whose_access_was_taken_away_gets_it_back_with_the_next_page_only(
    private: Incident, responder: Actor, on_call: list[User], now: datetime
) -> None:
    bob, eve, _dan = on_call
    policy = oncall.policy(oncall.level(bob, minutes=5), oncall.level(eve, minutes=5), repeats=1)
    paging.page_for_incident(actor=responder, incident=private, policy=policy, now=now)
    pass_time(now)
    membership.remove_member(actor=responder, incident=private, user=bob, now=now)
    pass_time(now + timedelta(minutes=6))
    assert members(private) == {responder.user_id, eve.pk}
    pass_time(now + timedelta(minutes=12))
    assert members(private) == {responder.user_id, bob.pk, eve.pk}


def test_whom_it_pages_already_stays_inside_when_it_becomes_private_or_part_of_a_private_one(
    private: Incident, responder: Actor, incident: Incident, on_call: list[User], now: datetime
) -> None:
    bob, eve, _dan = on_call
    policy, other = oncall.policy(oncall.level(bob)), oncall.policy(oncall.level(eve))
    paging.page_for_incident(actor=responder, incident=incident, policy=policy, now=now)
    pass_time(now)
    membership.set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    assert members(incident) == {responder.user_id, bob.pk}
    merging.merge_incident(actor=responder, incident=incident, into=private, now=now, confirmed=True)
    assert members(private) == {responder.user_id, bob.pk}
    public = incidents.incident(responder, now=now)
    paging.page_for_incident(actor=responder, incident=public, policy=other, now=now)
    pass_time(now + timedelta(seconds=5))
    assert not public.memberships.exists()
    merging.merge_incident(actor=responder, incident=public, into=private, now=now)
    assert members(private) == {responder.user_id, bob.pk, eve.pk}
    merging.unmerge_incident(actor=responder, incident=public, now=now)
    assert members(private) == {responder.user_id, bob.pk}


# --- Mails ------------------------------------------------------------------------------------------------------------


def test_no_mail_names_it_and_none_goes_to_those_outside(
    private: Incident, responder: Actor, now: datetime, mailoutbox: list[Any]
) -> None:
    bob, eve = accounts.user(name="Bob Okafor"), accounts.user(name="Eve Stone")
    for user in (bob, eve, User.objects.get(pk=responder.person_id)):
        oncall.contact_method(user)
    membership.add_member(actor=responder, incident=private, user=bob, now=now)
    AnnouncementRule.objects.create(
        name="All",
        moments=["declared", "severity_changed", "status_changed", "updated", "resolved"],
        emails=["board@example.com"],
        position=1,
    ).users.set([bob, eve])
    for user in (bob, eve):
        IncidentFollower.objects.create(incident=private, user=user, since=now, told_until=0)
    lead = IncidentRole.objects.get(slug="lead")
    entries.write_entry(actor=responder, incident=private, text=f"{SECRET}, @bob.okafor @eve.stone", now=now)
    roles.assign_role(actor=responder, incident=private, role=lead, user=bob, note=SECRET, now=now)
    todo.add_action(actor=responder, incident=private, title=SECRET, assignee=bob, now=now)
    updates.post_update(actor=responder, incident=private, text=SECRET, now=now)
    actions.change_severity(actor=responder, incident=private, severity=incidents.severity("sev1"), now=now)
    pass_time(now)
    pass_time(now + timedelta(hours=3))
    followers.tell_due(timezone.now() + timedelta(hours=3))
    actions.resolve_incident(actor=responder, incident=private, now=now + timedelta(hours=3))
    pass_time(now + timedelta(hours=3))
    followers.tell_due(timezone.now() + timedelta(hours=6))
    assert {address for mail in mailoutbox for address in mail.to} == {bob.email}
    for mail in mailoutbox:
        whole = mail.subject + mail.body + "".join(str(content) for content, _ in getattr(mail, "alternatives", []))
        assert SECRET not in whole, mail.subject
    assert len({mail.subject for mail in mailoutbox}) >= 4
