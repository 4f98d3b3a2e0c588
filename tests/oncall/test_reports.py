"""Reports: what paging costs people, counted by the database over the days that were asked for."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import acknowledge_escalation, start_escalation
from oncall.engine import tick
from oncall.models import Escalation, EscalationPolicy
from oncall.reports import Question, report, stretch_of
from oncall.sending import send_due
from tests.factories import oncall
from tests.factories.accounts import api_key, team, user

pytestmark = pytest.mark.django_db

MARCH = Question(*stretch_of(date(2026, 3, 1), date(2026, 3, 31), ZoneInfo("UTC")))


def reachable(**fields: Any) -> User:
    person = user(**fields)
    oncall.contact_method(person)
    return person


def paged(
    person: User, at: datetime, *, answered_after: int | None = None, policy: EscalationPolicy | None = None
) -> Escalation:
    """The person is paged at the instant, and answers after so many seconds."""
    chosen = policy or oncall.policy(oncall.level(person))
    escalation = start_escalation(actor=oncall.SYSTEM, policy=chosen, title="Payments answer with errors", now=at)
    tick(at)
    send_due(at)
    if answered_after is not None:
        now = at + timedelta(seconds=answered_after)
        acknowledge_escalation(actor=Actor.of_user(person, via="web"), escalation=escalation, now=now)
    return escalation


def march(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_pages_are_counted_by_person_and_hour() -> None:
    ana, bob = reachable(), reachable()
    for at in (march(3, 9), march(4, 9), march(4, 14)):
        paged(ana, at)
    paged(bob, march(5, 9))
    made = report(MARCH)
    assert [(each.person, each.pages, each.hours[9], each.hours[14]) for each in made.people] == [
        (ana, 3, 2, 1),
        (bob, 1, 1, 0),
    ]
    assert (made.pages, made.busiest) == (4, 2)


def test_a_page_through_two_methods_is_one() -> None:
    ana = reachable()
    oncall.contact_method(ana, address="second@example.com")
    paged(ana, march(3, 9))
    assert report(MARCH).people[0].pages == 1


def test_the_hour_is_that_of_the_persons_own_day_right_through_a_clock_change() -> None:
    ana = reachable(time_zone="Europe/Berlin")
    # The clocks of Berlin go forward on 29 March 2026 at 01:00 UTC.
    paged(ana, march(29, 0, 59))
    paged(ana, march(29, 1, 0))
    hours = report(MARCH).people[0].hours
    assert (hours[1], hours[2], hours[3]) == (1, 0, 1)


@pytest.mark.parametrize(("zone", "hour"), [("Asia/Kathmandu", 5), ("Pacific/Marquesas", 14), ("Nowhere/Atlantis", 0)])
def test_odd_zones_and_one_that_is_gone_are_read(zone: str, hour: int) -> None:
    ana = reachable(time_zone=zone)
    paged(ana, march(3, 0, 10))
    assert report(MARCH).people[0].hours[hour] == 1


def test_nights_are_from_22_to_6_and_two_pages_of_one_night_are_one_night() -> None:
    ana = reachable()
    for at in (march(3, 23), march(4, 2), march(6, 5, 59), march(7, 6)):
        paged(ana, at)
    [each] = report(MARCH).people
    assert (each.pages, each.at_night, each.nights) == (4, 3, 2)


def test_what_lies_outside_the_days_is_not_counted() -> None:
    ana = reachable()
    paged(ana, datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    paged(ana, march(1, 0))
    paged(ana, datetime(2026, 4, 1, tzinfo=UTC))
    made = report(MARCH)
    assert (made.pages, made.total.escalations) == (1, 1)


def test_times_to_acknowledge_are_told_by_policy() -> None:
    ana = reachable()
    policy = oncall.policy(oncall.level(ana))
    for day, seconds in ((3, 60), (4, 120), (5, 600)):
        paged(ana, march(day, 9), answered_after=seconds, policy=policy)
    paged(ana, march(6, 9), policy=policy)
    [made] = report(MARCH).policies
    assert (made.policy, made.escalations, made.acknowledged, made.median) == (policy, 4, 3, 120.0)
    assert made.p90 == pytest.approx(504.0)


def test_the_escalation_rate_is_what_went_past_the_first_level() -> None:
    ana, bob = reachable(), reachable()
    policy = oncall.policy(oncall.level(ana), oncall.level(bob))
    paged(ana, march(3, 9), answered_after=60, policy=policy)
    paged(ana, march(4, 9), policy=policy)
    tick(march(4, 9, 6))
    total = report(MARCH).total
    assert (total.escalations, total.escalated, total.escalation_rate) == (2, 1, 0.5)


def test_a_report_can_be_about_a_policy_a_team_or_a_schedule() -> None:
    ana = reachable()
    owners = team()
    schedule = oncall.schedule(ana)
    policy = oncall.policy(oncall.level(schedule), team=owners)
    paged(ana, march(3, 9), policy=policy)
    paged(ana, march(4, 9))
    for question in ({"policies": (policy,)}, {"teams": (owners,)}, {"schedules": (schedule,)}):
        made = report(Question(MARCH.start, MARCH.end, **question))
        assert (made.pages, [each.policy for each in made.policies]) == (1, [policy])
    assert report(MARCH).pages == 2


def test_a_report_costs_the_same_for_much_as_for_little() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            report(MARCH)
        return len(captured)

    paged(reachable(), march(3, 9), answered_after=5)
    few = queries()
    for day in range(4, 12):
        paged(reachable(time_zone="Asia/Bangkok"), march(day, 9), answered_after=5)
    assert queries() == few == 7


def test_no_history_at_all_is_a_report_too() -> None:
    made = report(MARCH)
    assert (made.people, made.policies, made.pages, made.busiest) == ([], [], 0, 0)
    assert (made.total.median, made.total.escalation_rate) == (None, 0.0)


# --- Screens and API --------------------------------------------------------------------------------------------------


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_the_screen_shows_the_heat_and_gives_files() -> None:
    ana = reachable(name="Ana Ferreira")
    paged(ana, march(3, 23), answered_after=90)
    client = signed_in(ana)
    address = reverse("oncall:reports")
    days = "first=2026-03-01&last=2026-03-31&schedule=&policy=&team="
    html = client.get(f"{address}?{days}").content.decode()
    for words in ("Ana Ferreira", "heat-5", "1 min"):
        assert words in html, words
    people = client.get(f"{address}?{days}&csv=people").content.decode().splitlines()
    assert people[1].startswith(f"Ana Ferreira,{ana.email},1,1,1,0,0")
    policies = client.get(f"{address}?{days}&csv=policies").content.decode().splitlines()
    assert policies[-1] == "all,1,1,90.0,90.0,0,0.0"
    assert client.get(address).status_code == 200


def test_the_last_day_is_today_where_the_viewer_is() -> None:
    # 02:00 of Thursday in Bangkok, still Wednesday in UTC.
    now = datetime(2026, 3, 11, 19, tzinfo=UTC)
    ana = reachable(name="Ana Ferreira", time_zone="Asia/Bangkok")
    paged(ana, now - timedelta(minutes=1))
    with time_machine.travel(now, tick=False):
        html = signed_in(ana).get(reverse("oncall:reports")).content.decode()
    assert 'value="2026-03-12"' in html
    assert "heat-5" in html


def test_the_screen_tells_for_each_policy_how_many_went_past_its_first_level() -> None:
    ana, bob = reachable(), reachable()
    policy = oncall.policy(oncall.level(ana), oncall.level(bob))
    for day in (3, 4):
        paged(ana, march(day, 9), policy=policy)
    tick(march(4, 9, 6))
    paged(ana, march(5, 9), answered_after=60, policy=policy)
    address = reverse("oncall:reports") + "?first=2026-03-01&last=2026-03-31"
    assert "(67%)" in signed_in(ana).get(address).content.decode()


def test_more_than_a_year_or_nonsense_is_refused_with_the_reason() -> None:
    client = signed_in(user())
    address = reverse("oncall:reports")
    for query, reason in (
        ("first=2024-01-01&last=2026-01-01", "At most 366 days at once."),
        ("first=2026-02-01&last=2026-01-01", "The last day must come after the first."),
        ("first=never", "Enter a valid date."),
    ):
        answer = client.get(f"{address}?{query}")
        assert answer.status_code == 400
        assert reason in answer.content.decode()


def test_the_api_gives_the_same_report() -> None:
    ana = reachable()
    policy = oncall.policy(oncall.level(ana))
    paged(ana, march(3, 9), answered_after=60, policy=policy)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    address = "/api/v1/on-call/reports/?first=2026-03-01&last=2026-03-31"
    shown = client.get(f"{address}&policy={policy.slug}").json()
    assert (shown["pages"], shown["people"][0]["hours"][9], shown["total"]["median"]) == (1, 1, 60.0)
    assert shown["policies"][0]["policy"] == policy.slug
    assert client.get("/api/v1/on-call/reports/?first=2020-01-01").status_code == 400
