"""The stored schedules as data: everything that is stored counts, in a constant number of queries."""

from datetime import date, time, timedelta

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.actions import change_user
from accounts.models import User
from oncall.models import (
    ImportedCalendar,
    ImportedShift,
    Override,
    Rotation,
    Schedule,
    Shadow,
    Substitution,
)
from oncall.roster import on_call_at, schedule_ids_naming, schedule_specs, zone_of
from oncall.rota import Shift, WeeklyHours, mid_turn, shadows_at, shifts, who_is_on_call
from oncall.standings import standings
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.rotas import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 1, 7, 12)
DAY = timedelta(days=1)


def who(schedule: Schedule, at: object = NOW) -> list[int]:
    return [person.pk for person in on_call_at(at, {schedule.pk})[schedule.pk]]  # type: ignore[arg-type]


def imported(schedule: Schedule, person: User | None, kind: str = "primary", **fields: object) -> ImportedShift:
    calendar, _ = ImportedCalendar.objects.get_or_create(
        schedule=schedule, kind=kind, defaults={"address": "https://c"}
    )
    given = {"uid": "1", "starts_at": NOW - DAY, "ends_at": NOW + DAY, **fields}
    return ImportedShift.objects.create(calendar=calendar, user=person, **given)


def test_who_is_on_call_takes_four_queries_however_many_schedules(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ana, bob, dan = user(), user(), user()
    for _ in range(2):
        schedule = oncall.schedule(ana, bob)
        imported(schedule, ana)
        Override.objects.create(schedule=schedule, user=dan, starts_at=NOW, ends_at=NOW + DAY)
        Shadow.objects.create(schedule=schedule, user=bob, starts_at=NOW, ends_at=NOW + DAY)
    with django_assert_num_queries(4):
        assert len(on_call_at(NOW)) == 2
    for _ in range(5):
        oncall.schedule(ana, bob)
    with django_assert_num_queries(4):
        assert len(on_call_at(NOW)) == 7
    with django_assert_num_queries(5):
        assert len(standings(NOW)) == 7


def test_a_rotation_is_read_as_it_was_written() -> None:
    ana, bob = user(), user()
    draft = oncall.rotation(
        *(ana, bob),
        handovers=[(0, time(9)), (4, time(17))],
        layer=3,
        people_at_once=2,
        active_from=time(8),
        active_until=time(20),
        active_weekdays=[0, 1],
    )
    schedule = oncall.schedule(rotations=[draft], time_zone="Asia/Bangkok", country="TH", working_days=[6])
    spec = schedule_specs(NOW, NOW)[schedule.pk]
    (rotation,) = spec.rotations
    assert (rotation.members, rotation.layer, rotation.people_at_once) == ((ana.pk, bob.pk), 3, 2)
    assert [(each.weekday, each.at) for each in rotation.handovers] == [(0, time(9)), (4, time(17))]
    assert rotation.active == WeeklyHours(time(8), time(20), frozenset({0, 1}))
    assert rotation.starts_on == date(2026, 1, 5)
    assert (spec.zone.key, spec.country) == ("Asia/Bangkok", "TH")
    assert spec.working_hours == WeeklyHours(time(9), time(17), frozenset({6}))


def test_weekdays_without_times_are_whole_days() -> None:
    schedule = oncall.schedule(rotations=[oncall.rotation(user(), active_weekdays=[5, 6])])
    (rotation,) = schedule_specs(NOW, NOW)[schedule.pk].rotations
    assert rotation.active == WeeklyHours(time(0), time(0), frozenset({5, 6}))


def test_a_rotation_without_members_and_a_schedule_without_rotations_have_nobody() -> None:
    empty = oncall.schedule()
    Rotation.objects.create(schedule=empty, name="Nobody", starts_on=date(2026, 1, 1))
    assert who(empty) == []
    assert who(oncall.schedule()) == []


def test_for_a_member_who_has_left_the_next_stands_in_and_comes_back_with_them() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana, bob)
    assert who(schedule) == [ana.pk]
    ana.is_active = False
    ana.save()
    assert who(schedule) == [bob.pk]
    ana.is_active = True
    ana.save()
    assert who(schedule) == [ana.pk]


def test_versions_are_read_while_they_hold() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana)
    Rotation.objects.update(effective_until=NOW)
    later = Rotation.objects.create(schedule=schedule, name="New", starts_on=date(2026, 1, 5), effective_from=NOW)
    later.rotation_members.create(user=bob, position=0)
    assert who(schedule, NOW - timedelta(seconds=1)) == [ana.pk]
    assert who(schedule) == [bob.pk]
    assert len(schedule_specs(NOW, NOW)[schedule.pk].rotations) == 1
    assert len(schedule_specs(NOW - DAY, NOW)[schedule.pk].rotations) == 2


def test_substitutions_of_a_turn_are_read_wherever_in_it_they_are_anchored() -> None:
    ana, bob, dan = user(), user(), user()
    draft = oncall.rotation(ana, bob, interval=8)
    schedule = oncall.schedule(rotations=[draft])
    rotation = Rotation.objects.get()
    (spec,) = schedule_specs(NOW, NOW)[schedule.pk].rotations
    anchor = mid_turn(spec, zone_of("UTC"), NOW)
    Substitution.objects.create(schedule=schedule, series=rotation.series, anchor=anchor, going=ana, coming=dan)
    assert who(schedule) == [dan.pk]
    assert who(schedule, NOW + 50 * DAY) == [dan.pk]
    assert who(schedule, NOW + 60 * DAY) == [bob.pk]
    dan.is_active = False
    dan.save()
    assert who(schedule) == [ana.pk]


