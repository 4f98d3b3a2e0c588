"""Every write on schedules and their overrides."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import holidays
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.actor import Actor
from accounts.models import Team, User, check_time_zone
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.foresight import HORIZON, Difference, differences_of, refuse_worse, stretch_in_words
from oncall.models import DutyStatement, EscalationPolicy, Override, Rotation, Schedule
from oncall.naming import check_name
from oncall.paging_tests import holding_tests, refuse_broken_tests
from oncall.permissions import NOT_A_MANAGER
from oncall.roster import schedule_specs
from oncall.rota import ScheduleSpec, shifts, stretches_of
from oncall.rotations import YEARS, RotationDraft, check_drafts, write_rotations


@dataclass(frozen=True)
class Preview:
    """What a save would make of a schedule: the schedule after it, and what it changes in the next 90 days."""

    after: ScheduleSpec
    differences: Sequence[Difference]

    @property
    def is_worse(self) -> bool:
        """Whether there would be hours with nobody, or with one fewer than wanted, that there are not now."""
        return any(each.is_worse for each in self.differences)


@transaction.atomic
def save_schedule(
    *,
    actor: Actor,
    name: str,
    slug: str,
    time_zone: str,
    rotations: Sequence[RotationDraft],
    now: datetime,
    schedule: Schedule | None = None,
    description: str = "",
    team: Team | None = None,
    country: str = "",
    working_days: Sequence[int] = (0, 1, 2, 3, 4),
    working_from: time = time(9),
    working_until: time = time(17),
    effective_from: datetime | None = None,
    stamp: str = "",
    confirm: bool = False,
    override_reason: str = "",
) -> Schedule:
    """Makes a schedule or changes one; its rotations become exactly `rotations`.

    From `effective_from` (UTC) on, and the past stays as it was; without it what is there is corrected, as if it had
    always been so. Raises Conflict if somebody changed it since `stamp` (of `stamp_of`) was read, and
    CoverageGetsWorse if it leaves new gaps, or one fewer on call than wanted, unless `confirm`; and Conflict if it
    breaks a paging test, unless an `override_reason` is given.
    """
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    held = holding_tests(now)
    created = schedule is None
    if schedule is not None:
        schedule = Schedule.objects.select_for_update().get(pk=schedule.pk)
        if stamp and stamp != stamp_of(schedule):
            raise Conflict(
                "Somebody has changed this schedule meanwhile.",
                code="changed_meanwhile",
                remedy="Look at it as it is now, and make your change again.",
            )
    check_name(name, slug, Schedule, schedule)
    _check_place(time_zone, country)
    check_drafts(rotations)
    if not set(working_days) <= set(range(7)):
        raise Invalid("A weekday is a number from 0 (Monday) to 6.", field="working_days")
    before = None if schedule is None else _spec(schedule, now)
    schedule = schedule or Schedule()
    schedule.name, schedule.slug, schedule.description = name.strip(), slug, description
    schedule.time_zone, schedule.country, schedule.team = time_zone, country.strip().upper(), team
    schedule.working_days, schedule.working_from = sorted(set(working_days)), working_from
    schedule.working_until = working_until
    schedule.save()
    write_rotations(schedule, rotations, effective_from)
    if before is not None and not confirm:
        refuse_worse(before, _spec(schedule, now), now)
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)
    publish(
        "schedule.created" if created else "schedule.changed",
        subject=schedule,
        actor=actor,
        data={"name": schedule.name, "effective_from": effective_from.isoformat() if effective_from else None},
    )
    return schedule


def preview_schedule(*, actor: Actor, now: datetime, schedule: Schedule | None = None, **given: Any) -> Preview:
    """What `save_schedule` would do with the same arguments, gaps or not; nothing is stored.

    It is saved, read back and rolled back: what is shown is what will be. Raises what saving raises but for gaps.
    """
    before = None if schedule is None else _spec(schedule, now)
    with transaction.atomic():
        saved = save_schedule(
            actor=actor, now=now, schedule=schedule, **{**given, "confirm": True, "override_reason": "preview"}
        )
        after = _spec(saved, now)
        transaction.set_rollback(True)
    return Preview(after, [] if before is None else differences_of(before, after, now))


def _spec(schedule: Schedule, now: datetime) -> ScheduleSpec:
    return schedule_specs(now, now + HORIZON, {schedule.pk})[schedule.pk]


def stamp_of(schedule: Schedule) -> str:
    """Names the state of a schedule and its rotations: another stamp means that somebody has changed it."""
    names = [field.attname for field in Schedule._meta.concrete_fields]
    rotations = [
        [str(getattr(rotation, field.attname)) for field in Rotation._meta.concrete_fields]
        + [member.user_id for member in sorted(rotation.rotation_members.all(), key=lambda each: each.position)]
        for rotation in sorted(schedule.rotations.prefetch_related("rotation_members"), key=lambda each: each.pk)
    ]
    state = json.dumps([[str(getattr(schedule, name)) for name in names], rotations])
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _check_place(time_zone: str, country: str) -> None:
    try:
        check_time_zone(time_zone)
    except ValidationError as error:
        raise Invalid(
            f"{time_zone!r} is not a time zone.", field="time_zone", remedy="Use Europe/Berlin, say."
        ) from error
    name, _dash, part = country.strip().upper().partition("-")
    known = holidays.list_supported_countries()
    if name and (name not in known or (part and part not in known[name])):
        raise Invalid(
            f"The holidays of {country} are not known.", field="country", remedy="Use DE, TH or US-CA, say, or nothing."
        )


@transaction.atomic
def remove_schedule(*, actor: Actor, schedule: Schedule) -> None:
    """Takes a schedule away with its rotations and overrides, unless a policy pages it."""
    require(permissions.can_configure(actor), NOT_A_MANAGER)
    policies = EscalationPolicy.objects.filter(levels__targets__schedule=schedule).distinct()
    if policies:
        names = ", ".join(policy.name for policy in policies)
        raise Conflict(f"{schedule} is paged by {names}.", remedy="Take it out of there first.")
    if schedule.statements.filter(status=DutyStatement.Status.APPROVED).exists():
        raise Conflict(f"Hours on {schedule} were approved for pay.", remedy="Take its rotations away and keep it.")
    publish("schedule.removed", subject=schedule, actor=actor, data={"name": schedule.name})
    schedule.delete()


def check_stretch(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises Invalid for a stretch of time that is empty, over, or off the calendar."""
    if ends_at <= starts_at:
        raise Invalid("The end must come after the start.", field="ends_at")
    if ends_at <= now:
        raise Invalid("This stretch is already over.", field="ends_at", remedy="Choose an end in the future.")
    if starts_at.year not in YEARS or ends_at.year not in YEARS:
        raise Invalid("This is too far away.", field="ends_at", remedy="Choose nearer dates.")


