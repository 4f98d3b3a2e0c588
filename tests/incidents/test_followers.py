"""Followers: who follows, what they are told, how often, and how it ends."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.errors import Invalid, NotAllowed, NotFound
from events.models import Event
from incidents.actions import change_severity, resolve_incident
from incidents.entries import add_note
from incidents.followers import follow, tell_due, unfollow
from incidents.membership import set_visibility
from incidents.models import Incident, IncidentFollower
from incidents.roles import assign_role
from incidents.updates import post_update
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bob() -> User:
    return accounts.user(name="Bob Okafor", email="bob@example.com")


def as_self(user: User) -> Actor:
    return Actor.of_user(user, via="web")


def deliver() -> datetime:
    """Delivers what has happened; returns when, by the clock of events."""
    while deliver_due(timezone.now()):
        pass
    return timezone.now()


def test_who_declares_and_who_has_a_role_follows(
    responder: Actor, incident: Incident, bob: User, now: datetime
) -> None:
    lead = incident.severity.required_roles.get(slug="lead")
    assign_role(actor=responder, incident=incident, role=lead, user=bob, now=now)
    before = incident.timeline.count()
    deliver()
    assert set(incident.followers.values_list("user_id", flat=True)) == {responder.user_id, bob.pk}
    assert incident.timeline.count() == before
    deliver()
    assert incident.followers.count() == 2


def test_what_is_new_is_one_mail(responder: Actor, incident: Incident, bob: User, now: datetime) -> None:
    deliver()
    follow(actor=as_self(bob), incident=incident, user=bob, now=now)
    post_update(actor=responder, incident=incident, text="Pool exhausted", doing="Raising it", now=now)
    change_severity(actor=responder, incident=incident, severity=incidents.severity("sev1"), now=now)
    add_note(actor=responder, incident=incident, text="The coffee is out", now=now)
    at = deliver()
    tell_due(at)
    [message] = mail.outbox
    assert message.to == ["bob@example.com"]
    assert message.subject == f"{incident.reference} SEV1 Investigating: Payment API returning 500 errors"
    assert "[UPDATE 09:26] Pool exhausted" in str(message.body)
    assert "raised severity SEV2 → SEV1" in str(message.body)
    assert "coffee" not in str(message.body)
    assert f"/incidents/{incident.number}/brief/" in str(message.body)
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert tell_due(at + MINUTE) == 0
    resolve_incident(actor=responder, incident=incident, now=now)
    tell_due(deliver())
    assert len(mail.outbox) == 2
    assert "Pool exhausted" not in str(mail.outbox[1].body)
    assert "resolved the incident" in str(mail.outbox[1].body)


def test_nobody_is_told_of_their_own_words(responder: Actor, incident: Incident, now: datetime) -> None:
    deliver()
    post_update(actor=responder, incident=incident, text="Pool exhausted", now=now)
    assert tell_due(deliver()) == 1
    assert mail.outbox == []
    assert incident.followers.get().due_at is None


def test_a_slower_pace_gathers(responder: Actor, incident: Incident, bob: User, now: datetime) -> None:
    follow(actor=as_self(bob), incident=incident, user=bob, now=now, pace="quarter")
    post_update(actor=responder, incident=incident, text="First", now=now)
    at = deliver()
    post_update(actor=responder, incident=incident, text="Second", now=now)
    deliver()
    tell_due(at + 14 * MINUTE)
    assert mail.outbox == []
    tell_due(at + 15 * MINUTE)
    [message] = mail.outbox
    assert "First" in str(message.body)
    assert "Second" in str(message.body)


def test_a_mail_that_fails_is_tried_again(
    responder: Actor, incident: Incident, bob: User, now: datetime, settings: Settings
) -> None:
    follow(actor=as_self(bob), incident=incident, user=bob, now=now)
    post_update(actor=responder, incident=incident, text="First", now=now)
    at = deliver()
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tell_due(at)
    settings.EMAIL_BACKEND = working
    assert tell_due(at + MINUTE) == 0
    tell_due(at + 6 * MINUTE)
    assert [message.to for message in mail.outbox] == [["bob@example.com"]]


def test_whoever_lost_their_access_is_told_nothing(
    responder: Actor, incident: Incident, bob: User, now: datetime
) -> None:
    deliver()
    follow(actor=as_self(bob), incident=incident, user=bob, now=now)
    post_update(actor=responder, incident=incident, text="A secret", now=now)
    set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    tell_due(deliver())
    assert mail.outbox == []


def test_members_hear_of_a_private_one_only_that_there_is_news(responder: Actor, bob: User, now: datetime) -> None:
    incident = incidents.incident(responder, now=now, visibility="private", name="Somebody got in")
    incident.memberships.create(user=bob, added_at=now)
    follow(actor=as_self(bob), incident=incident, user=bob, now=now)
    post_update(actor=responder, incident=incident, text="Through the VPN", now=now)
    tell_due(deliver())
    [message] = mail.outbox
    whole = f"{message.subject}\n{message.body}\n{getattr(message, 'alternatives', [])}"
    assert message.subject == f"There is news in {incident.reference}, a private incident"
    assert "VPN" not in whole
    assert "Somebody" not in whole


def test_one_follows_what_one_may_see(responder: Actor, bob: User, now: datetime) -> None:
    private = incidents.incident(responder, now=now, visibility="private")
    with pytest.raises(NotFound):
        follow(actor=as_self(bob), incident=private, user=bob, now=now)
    with pytest.raises(Invalid, match="may not see"):
        follow(actor=responder, incident=private, user=bob, now=now)


def test_viewers_follow_for_themselves_only(incident: Incident, bob: User, now: datetime) -> None:
    viewer = accounts.user(role=Role.VIEWER)
    follow(actor=as_self(viewer), incident=incident, user=viewer, now=now)
    with pytest.raises(NotAllowed):
        follow(actor=as_self(viewer), incident=incident, user=bob, now=now)


def test_following_twice_is_following_once(incident: Incident, bob: User, now: datetime) -> None:
    for pace in (None, "hour", "hour", None):
        follow(actor=as_self(bob), incident=incident, user=bob, now=now, pace=pace)
    assert incident.followers.get(user=bob).pace == "hour"
    for _again in range(2):
        unfollow(actor=as_self(bob), incident=incident, user=bob, now=now)
    assert not incident.followers.filter(user=bob).exists()
    names = Event.objects.filter(name__in=["incident.followed", "incident.unfollowed"]).values_list("name", flat=True)
    assert sorted(names) == ["incident.followed", "incident.followed", "incident.unfollowed"]


def test_the_link_in_the_mail_ends_it_without_signing_in(
    responder: Actor, incident: Incident, bob: User, now: datetime
) -> None:
    follow(actor=as_self(bob), incident=incident, user=bob, now=now)
    post_update(actor=responder, incident=incident, text="First", now=now)
    tell_due(deliver())
    link = mail.outbox[0].extra_headers["List-Unsubscribe"].strip("<>")
    path = "/" + link.split("/", 3)[3]
    client = Client(enforce_csrf_checks=True)
    assert f"Stop following {incident.reference}?" in client.get(path).content.decode()
    assert incident.followers.filter(user=bob).exists()
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not incident.followers.filter(user=bob).exists()
    assert "nothing to stop" in client.get(path[:-3] + "xx/").content.decode()


def test_by_screen_and_by_rest(incident: Incident, bob: User) -> None:
    client = Client()
    client.force_login(bob)
    answer = client.post(f"/incidents/{incident.number}/follow/", {"pace": "hour"}, headers={"HX-Request": "true"})
    assert "Stop following" in answer.content.decode()
    address = f"/api/v1/incidents/{incident.number}/followers/"
    assert client.get(address).json()["results"][0]["pace"] == "hour"
    assert client.post(address, {"pace": "each"}, "application/json").json()["pace"] == "each"
    assert client.post(f"{address}remove/", {}, "application/json").status_code == 204
    assert not IncidentFollower.objects.filter(user=bob).exists()
    client.post(f"/incidents/{incident.number}/unfollow/")


def test_the_menu_names_who_follows_the_viewer_first(responder: Actor, incident: Incident, now: datetime) -> None:
    people = [accounts.user(name=f"Person {number:02}") for number in range(14)]
    for person in people:
        follow(actor=as_self(person), incident=incident, user=person, now=now)
    client = Client()
    client.force_login(people[13])
    page = " ".join(client.get(incident.get_absolute_url()).content.decode().split())
    assert "14 follow: Person 13, Person 00, Person 01" in page
    assert "Person 10 and 2 more" in page
    menu = client.post(f"/incidents/{incident.number}/unfollow/", headers={"HX-Request": "true"}).content.decode()
    assert "13 follow: Person 00" in menu