def test_an_override_may_replace_one_person_of_several() -> None:
    ana, bob, dan = user(), user(), user()
    schedule = oncall.schedule(rotations=[oncall.rotation(ana, bob, people_at_once=2)])
    override = Override.objects.create(
        schedule=schedule, user=dan, replaces=bob, starts_at=NOW, ends_at=NOW + DAY, reason="Dentist"
    )
    assert who(schedule) == [ana.pk, dan.pk]
    assert who(schedule, override.ends_at) == [ana.pk, bob.pk]
    dan.is_active = False
    dan.save()
    assert who(schedule) == [ana.pk, bob.pk]


def test_shifts_of_an_imported_calendar_count_and_its_overrides_beat_them() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule()
    imported(schedule, ana)
    imported(schedule, None, name="Nobody here", layer=7)
    assert who(schedule) == [ana.pk]
    imported(schedule, bob, "overrides")
    assert who(schedule) == [bob.pk]
    bob.is_active = False
    bob.save()
    assert who(schedule) == [ana.pk]
    ana.is_active = False
    ana.save()
    assert who(schedule) == []


def test_shadows_are_read_and_are_not_on_call() -> None:
    ana, bob, dan = user(), user(), user()
    schedule = oncall.schedule(ana, bob)
    Shadow.objects.create(schedule=schedule, user=dan, follows=ana, starts_at=NOW, ends_at=NOW + 30 * DAY)
    spec = schedule_specs(NOW, NOW + 30 * DAY)[schedule.pk]
    assert (who_is_on_call(spec, NOW), shadows_at(spec, NOW)) == ((ana.pk,), (dan.pk,))
    assert shadows_at(spec, NOW + 7 * DAY) == ()


@pytest.mark.parametrize("name", ["Mars/Olympus_Mons", "", "../etc/passwd", "Europe"])
def test_a_zone_that_is_no_longer_known_does_not_stop_paging(name: str) -> None:
    ana = user()
    schedule = oncall.schedule(ana)
    Schedule.objects.update(time_zone=name)
    assert who(schedule) == [ana.pk]
    assert zone_of(name).key == "UTC"


def test_the_schedules_that_name_a_person_are_found_wherever_they_name_them(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ana, bob = user(), user()
    lasting = {"starts_at": NOW, "ends_at": NOW + DAY}
    member, covering, learning, swapped, elsewhere, _ = (
        oncall.schedule(*people) for people in ([ana, bob], [bob], [bob], [bob], [], [bob])
    )
    Override.objects.create(schedule=covering, user=ana, **lasting)
    Shadow.objects.create(schedule=learning, user=ana, **lasting)
    series = Rotation.objects.get(schedule=swapped).series
    Substitution.objects.create(schedule=swapped, series=series, anchor=NOW, going=bob, coming=ana)
    imported(elsewhere, ana)
    with django_assert_num_queries(1):
        found = schedule_ids_naming({ana.pk}, NOW, NOW + DAY)
    assert found == {member.pk, covering.pk, learning.pk, swapped.pk, elsewhere.pk}
    later = schedule_ids_naming({ana.pk}, NOW + 9 * DAY, NOW + 10 * DAY)
    assert later == {member.pk, swapped.pk}
    assert schedule_ids_naming(set(), NOW, NOW + DAY) == set()


def test_until_when_and_who_is_next_are_the_same_however_soon_the_next_handovers_are() -> None:
    ana, bob = user(), user()
    hourly, weekly, monthly = (
        oncall.schedule(rotations=[oncall.rotation(ana, bob, period=period, interval=interval)])
        for period, interval in (("hours", 5), ("weeks", 1), ("months", 1))
    )
    found = {each.schedule.pk: each for each in standings(NOW)}
    assert (found[hourly.pk].until, found[hourly.pk].next_at) == (utc(2026, 1, 7, 16), utc(2026, 1, 7, 16))
    assert (found[weekly.pk].until, found[weekly.pk].next_people) == (utc(2026, 1, 12, 9), [bob])
    assert (found[monthly.pk].until, found[monthly.pk].next_people) == (None, [])


def test_what_was_before_somebody_left_stays_theirs() -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana, bob)
    covering = oncall.schedule(user())
    week = timedelta(weeks=1)
    start = utc(2026, 3, 2, 9)
    left_at = start + 2 * week + timedelta(days=1)
    Override.objects.create(schedule=covering, user=ana, starts_at=start, ends_at=start + 4 * week)

    def of(schedule: Schedule) -> list[Shift]:
        return shifts(schedule_specs(start, start + 6 * week, {schedule.pk})[schedule.pk], start, start + 6 * week)

    before = of(schedule)
    change_user(actor=oncall.SYSTEM, user=ana, is_active=False, now=left_at)

    after = of(schedule)
    past = [(each.start, each.end, each.user_ids) for each in before if each.end <= left_at]
    assert [(each.start, each.end, each.user_ids) for each in after][: len(past)] == past
    assert all(each.user_ids == (bob.pk,) for each in after if each.start >= left_at)
    assert any(ana.pk in each.user_ids and each.end == left_at for each in after)
    covered = of(covering)
    assert [(each.start, each.end) for each in covered if each.user_ids == (ana.pk,)] == [(start, left_at)]
    change_user(actor=oncall.SYSTEM, user=ana, is_active=True, now=left_at + week)
    assert of(schedule) == before