@transaction.atomic
def add_override(
    *,
    actor: Actor,
    schedule: Schedule,
    user: User,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    replaces: User | None = None,
    reason: str = "",
) -> Override:
    """Puts a person on call for a while: instead of everybody, or only of the one whom they replace.

    What is over can't be changed. Adding the same again changes nothing. Raises Invalid if whoever comes in is on call
    beside the one whom they replace at any time of it: that would leave one fewer.
    """
    require(permissions.can_override(actor), "Viewers may not change who is on call.")
    check_stretch(starts_at, ends_at, now)
    if not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    if replaces == user:
        raise Invalid(f"{user} can't replace themselves.", field="replaces", remedy="Choose somebody else.")
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    same = {"schedule": schedule, "user": user, "starts_at": starts_at, "ends_at": ends_at, "replaces": replaces}
    if replaces is not None and not Override.objects.filter(**same).exists():
        check_on_call(schedule, replaces, starts_at, ends_at)
        check_not_beside(schedule, user, replaces, starts_at, ends_at)
    override, created = Override.objects.get_or_create(
        **same,
        defaults={"reason": reason, "created_by_id": actor.user_id},
    )
    if created:
        data = {
            "user": user.pk,
            "replaces": replaces.pk if replaces else None,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
        }
        publish("schedule.override_added", subject=schedule, actor=actor, data=data)
    return override


def check_on_call(schedule: Schedule, user: User, starts_at: datetime, ends_at: datetime) -> None:
    """Raises Invalid if the person has no duty on the schedule in the stretch."""
    spec = schedule_specs(starts_at, ends_at, {schedule.pk})[schedule.pk]
    if not stretches_of(spec, user.pk, starts_at, ends_at):
        raise Invalid(
            f"{user} is not on call on {schedule} then.", field="replaces", remedy="Choose a time in which they are."
        )


def check_not_beside(schedule: Schedule, user: User, replaces: User, starts_at: datetime, ends_at: datetime) -> None:
    """Raises Invalid if both are on call together on the schedule at any time of the stretch.

    Then nobody would come in for the one who goes. It is no matter that they take turns, each with a part of it.
    """
    spec = schedule_specs(starts_at, ends_at, {schedule.pk})[schedule.pk]
    course = shifts(spec, starts_at, ends_at)
    both = next((shift for shift in course if {user.pk, replaces.pk} <= set(shift.user_ids)), None)
    if both is not None:
        words = stretch_in_words(both.start, both.end, spec.zone)
        raise Invalid(
            f"{user} is on call beside {replaces} then ({words}): replacing them would leave one fewer.",
            field="user",
            remedy="Choose somebody who is not on call then, or a time in which they are not.",
        )


@transaction.atomic
def remove_override(*, actor: Actor, override: Override, now: datetime, confirm: bool = False) -> None:
    """Takes an override away; one that has begun ends now, so that the past stays as it was.

    Raises CoverageGetsWorse if that leaves new gaps, or one fewer on call than wanted, unless `confirm`.
    """
    require(permissions.can_remove_override(actor, override), "This override is not yours.")
    schedule = override.schedule
    if override.ends_at <= now:
        raise Conflict("This override is over.", remedy="The past can't be changed.")
    before = _spec(schedule, now)
    data = {"user": override.user_id}
    if override.starts_at < now:
        override.ends_at = now
        override.save(update_fields=["ends_at"])
    else:
        override.delete()
    if not confirm:
        refuse_worse(before, _spec(schedule, now), now)
    publish("schedule.override_removed", subject=schedule, actor=actor, data=data)
