"""The stored schedules as data for the pure calculator, in three queries however many there are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    UUIDField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from accounts.models import User
from oncall import models
from oncall.models import ContactMethod, ImportedCalendar, ImportedShift, Override, Rotation, Schedule, Shadow
from oncall.rota import (
    FixedShift,
    Handover,
    OverrideSpec,
    RotationSpec,
    ScheduleSpec,
    ShadowSpec,
    Substitution,
    WeeklyHours,
    longest_turn,
    who_is_on_call,
)

UTC_ZONE = ZoneInfo("UTC")
NO_LAYER = Value(0, IntegerField())
NO_SERIES = Cast(Value(None), UUIDField())
NO_OVERRIDE = Value(False, BooleanField())


def schedule_specs(
    start: datetime, end: datetime, schedule_ids: Collection[int] | None = None
) -> dict[int, ScheduleSpec]:
    """The schedules by id (all unless given), with all that bears on [start, end]. Three queries."""
    schedules = Schedule.objects.all() if schedule_ids is None else Schedule.objects.filter(id__in=schedule_ids)
    found = {schedule.pk: schedule for schedule in schedules}
    rotations = _rotations(found, start, end)
    reach = max((longest_turn(spec) for each in rotations.values() for spec in each), default=timedelta(0))
    noted = _noted(found, start, end, reach)
    return {pk: schedule_spec(schedule, rotations[pk], noted[pk]) for pk, schedule in found.items()}


@dataclass
class Noted:
    """What is written down for a schedule beside its rotations."""

    overrides: list[OverrideSpec] = field(default_factory=list)
    fixed: list[FixedShift] = field(default_factory=list)
    shadows: list[ShadowSpec] = field(default_factory=list)
    substitutions: dict[str, list[Substitution]] = field(default_factory=lambda: defaultdict(list))


def schedule_spec(schedule: Schedule, rotations: Iterable[RotationSpec], noted: Noted) -> ScheduleSpec:
    """A schedule (stored, or a draft of one) as data."""
    return ScheduleSpec(
        schedule_id=schedule.pk or 0,
        name=schedule.name,
        zone=zone_of(schedule.time_zone),
        rotations=tuple(_with_substitutions(each, noted.substitutions) for each in rotations),
        overrides=tuple(noted.overrides),
        fixed=tuple(noted.fixed),
        shadows=tuple(noted.shadows),
        working_hours=WeeklyHours(schedule.working_from, schedule.working_until, frozenset(schedule.working_days)),
        country=schedule.country,
    )


def zone_of(name: str) -> ZoneInfo:
    """A zone by its stored name; UTC if the time zone database no longer has it, so that paging goes on."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC_ZONE


def rotation_spec(rotation: Rotation, members: Sequence[int], left: Collection[int] = ()) -> RotationSpec:
    """A rotation (stored, or a draft of one) as data; `left` are the members whose accounts are closed."""
    active = None
    if rotation.active_from is not None and rotation.active_until is not None:
        active = WeeklyHours(rotation.active_from, rotation.active_until, frozenset(rotation.active_weekdays))
    elif rotation.active_weekdays:
        active = WeeklyHours(time(0), time(0), frozenset(rotation.active_weekdays))
    return RotationSpec(
        rotation_id=rotation.pk or 0,
        name=rotation.name,
        layer=rotation.layer,
        members=tuple(members),
        starts_on=rotation.starts_on,
        handovers=tuple(
            Handover(time.fromisoformat(each["time"]), each.get("weekday", 0)) for each in rotation.handovers
        ),
        period=rotation.period,
        interval=rotation.interval,
        people_at_once=rotation.people_at_once,
        active=active,
        effective_from=rotation.effective_from,
        effective_until=rotation.effective_until,
        left=frozenset(left),
        series=str(rotation.series),
    )


