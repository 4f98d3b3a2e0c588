"""Schedules, overrides, policies and contact methods: who may change them, and what makes no sense."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Conflict, Invalid, NotAllowed
from oncall import configuration
from oncall.configuration import LevelDraft, RotationDraft
from oncall.models import ContactMethod, Override
from oncall.roster import on_call_at
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_a_manager_makes_a_schedule_and_changes_it() -> None:
    manager, ana, bob = actor(Role.MANAGER), user(name="Ana"), user(name="Bob")
    first = oncall.rotation(ana, bob, name="Weekly")
    made = configuration.save_schedule(
        actor=manager, name="Primary", slug="primary", time_zone="Europe/Berlin", rotations=[first]
    )
    rotation = made.rotations.get()
    changed = RotationDraft("Weekly", [bob, ana], date(2026, 1, 7), [(2, time(10))], rotation_id=rotation.pk)
    added = oncall.rotation(ana, name="Backup", layer=2)
    configuration.save_schedule(
        actor=manager, schedule=made, name="Main", slug="primary", time_zone="UTC", rotations=[changed, added]
    )
    made.refresh_from_db()
    assert (made.name, made.rotations.count()) == ("Main", 2)
    rotation.refresh_from_db()
    assert [member.user for member in rotation.rotation_members.all()] == [bob, ana]
    configuration.save_schedule(
        actor=manager, schedule=made, name="Main", slug="primary", time_zone="UTC", rotations=[changed]
    )
    assert list(made.rotations.all()) == [rotation]


def test_two_rotations_of_a_schedule_may_swap_their_names_but_not_share_one() -> None:
    ana = user()
    drafts = [oncall.rotation(ana, name="Days"), oncall.rotation(ana, name="Nights")]
    schedule = oncall.schedule(rotations=drafts)
    days, nights = schedule.rotations.get(name="Days").pk, schedule.rotations.get(name="Nights").pk
    save = {"actor": oncall.SYSTEM, "schedule": schedule, "name": "S", "slug": "s", "time_zone": "UTC"}
    swapped = [
        oncall.rotation(ana, name="Nights", rotation_id=days),
        oncall.rotation(ana, name="Days", rotation_id=nights),
    ]
    configuration.save_schedule(**save, rotations=swapped)  # type: ignore[arg-type]
    assert schedule.rotations.get(name="Days").pk == nights
    with pytest.raises(Invalid):
        configuration.save_schedule(**save, rotations=[drafts[0], drafts[0]])  # type: ignore[arg-type]


def test_a_responder_may_not_change_schedules_or_policies() -> None:
    with pytest.raises(NotAllowed):
        configuration.save_schedule(actor=actor(), name="A", slug="a", time_zone="UTC", rotations=[])
    with pytest.raises(NotAllowed):
        configuration.save_policy(actor=actor(), name="A", slug="a", levels=[oncall.level(user())])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"rotations": [RotationDraft("Empty", [], date(2026, 1, 5))]}, "members"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_with_the_field(fields: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"name": "Primary", "slug": "primary", "time_zone": "UTC", "rotations": [], **fields}
    with pytest.raises(Invalid) as refused:
        configuration.save_schedule(actor=actor(Role.MANAGER), **values)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_two_schedules_never_share_a_name() -> None:
    taken = oncall.schedule()
    with pytest.raises(Conflict):
        configuration.save_schedule(
            actor=oncall.SYSTEM, name=taken.name.upper(), slug="other", time_zone="UTC", rotations=[]
        )


@pytest.mark.parametrize(
    ("levels", "repeats", "field"),
    [
        ([], 0, "levels"),
        ([LevelDraft(5)], 0, "levels"),
        ([LevelDraft(-1, users=[None])], 0, "levels"),  # type: ignore[list-item]
        ([LevelDraft(5, users=[None])], 1000, "repeats"),  # type: ignore[list-item]
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_the_field(
    levels: list[LevelDraft], repeats: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        configuration.save_policy(actor=oncall.SYSTEM, name="P", slug="p", levels=levels, repeats=repeats)
    assert refused.value.field == field


def test_a_responder_covers_for_another_and_gives_it_back(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    schedule = oncall.schedule(ana)
    cover = Actor.of_user(bob, via="web")
    override = configuration.add_override(
        actor=cover, schedule=schedule, user=bob, starts_at=now - HOUR, ends_at=now + 8 * HOUR, now=now
    )
    assert on_call_at(now) == {schedule.pk: [bob]}
    configuration.remove_override(actor=cover, override=override, now=now)
    override.refresh_from_db()
    assert override.ends_at == now
    assert on_call_at(now) == {schedule.pk: [ana]}
    assert on_call_at(now - HOUR / 2) == {schedule.pk: [bob]}


def test_an_override_that_has_not_begun_is_removed_without_a_trace(now: datetime) -> None:
    bob = user()
    cover = Actor.of_user(bob, via="web")
    override = configuration.add_override(
        actor=cover, schedule=oncall.schedule(bob), user=bob, starts_at=now + HOUR, ends_at=now + 2 * HOUR, now=now
    )
    configuration.remove_override(actor=cover, override=override, now=now)
    assert not Override.objects.exists()


@pytest.mark.parametrize(("starts", "ends"), [(2, 1), (1, 1), (-3, -1)])
def test_an_override_needs_an_end_in_the_future_after_its_start(now: datetime, starts: int, ends: int) -> None:
    with pytest.raises(Invalid) as refused:
        configuration.add_override(
            actor=actor(),
            schedule=oncall.schedule(),
            user=user(),
            starts_at=now + starts * HOUR,
            ends_at=now + ends * HOUR,
            now=now,
        )
    assert refused.value.field == "ends_at"


def test_the_past_of_a_schedule_stays_as_it_was(now: datetime) -> None:
    override = Override.objects.create(
        schedule=oncall.schedule(), user=user(), starts_at=now - 2 * HOUR, ends_at=now - HOUR
    )
    with pytest.raises(Conflict):
        configuration.remove_override(actor=oncall.SYSTEM, override=override, now=now)


def test_viewers_may_not_cover_and_nobody_removes_the_cover_of_others(now: datetime) -> None:
    schedule, bob = oncall.schedule(), user()
    times: dict[str, Any] = {"starts_at": now, "ends_at": now + HOUR, "now": now}
    with pytest.raises(NotAllowed):
        configuration.add_override(actor=actor(Role.VIEWER), schedule=schedule, user=bob, **times)
    override = configuration.add_override(actor=Actor.of_user(bob, via="web"), schedule=schedule, user=bob, **times)
    with pytest.raises(NotAllowed):
        configuration.remove_override(actor=actor(), override=override, now=now)


def test_who_is_on_call_is_read_in_five_queries_however_many_schedules(now: datetime) -> None:
    for _ in range(12):
        oncall.schedule(user(), user())
    with CaptureQueriesContext(connection) as captured:
        assert len(on_call_at(now)) == 12
    assert len(captured) <= 5


def test_a_person_adds_their_contact_methods_and_twice_is_once(now: datetime) -> None:
    ana = user()
    for _ in range(2):
        method = configuration.add_contact_method(
            actor=Actor.of_user(ana, via="web"),
            user=ana,
            kind="webhook",
            address=" https://example.com/pages ",
            now=now,
        )
    assert ContactMethod.objects.count() == 1
    assert method.address == "https://example.com/pages"
    assert len(method.secret) > 30
    assert method.is_usable


@pytest.mark.parametrize(
    ("kind", "address", "field"),
    [("pigeon", "x", "kind"), ("email", "not an address", "address"), ("webhook", "ftp://example.com", "address")],
)
def test_a_contact_method_that_makes_no_sense_is_refused(now: datetime, kind: str, address: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        configuration.add_contact_method(actor=oncall.SYSTEM, user=user(), kind=kind, address=address, now=now)
    assert refused.value.field == field


def test_switching_a_broken_contact_method_on_mends_it() -> None:
    method = oncall.contact_method(user(), broken_reason="no such mailbox", is_enabled=False)
    configuration.set_contact_method_enabled(actor=oncall.SYSTEM, method=method, is_enabled=True)
    method.refresh_from_db()
    assert method.is_usable


def test_only_administrators_touch_the_contact_methods_of_others() -> None:
    method = oncall.contact_method(user())
    with pytest.raises(NotAllowed):
        configuration.remove_contact_method(actor=actor(Role.MANAGER), method=method)
    configuration.remove_contact_method(actor=actor(Role.ADMINISTRATOR), method=method)
    assert not ContactMethod.objects.exists()
