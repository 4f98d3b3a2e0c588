"""Whoever is on call within a day and can't be reached sees it on every page, and so do those who look after it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Role, User
from oncall.models import EngineBeat
from oncall.soundness import report_unreachable
from tests.factories import oncall
from tests.factories.accounts import team, user

pytestmark = pytest.mark.django_db
YOU = "Nothing reaches you, and you are on call now or within a day: add a contact method."
ONE = "1 person on call now or within a day cannot be reached."


def banners_of(client: Client, viewer: User) -> str:
    client.force_login(viewer)
    return client.get("/frame/").content.decode()


def test_whoever_can_not_be_reached_sees_it_until_something_reaches_them(client: Client) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    oncall.schedule(ana)
    report_unreachable(timezone.now())
    said = banners_of(client, ana)
    assert YOU in said
    assert f'href="{reverse("oncall:profile")}"' in said
    assert YOU not in banners_of(client, bob)
    oncall.contact_method(ana)
    assert YOU not in banners_of(client, ana)


def test_those_who_look_after_it_see_how_many(client: Client) -> None:
    ana, max_, outsider = user(name="Ana"), user(name="Max"), user(name="Otto")
    boss = user(role=Role.MANAGER)
    owners = team(max_)
    Membership.objects.filter(user=max_).update(role=Membership.TeamRole.MANAGER)
    oncall.schedule(ana, team=owners)
    report_unreachable(timezone.now())
    for viewer in (max_, boss):
        said = banners_of(client, viewer)
        assert ONE in said
        assert f'href="{reverse("oncall:now")}"' in said
    for viewer in (ana, outsider):
        assert ONE not in banners_of(client, viewer)
    dan = user(name="Dan")
    oncall.schedule(dan)
    report_unreachable(timezone.now())
    assert "2 people on call now or within a day cannot be reached." in banners_of(client, boss)
    assert ONE in banners_of(client, max_)


def test_a_shift_next_week_is_no_banner_yet_and_old_news_none_any_more(client: Client) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    oncall.contact_method(bob)
    # Bob has this week of 2026-03-09 and Ana the next one.
    schedule = oncall.schedule(ana, bob)
    monday = timezone.now().replace(year=2026, month=3, day=9, hour=10)
    report_unreachable(monday)
    assert EngineBeat.objects.get(name="unreachable").data["people"] == []
    report_unreachable(monday + timedelta(days=6))
    kept = EngineBeat.objects.get(name="unreachable")
    assert [each["user"] for each in kept.data["people"]] == [ana.pk]
    assert YOU not in banners_of(client, ana)
    assert schedule.team_id is None


def test_on_call_now_names_whoever_comes_next_and_can_not_be_reached(client: Client) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    oncall.schedule(ana, bob)
    client.force_login(ana)
    page = client.get(reverse("oncall:now")).content.decode()
    assert "Can&#x27;t be reached" in page or "Can't be reached" in page
    assert "(can&#x27;t be reached)" in page or "(can't be reached)" in page


@pytest.mark.parametrize(("role", "lost", "more"), [(Role.RESPONDER, 0, 0), (Role.MANAGER, 0, 0), (Role.MANAGER, 5, 1)])
def test_home_asks_at_most_one_question_more(client: Client, role: Role, lost: int, more: int) -> None:
    viewer = user(role=role)
    for _ in range(6):
        reached = user()
        oncall.contact_method(reached)
        oncall.schedule(reached)
    client.force_login(viewer)
    client.get("/")
    with CaptureQueriesContext(connection) as before:
        client.get("/")
    for person in User.objects.exclude(pk=viewer.pk)[:lost]:
        person.contact_methods.all().delete()
    report_unreachable(timezone.now())
    with CaptureQueriesContext(connection) as after:
        client.get("/")
    assert len(after) <= len(before) + more