def _rotations(schedule_ids: Collection[int], start: datetime, end: datetime) -> dict[int, list[RotationSpec]]:
    rows = (
        Rotation.objects.filter(
            Q(effective_from=None) | Q(effective_from__lte=end),
            Q(effective_until=None) | Q(effective_until__gt=start),
            schedule_id__in=schedule_ids,
        )
        .annotate(
            member_ids=ArrayAgg("rotation_members__user_id", order_by="rotation_members__position", default=Value([])),
            left_ids=ArrayAgg(
                "rotation_members__user_id",
                filter=Q(rotation_members__user__is_active=False),
                distinct=True,
                default=Value([]),
            ),
        )
        .order_by("-layer", "id")
    )
    found: dict[int, list[RotationSpec]] = defaultdict(list)
    for row in rows:
        members = [user_id for user_id in row.member_ids if user_id is not None]
        found[row.schedule_id].append(rotation_spec(row, members, row.left_ids))
    return found


def _noted(schedule_ids: Collection[int], start: datetime, end: datetime, reach: timedelta) -> defaultdict[int, Noted]:
    """Overrides, imported shifts and shadows that touch [start, end]; substitutions whose turn may. One query."""
    lasting = Q(starts_at__lte=end, ends_at__gt=start)
    here = Q(schedule_id__in=schedule_ids)
    overrides = Override.objects.filter(lasting, here, user__is_active=True)
    shadows = Shadow.objects.filter(lasting, here, user__is_active=True)
    imported = ImportedShift.objects.filter(lasting, calendar__schedule_id__in=schedule_ids)
    substitutions = models.Substitution.objects.filter(
        here, anchor__gte=start - reach, anchor__lte=end + reach, coming__is_active=True
    )
    whose = Case(When(user__is_active=True, then=F("user_id")))
    of_overrides = ExpressionWrapper(Q(calendar__kind=ImportedCalendar.Kind.OVERRIDES), BooleanField())
    rows = _columns("override", overrides, ("user_id", "replaces_id")).union(
        _columns("shadow", shadows, ("user_id", "follows_id")),
        _columns(
            "substitution",
            substitutions,
            ("coming_id", "going_id"),
            begin="anchor",
            finish="anchor",
            series=F("series"),
        ),
        _columns(
            "fixed",
            imported,
            (whose, "id"),
            schedule="calendar__schedule_id",
            layer=F("layer"),
            is_override=of_overrides,
        ),
        all=True,
    )
    found: defaultdict[int, Noted] = defaultdict(Noted)
    for kind, pk, schedule_id, user_id, other_id, begin, finish, layer, series, is_override in sorted(rows, key=_order):
        noted = found[schedule_id]
        if kind == "override":
            noted.overrides.append(OverrideSpec(pk, user_id, begin, finish, other_id))
        elif kind == "shadow":
            noted.shadows.append(ShadowSpec(user_id, other_id, begin, finish))
        elif kind == "fixed":
            noted.fixed.append(FixedShift(user_id, begin, finish, layer, is_override))
        else:
            noted.substitutions[str(series)].append(Substitution(begin, other_id, user_id))
    return found


def _order(row: tuple[Any, ...]) -> tuple[str, int]:
    return row[0], row[1]


def _columns(
    kind: str,
    rows: QuerySet[Any],
    who: tuple[str | Combinable, str],
    *,
    schedule: str = "schedule_id",
    begin: str = "starts_at",
    finish: str = "ends_at",
    layer: Combinable = NO_LAYER,
    series: Combinable = NO_SERIES,
    is_override: Combinable = NO_OVERRIDE,
) -> QuerySet[Any, tuple[Any, ...]]:
    """One arm of the union, in columns of the same types as the others'; `who` comes, and in whose place."""
    kind_of = Value(kind, CharField())
    return rows.order_by().values_list(kind_of, "id", schedule, *who, begin, finish, layer, series, is_override)


def _with_substitutions(rotation: RotationSpec, found: dict[str, list[Substitution]]) -> RotationSpec:
    wanted = found.get(rotation.series)
    return replace(rotation, substitutions=tuple(wanted)) if wanted else rotation


def on_call_at(now: datetime, schedule_ids: Collection[int] | None = None) -> dict[int, list[User]]:
    """Who is on call on each schedule. Four queries, however many schedules."""
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
