"""Whether a schedule will hold, and that its owners hear on the day when somebody on call can't be paged."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role, User
from events.actions import deliver_due
from events.models import Event
from oncall.coverage import Flaw
from oncall.models import Leave, Schedule
from oncall.soundness import owners_of, report_unreachable, soundness_of
from tests.factories import oncall
from tests.factories.accounts import team, user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def managed(manager: User, *people: User) -> Schedule:
    owners = team(manager)
    Membership.objects.filter(user=manager).update(role=Membership.TeamRole.MANAGER)
    return oncall.schedule(*people, team=owners)


def test_what_lowers_the_score_is_told_in_words(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana, bob)
    other = oncall.schedule(bob, name="Database")
    Leave.objects.create(user=ana, starts_at=now + 3 * DAY, ends_at=now + 4 * DAY)
    sound = soundness_of(schedule, now)
    words = [sound.in_words(each, ZoneInfo("UTC")) for each in sound.quality.findings]
    assert "Ana is away: Tue 17 Mar 09:26 – Wed 18 Mar 09:26" in words
    assert any(each.startswith(f"Bob is on call on {other.name} too: ") for each in words)
    assert sound.quality.score < 100
    assert soundness_of(oncall.schedule(), now).quality.of(Flaw.GAP)


def test_whoever_is_on_call_and_can_not_be_paged_is_named(now: datetime) -> None:
    ana, bob, eve = user(name="Ana"), user(name="Bob"), user(name="Eve")
    schedule = oncall.schedule(ana, bob, eve)
    oncall.contact_method(bob)
    oncall.contact_method(eve, proved_at=now)
    assert soundness_of(schedule, now).weak == [(ana, "unreachable"), (bob, "unproved")]


def test_the_owners_are_mailed_once_a_week_about_somebody_whom_nothing_reaches(now: datetime) -> None:
    ana, manager = user(name="Ana"), user(name="Max")
    schedule = managed(manager, ana)
    assert report_unreachable(now) == 1
    assert report_unreachable(now) == 0
    event = Event.objects.get(name="schedule.person_unreachable")
    assert (event.subject_id, event.data) == (schedule.pk, {"user": ana.pk})
    deliver_due(event.occurred_at)
    [message] = mail.outbox
    assert message.to == [manager.email]
    assert "Ana is on call" in message.subject
    assert f"/oncall/schedules/{schedule.slug}/" in message.body
    assert report_unreachable(event.occurred_at + 8 * DAY) == 1
    oncall.contact_method(ana)
    assert report_unreachable(event.occurred_at + 30 * DAY) == 0


def test_a_schedule_without_managers_of_its_own_belongs_to_all_managers() -> None:
    manager, _responder = user(role=Role.MANAGER), user()
    assert owners_of(oncall.schedule()) == [manager]
    assert owners_of(oncall.schedule(team=team(user()))) == [manager]


def test_looking_at_one_of_many_schedules_asks_no_more(now: datetime) -> None:
    ana = user()
    schedule, counts = oncall.schedule(ana), []
    for _ in range(2):
        for _ in range(4):
            oncall.schedule(ana, user())
        with CaptureQueriesContext(connection) as captured:
            soundness_of(schedule, now)
        counts.append(len(captured))
    assert counts[0] == counts[1]
