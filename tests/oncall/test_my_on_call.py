"""My on call: one page and one address of the API for whoever carries the pager."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from oncall.engine import tick
from oncall.mine import my_on_call
from oncall.models import ContactMethod, CoverRefusal, CoverRequest, Leave, NotificationRule, ShiftSurvey
from tests.factories import oncall
from tests.factories.accounts import api_key, team, user

pytestmark = pytest.mark.django_db

WEDNESDAY = datetime(2026, 3, 11, 12, tzinfo=UTC)


def text(person: User) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(reverse("oncall:me"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_tells_the_shift_that_runs_whole_and_those_that_come() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(bob, ana)
    oncall.schedule(bob)
    mine = my_on_call(ana, WEDNESDAY)
    first, second = mine.shifts[:2]
    monday = datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert (first.schedule, first.start, first.end, first.is_now) == (schedule, monday, monday + timedelta(7), True)
    assert first.ask_from == WEDNESDAY
    assert (second.start, second.is_now) == (monday + timedelta(14), False)
    assert mine.is_on_call


def test_hours_of_this_month_are_those_until_now() -> None:
    ana = user()
    oncall.schedule(user(), ana)
    hours = my_on_call(ana, WEDNESDAY).hours
    # Until Monday the 2nd at 09:00, and again from Monday the 9th at 09:00.
    assert hours.total == timedelta(hours=33) + timedelta(hours=51)
    assert hours.weekend == timedelta(hours=24)


def test_a_shift_that_began_last_month_tells_where_it_began() -> None:
    ana = user()
    oncall.schedule(user(), ana)
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    mine = my_on_call(ana, now)
    assert mine.shifts[0].start == datetime(2026, 2, 23, 9, tzinfo=UTC)
    assert mine.hours.total == timedelta(hours=12)


def test_pages_surveys_leave_and_requests_wait_there() -> None:
    now = timezone.now()
    ana, bob = user(), user(name="Bob Okafor")
    oncall.contact_method(ana)
    schedule = oncall.schedule(ana, name="Primary on call")
    oncall.escalation(oncall.level(ana), now=now, title="Disk is full")
    tick(now)
    hour = timedelta(hours=1)
    ShiftSurvey.objects.create(
        schedule=schedule, user=ana, shift_start=now - 9 * hour, shift_end=now - hour, asked_at=now
    )
    Leave.objects.create(user=ana, starts_at=now + 24 * hour, ends_at=now + 48 * hour, reason="Mountains")
    CoverRequest.objects.create(
        schedule=schedule, user=bob, starts_at=now, ends_at=now + hour, created_at=now, note="Dentist"
    )
    html = text(ana)
    for words in ("Disk is full", "How was your shift?", "Mountains", "Bob Okafor", "Dentist", "You are on call"):
        assert words in html, words


def test_only_requests_that_one_could_accept_are_shown() -> None:
    now = timezone.now()
    ana, bob, chai = user(), user(), user()
    schedule = oncall.schedule(bob)
    common = {"schedule": schedule, "user": bob, "starts_at": now, "ends_at": now + timedelta(hours=1)}

    def ask() -> CoverRequest:
        return CoverRequest.objects.create(created_at=now, **common)

    anybody, to_chai, to_team, refused = ask(), ask(), ask(), ask()
    to_chai.asked.add(chai)
    CoverRequest.objects.filter(pk=to_team.pk).update(team=team(ana))
    CoverRefusal.objects.create(request=refused, user=ana, at=now)
    assert my_on_call(ana, now).asked_to_cover == [anybody, to_team]
    assert len(my_on_call(bob, now).cover_requests) == 4


def test_whoever_could_not_be_paged_is_told_first_of_all() -> None:
    ana = user()
    assert "Nothing would ring" in text(ana)
    method = oncall.contact_method(ana)
    assert "It is not proved" in text(ana)
    method.proved_at = timezone.now()
    method.save()
    html = text(ana)
    assert "Nothing would ring" not in html
    assert "It is not proved" not in html


def test_it_costs_the_same_for_ten_schedules_as_for_two() -> None:
    ana = user()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            my_on_call(ana, WEDNESDAY)
        return len(captured)

    for _ in range(2):
        oncall.schedule(ana, user())
    few = queries()
    for _ in range(8):
        oncall.schedule(ana, user())
    assert queries() == few


def test_the_api_tells_the_same() -> None:
    ana = user()
    schedule = oncall.schedule(ana)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    shown = client.get("/api/v1/on-call/me/").json()
    assert (shown["is_on_call"], shown["reach"]) == (True, "unreachable")
    assert shown["shifts"][0]["schedule"] == schedule.slug
    assert set(shown["hours"]) == {"weekday", "night", "weekend", "holiday"}
    now = timezone.now()
    method = oncall.contact_method(ana, proved_at=now)
    rule = NotificationRule.objects.create(user=ana, position=0, delay_minutes=5, contact_method=method)
    leave = Leave.objects.create(user=ana, starts_at=now, ends_at=now + timedelta(days=3))
    escalation = oncall.escalation(oncall.level(ana), now=now)
    tick(now)
    shown = client.get("/api/v1/on-call/me/").json()
    assert shown["reach"] == "proved"
    assert [(each["id"], each["proof"]) for each in shown["contact_methods"]] == [(method.pk, "proved")]
    assert [(each["id"], each["delay_minutes"]) for each in shown["rules"]] == [(rule.pk, 5)]
    assert [each["id"] for each in shown["leaves"]] == [leave.pk]
    assert [(each["id"], each["status"]) for each in shown["escalations"]] == [(escalation.pk, "triggered")]


def test_each_phone_can_be_tested_from_here() -> None:
    ana = user()
    assert "Set up my phone" in text(ana)
    phone = oncall.contact_method(ana)
    unverified = oncall.contact_method(ana, ContactMethod.Kind.SMS, address="+491701234567", verified_at=None)
    page = text(ana)
    assert reverse("oncall:contact-method-test", args=[phone.pk]) in page
    assert reverse("oncall:contact-method-test", args=[unverified.pk]) not in page
    assert "Set up my phone" not in page
