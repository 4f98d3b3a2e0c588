"""Saving a schedule: who may, what makes no sense, what is asked again, and a past that stays as it was."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall import scheduling
from oncall.foresight import CoverageGetsWorse
from oncall.models import Rotation, Schedule
from oncall.roster import schedule_specs
from oncall.rota import Shift, shifts, who_is_on_call
from oncall.rotations import RotationDraft, draft_of, last_versions
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
STARTED = oncall.LONG_AGO


def save(schedule: Schedule | None = None, *, by: Actor = oncall.SYSTEM, **fields: Any) -> Schedule:
    values = {"name": "Primary", "slug": "primary", "time_zone": "UTC", "rotations": [], "now": STARTED}
    if schedule is not None:
        values |= {"name": schedule.name, "slug": schedule.slug, "time_zone": schedule.time_zone}
    return scheduling.save_schedule(actor=by, schedule=schedule, **{**values, **fields})


def course(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    return shifts(schedule_specs(start, end, {schedule.pk})[schedule.pk], start, end)


def draft_in(schedule: Schedule) -> RotationDraft:
    [rotation] = last_versions(schedule.rotations.all(), STARTED)
    return draft_of(rotation)


def test_a_manager_makes_a_schedule_and_corrects_it() -> None:
    manager, ana, bob = actor(Role.MANAGER), user(name="Ana"), user(name="Bob")
    made = save(by=manager, time_zone="Europe/Berlin", rotations=[oncall.rotation(ana, bob)], country="de")
    assert made.country == "DE"
    rotation = made.rotations.get()
    changed = RotationDraft("Weekly", [bob, ana], date(2026, 1, 7), [(2, time(10))], rotation_id=rotation.pk)
    added = oncall.rotation(ana, name="Backup", layer=2)
    save(made, by=manager, name="Main", time_zone="UTC", rotations=[changed, added], confirm=True)
    made.refresh_from_db()
    assert (made.name, made.rotations.count()) == ("Main", 2)
    rotation.refresh_from_db()
    assert [member.user for member in rotation.rotation_members.all()] == [bob, ana]
    save(made, by=manager, rotations=[changed], confirm=True)
    assert list(made.rotations.all()) == [rotation]


def test_two_rotations_of_a_schedule_may_swap_their_names_but_not_share_one() -> None:
    ana = user()
    drafts = [oncall.rotation(ana, name="Days"), oncall.rotation(ana, name="Nights")]
    schedule = oncall.schedule(rotations=drafts)
    days, nights = schedule.rotations.get(name="Days").pk, schedule.rotations.get(name="Nights").pk
    swapped = [
        oncall.rotation(ana, name="Nights", rotation_id=days),
        oncall.rotation(ana, name="Days", rotation_id=nights),
    ]
    save(schedule, rotations=swapped)
    assert schedule.rotations.get(name="Days").pk == nights
    with pytest.raises(Invalid):
        save(schedule, rotations=[drafts[0], drafts[0]])


def test_a_responder_may_neither_change_nor_preview_a_schedule() -> None:
    with pytest.raises(NotAllowed):
        save(by=actor())
    with pytest.raises(NotAllowed):
        scheduling.preview_schedule(actor=actor(), now=STARTED, name="A", slug="a", time_zone="UTC", rotations=[])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"slug": "new"}, "slug"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"country": "Atlantis"}, "country"),
        ({"country": "US-XX"}, "country"),
        ({"working_days": [7]}, "working_days"),
        ({"rotations": [RotationDraft("Empty", [], date(2026, 1, 5))]}, "members"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_with_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        save(by=actor(Role.MANAGER), **fields)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"interval": 0}, "interval"),
        ({"interval": 2, "handovers": [(0, time(9)), (4, time(17))]}, "interval"),
        ({"layer": 0}, "layer"),
        ({"period": "years"}, "period"),
        ({"people_at_once": 2}, "people_at_once"),
        ({"people_at_once": 0}, "people_at_once"),
        ({"starts_on": date(9999, 12, 31)}, "starts_on"),
        ({"handovers": []}, "handovers"),
        ({"handovers": [(None, time(9))]}, "handovers"),
        ({"handovers": [(7, time(9))]}, "handovers"),
        ({"handovers": [(0, time(hour)) for hour in range(22)]}, "handovers"),
        ({"period": "days", "handovers": [(None, time(9)), (None, time(17))]}, "handovers"),
        ({"active_from": time(9)}, "active_until"),
        ({"active_weekdays": [7]}, "active_weekdays"),
    ],
)
def test_a_rotation_that_makes_no_sense_is_refused_with_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        save(rotations=[replace(oncall.rotation(user()), **fields)])
    assert refused.value.field == field


def test_two_schedules_never_share_a_name() -> None:
    taken = oncall.schedule()
    with pytest.raises(Conflict):
        save(name=taken.name.upper(), slug="other")


def test_every_kind_of_rotation_is_stored_as_it_was_written() -> None:
    people = [user(), user(), user()]
    written = [
        RotationDraft("Hours", people, date(2026, 1, 5), [(None, time(6))], period="hours", interval=12),
        RotationDraft("Days", people, date(2026, 1, 5), [(None, time(6))], period="days", active_weekdays=(0, 4)),
        RotationDraft("Weeks", people, date(2026, 1, 5), [(0, time(9)), (4, time(17))], people_at_once=2),
        RotationDraft("Months", people, date(2026, 1, 31), [(None, time(6))], period="months", layer=3),
        replace(oncall.rotation(*people, name="Nights"), active_from=time(22), active_until=time(6)),
    ]
    schedule = save(rotations=written)
    stored = {rotation.name: draft_of(rotation) for rotation in schedule.rotations.all()}
    assert [replace(stored[draft.name], rotation_id=None) for draft in written] == written


def test_a_change_from_a_date_on_leaves_the_past_as_it_was(now: datetime) -> None:
    ana, bob, eve = user(), user(), user()
    schedule = oncall.schedule(ana, bob)
    before = course(schedule, STARTED, now + 90 * DAY)
    monday = datetime(2026, 4, 6, 9, tzinfo=UTC)
    changed = replace(draft_in(schedule), members=[eve, ana, bob], starts_on=monday.date())
    save(schedule, rotations=[changed], now=now, effective_from=monday)
    after = course(schedule, STARTED, now + 90 * DAY)
    until = [shift for shift in before if shift.end <= monday]
    assert after[: len(until)] == until
    assert after[len(until)].user_ids == (eve.pk,)
    first, second = schedule.rotations.order_by("id")
    assert (first.series, first.effective_until) == (second.series, second.effective_from)


def test_changing_again_what_has_not_begun_replaces_it(now: datetime) -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(ana)
    for people in ([bob], [bob, ana], [ana]):
        changed = replace(draft_in(schedule), members=people)
        save(schedule, rotations=[changed], now=now, effective_from=now + 7 * DAY)
    assert schedule.rotations.count() == 2
    save(schedule, rotations=[replace(draft_in(schedule), members=[bob])], now=now, effective_from=now + 3 * DAY)
    old, new = schedule.rotations.order_by("id")
    assert (old.effective_until, new.effective_from, new.effective_until) == (now + 3 * DAY, now + 3 * DAY, None)


def test_what_does_not_change_gets_no_new_version_and_a_new_name_is_none(now: datetime) -> None:
    schedule = oncall.schedule(user())
    save(schedule, rotations=[replace(draft_in(schedule), name="Renamed")], now=now, effective_from=now)
    assert schedule.rotations.get().name == "Renamed"


def test_a_rotation_taken_out_at_a_date_stays_in_the_past(now: datetime) -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(rotations=[oncall.rotation(ana), oncall.rotation(bob, name="Backup", layer=2)])
    weekly = next(draft_of(each) for each in schedule.rotations.all() if each.name == "Weekly")
    save(schedule, rotations=[weekly], now=now, effective_from=now)
    spec = schedule_specs(STARTED, now, {schedule.pk})[schedule.pk]
    assert who_is_on_call(spec, now - DAY) == (bob.pk,)
    assert who_is_on_call(spec, now) == (ana.pk,)
    assert [each.name for each in last_versions(schedule.rotations.all(), now)] == ["Weekly"]


def test_a_rotation_that_would_begin_later_goes_without_a_trace(now: datetime) -> None:
    schedule = oncall.schedule(rotations=[oncall.rotation(user(), starts_on=date(2026, 6, 1))])
    save(schedule, now=now, effective_from=now, confirm=True)
    assert not Rotation.objects.exists()


def test_a_rotation_ends_when_it_says_and_not_before_it_begins(now: datetime) -> None:
    ana = user()
    schedule = save(rotations=[replace(oncall.rotation(ana), effective_until=now + DAY)])
    spec = schedule_specs(now, now + 2 * DAY, {schedule.pk})[schedule.pk]
    assert who_is_on_call(spec, now) == (ana.pk,)
    assert who_is_on_call(spec, now + DAY) == ()
    with pytest.raises(Invalid) as refused:
        save(
            schedule,
            rotations=[replace(oncall.rotation(ana, name="New"), effective_until=now)],
            effective_from=now + DAY,
            confirm=True,
        )
    assert refused.value.field == "effective_until"


def test_a_change_that_leaves_new_gaps_is_made_only_when_confirmed(now: datetime) -> None:
    ana = user(name="Ana")
    schedule = oncall.schedule(ana, time_zone="Europe/Berlin")
    days_only = replace(draft_in(schedule), active_from=time(6), active_until=time(2))
    with pytest.raises(CoverageGetsWorse) as refused:
        save(schedule, rotations=[days_only], now=now, effective_from=now)
    first = refused.value.differences[0]
    assert (first.start, first.before, first.after, first.is_new_gap) == (
        datetime(2026, 3, 15, 1, tzinfo=UTC),
        "Ana",
        "nobody",
        True,
    )
    assert "Sun 15 Mar 02:00 – 06:00" in str(refused.value)
    assert schedule.rotations.count() == 1
    save(schedule, rotations=[days_only], now=now, effective_from=now, confirm=True)
    assert schedule.rotations.count() == 2


def test_a_change_that_puts_a_stand_in_beside_whom_they_replace_is_made_only_when_confirmed(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(bob, time_zone="Europe/Berlin")
    starts_at, ends_at = datetime(2026, 3, 17, 8, tzinfo=UTC), datetime(2026, 3, 17, 16, tzinfo=UTC)
    override = scheduling.add_override(
        actor=oncall.SYSTEM, schedule=schedule, user=ana, replaces=bob, starts_at=starts_at, ends_at=ends_at, now=now
    )
    both = replace(draft_in(schedule), members=[ana, bob], people_at_once=2)
    given = {"name": schedule.name, "slug": schedule.slug, "time_zone": schedule.time_zone, "rotations": [both]}
    preview = scheduling.preview_schedule(actor=oncall.SYSTEM, schedule=schedule, now=now, effective_from=now, **given)
    assert preview.is_worse
    assert [(each.start, each.end, each.missing) for each in preview.differences if each.is_worse] == [
        (starts_at, ends_at, "Bob")
    ]
    with pytest.raises(CoverageGetsWorse) as refused:
        save(schedule, rotations=[both], now=now, effective_from=now)
    words = "Tue 17 Mar 09:00 – 17:00: only Ana; who comes in for Bob is on call anyway"
    assert words in str(refused.value)
    save(schedule, rotations=[both], now=now, effective_from=now, confirm=True)
    # Taking the override away puts it right, and saving again what is so already asks nothing.
    save(schedule, rotations=[draft_in(schedule)], now=now, effective_from=now)
    scheduling.remove_override(actor=oncall.SYSTEM, override=override, now=now)
    spec = schedule_specs(now, now + 7 * DAY, {schedule.pk})[schedule.pk]
    assert set(who_is_on_call(spec, starts_at)) == {ana.pk, bob.pk}


def test_a_gap_that_is_there_already_needs_no_confirmation(now: datetime) -> None:
    schedule = oncall.schedule(rotations=[])
    save(schedule, rotations=[replace(oncall.rotation(user()), active_weekdays=[0])], now=now, effective_from=now)
    assert schedule.rotations.count() == 1


def test_a_preview_tells_what_would_be_and_stores_nothing(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana)
    changed = replace(draft_in(schedule), members=[bob], active_weekdays=[0, 1, 2, 3, 4])
    given = {"name": "New", "slug": "new-one", "time_zone": "UTC", "rotations": [changed], "effective_from": now}
    preview = scheduling.preview_schedule(actor=oncall.SYSTEM, now=now, schedule=schedule, **given)
    assert preview.is_worse
    assert {(each.before, each.after) for each in preview.differences} == {("Ana", "Bob"), ("Ana", "nobody")}
    assert who_is_on_call(preview.after, datetime(2026, 3, 18, 12, tzinfo=UTC)) == (bob.pk,)
    schedule.refresh_from_db()
    assert schedule.name != "New"
    assert [member.user for member in schedule.rotations.get().rotation_members.all()] == [ana]
    assert not Event.objects.filter(name="schedule.changed").exists()


def test_a_preview_of_a_new_schedule_compares_with_nothing(now: datetime) -> None:
    given: dict[str, Any] = {"name": "New", "slug": "new-one", "time_zone": "UTC"}
    given["rotations"] = [oncall.rotation(user())]
    preview = scheduling.preview_schedule(actor=oncall.SYSTEM, now=now, **given)
    assert (list(preview.differences), preview.is_worse, Schedule.objects.count()) == ([], False, 0)


def test_a_change_over_somebody_elses_is_refused() -> None:
    schedule = oncall.schedule(user())
    stamp = scheduling.stamp_of(schedule)
    assert stamp == scheduling.stamp_of(Schedule.objects.get())
    save(schedule, description="Changed", rotations=[draft_in(schedule)], stamp=stamp)
    with pytest.raises(Conflict) as refused:
        save(schedule, rotations=[draft_in(schedule)], stamp=stamp)
    assert refused.value.code == "changed_meanwhile"
    schedule.refresh_from_db()
    assert schedule.description == "Changed"
