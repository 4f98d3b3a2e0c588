"""The stored schedules as data for the pure calculator, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from accounts.models import User
from oncall.models import ContactMethod, Override, Rotation, RotationMember, Schedule
from oncall.rota import OverrideSpec, RotationSpec, ScheduleSpec, who_is_on_call


def schedule_specs(
    start: datetime, end: datetime, schedule_ids: Collection[int] | None = None
) -> dict[int, ScheduleSpec]:
    """The schedules by id (all unless given), with the overrides that touch [start, end]. Four queries."""
    schedules = Schedule.objects.all() if schedule_ids is None else Schedule.objects.filter(id__in=schedule_ids)
    found = {schedule.pk: schedule for schedule in schedules}
    members: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for rotation_id, user_id, is_active in (
        RotationMember.objects.filter(rotation__schedule_id__in=found)
        .order_by("rotation_id", "position")
        .values_list("rotation_id", "user_id", "user__is_active")
    ):
        members[rotation_id].append((user_id, is_active))
    rotations: dict[int, list[RotationSpec]] = defaultdict(list)
    for rotation in Rotation.objects.filter(schedule_id__in=found).order_by("-layer", "id"):
        rotations[rotation.schedule_id].append(rotation_spec(rotation, stand_ins(members[rotation.pk])))
    overrides: dict[int, list[OverrideSpec]] = defaultdict(list)
    for override in Override.objects.filter(
        schedule_id__in=found, starts_at__lte=end, ends_at__gt=start, user__is_active=True
    ):
        overrides[override.schedule_id].append(
            OverrideSpec(override.pk, override.user_id, override.starts_at, override.ends_at)
        )
    return {
        pk: ScheduleSpec(pk, schedule.name, ZoneInfo(schedule.time_zone), tuple(rotations[pk]), tuple(overrides[pk]))
        for pk, schedule in found.items()
    }


def stand_ins(members: Sequence[tuple[int, bool]]) -> list[int]:
    """Who takes each turn, from (id, is active) in order: somebody who has left is replaced by the next who has not.

    Everybody else keeps their turns, so that one person's leaving moves nobody's duty.
    """
    turns = []
    for position in range(len(members)):
        following = (*members[position:], *members[:position])
        turns += [next((user_id for user_id, is_active in following if is_active), 0)]
    return [user_id for user_id in turns if user_id]


def rotation_spec(rotation: Rotation, members: Sequence[int]) -> RotationSpec:
    """A stored rotation as data."""
    return RotationSpec(
        rotation_id=rotation.pk,
        name=rotation.name,
        layer=rotation.layer,
        members=tuple(members),
        weeks=rotation.interval,
        weekday=rotation.handovers[0]["weekday"],
        handover=time.fromisoformat(rotation.handovers[0]["time"]),
        starts_on=rotation.starts_on,
    )


def on_call_at(now: datetime, schedule_ids: Collection[int] | None = None) -> dict[int, list[User]]:
    """Who is on call on each schedule. Five queries, however many schedules."""
    specs = schedule_specs(now, now, schedule_ids)
    ids = {pk: who_is_on_call(spec, now) for pk, spec in specs.items()}
    people = User.objects.in_bulk({user_id for user_ids in ids.values() for user_id in user_ids})
    return {pk: [people[user_id] for user_id in user_ids] for pk, user_ids in ids.items()}


def usable_methods(user_ids: Collection[int]) -> dict[int, list[ContactMethod]]:
    """The contact methods through which each of these people can be paged now. One query."""
    methods: dict[int, list[ContactMethod]] = defaultdict(list)
    for method in ContactMethod.objects.filter(
        user_id__in=user_ids, user__is_active=True, is_enabled=True, verified_at__isnull=False, broken_reason=""
    ).order_by("id"):
        methods[method.user_id].append(method)
    return methods
