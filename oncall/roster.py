"""The stored schedules as data for the pure calculator, in three queries however many there are."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Model, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.models import User
from events.prepared import Prepared, holds
from oncall.models import ContactMethod, Rotation, RotationMember, Schedule
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

M = TypeVar("M", bound=Model)
UTC_ZONE = ZoneInfo("UTC")
# Written by hand: every page and every round of the engine asks it, and to put it together took longer than to run it.
WRITTEN_DOWN = """
SELECT 'override', o.id, o.schedule_id, o.user_id, o.replaces_id,
       o.starts_at, LEAST(o.ends_at, u.deactivated_at), 0, NULL, false
  FROM oncall_override o JOIN accounts_user u ON u.id = o.user_id AND (u.is_active OR u.deactivated_at > o.starts_at)
 WHERE o.starts_at <= %(end)s AND o.ends_at > %(start)s
   AND (%(ids)s::bigint[] IS NULL OR o.schedule_id = ANY(%(ids)s::bigint[]))
UNION ALL
SELECT 'shadow', s.id, s.schedule_id, s.user_id, s.follows_id,
       s.starts_at, LEAST(s.ends_at, u.deactivated_at), 0, NULL, false
  FROM oncall_shadow s JOIN accounts_user u ON u.id = s.user_id AND (u.is_active OR u.deactivated_at > s.starts_at)
 WHERE s.starts_at <= %(end)s AND s.ends_at > %(start)s
   AND (%(ids)s::bigint[] IS NULL OR s.schedule_id = ANY(%(ids)s::bigint[]))
UNION ALL
SELECT 'substitution', t.id, t.schedule_id, t.coming_id, t.going_id, t.anchor, t.anchor, 0, t.series::text, false
  FROM oncall_substitution t JOIN accounts_user u ON u.id = t.coming_id AND (u.is_active OR u.deactivated_at > t.anchor)
 WHERE t.anchor BETWEEN %(since)s AND %(until)s
   AND (%(ids)s::bigint[] IS NULL OR t.schedule_id = ANY(%(ids)s::bigint[]))
UNION ALL
SELECT 'fixed', i.id, c.schedule_id, u.id, NULL,
       i.starts_at, LEAST(i.ends_at, u.deactivated_at), i.layer, NULL, c.kind = 'overrides'
  FROM oncall_importedshift i
  JOIN oncall_importedcalendar c ON c.id = i.calendar_id
  LEFT JOIN accounts_user u ON u.id = i.user_id AND (u.is_active OR u.deactivated_at > i.starts_at)
 WHERE i.starts_at <= %(end)s AND i.ends_at > %(start)s
   AND (%(ids)s::bigint[] IS NULL OR c.schedule_id = ANY(%(ids)s::bigint[]))
UNION ALL
SELECT 'left', m.id, r.schedule_id, m.user_id, NULL, u.deactivated_at, NULL, 0, NULL, false
  FROM oncall_rotationmember m
  JOIN oncall_rotation r ON r.id = m.rotation_id
  JOIN accounts_user u ON u.id = m.user_id AND NOT u.is_active
 WHERE %(ids)s::bigint[] IS NULL OR r.schedule_id = ANY(%(ids)s::bigint[])
"""
# A union, since one query with five joins would read their product.
NAMING = """
SELECT r.schedule_id FROM oncall_rotation r JOIN oncall_rotationmember m ON m.rotation_id = r.id
 WHERE m.user_id = ANY(%(users)s) AND (r.effective_until IS NULL OR r.effective_until > %(start)s)
UNION
SELECT schedule_id FROM oncall_override
 WHERE user_id = ANY(%(users)s) AND starts_at <= %(end)s AND ends_at > %(start)s
UNION
SELECT schedule_id FROM oncall_shadow
 WHERE user_id = ANY(%(users)s) AND starts_at <= %(end)s AND ends_at > %(start)s
UNION
SELECT schedule_id FROM oncall_substitution WHERE coming_id = ANY(%(users)s)
UNION
SELECT c.schedule_id FROM oncall_importedcalendar c JOIN oncall_importedshift i ON i.calendar_id = c.id
 WHERE i.user_id = ANY(%(users)s) AND i.starts_at <= %(end)s AND i.ends_at > %(start)s
"""


class ScheduleRow(NamedTuple):
    """What is read of a stored schedule; rows are cheaper than models, and there may be a thousand."""

    id: int
    name: str
    time_zone: str
    country: str
    working_days: list[int]
    working_from: time
    working_until: time


class RotationRow(NamedTuple):
    """What is read of a stored rotation; what is alike in many is read as text and parsed once."""

    id: int
    schedule_id: int
    name: str
    layer: int
    period: str
    interval: int
    starts_on: date
    people_at_once: int
    active_from: time | None
    active_until: time | None
    active_weekdays: list[int]
    effective_from: datetime | None
    effective_until: datetime | None
    series_text: str
    handovers_text: str
    member_ids: list[int]


@dataclass
class Noted:
    """What is written down for a schedule beside its rotations; `left`: members whose account was closed, and when."""

    overrides: list[OverrideSpec] = field(default_factory=list)
    fixed: list[FixedShift] = field(default_factory=list)
    shadows: list[ShadowSpec] = field(default_factory=list)
    substitutions: dict[str, list[Substitution]] = field(default_factory=lambda: defaultdict(list))
    left: dict[int, datetime | None] = field(default_factory=dict)


NOTHING = Noted()
STORED_AS_IT_IS = RotationRow._fields[:-3]


def schedule_specs(
    start: datetime, end: datetime, schedule_ids: Collection[int] | None = None
) -> dict[int, ScheduleSpec]:
    """The schedules by id (all unless given), with all that bears on [start, end]. Three queries."""
    rotations = _rotations(schedule_ids, start, end)
    reach = max((longest_turn(row.period, row.interval) for row in rotations), default=timedelta(0))
    noted = _noted(schedule_ids, start, end, reach)
    found: dict[int, list[RotationSpec]] = defaultdict(list)
    for row in rotations:
        found[row.schedule_id] += _versions(row, noted.get(row.schedule_id, NOTHING))
    schedules = _among(Schedule.objects.all(), schedule_ids, "id").order_by()
    return {
        row.id: _schedule_spec(row, found[row.id], noted.get(row.id, NOTHING))
        for row in map(ScheduleRow._make, schedules.values_list(*ScheduleRow._fields))
    }


def _among(rows: QuerySet[M], schedule_ids: Collection[int] | None, column: str) -> QuerySet[M]:
    return rows if schedule_ids is None else rows.filter(**{f"{column}__in": schedule_ids})


def _schedule_spec(row: ScheduleRow, rotations: Iterable[RotationSpec], noted: Noted) -> ScheduleSpec:
    return ScheduleSpec(
        schedule_id=row.id,
        name=row.name,
        zone=zone_of(row.time_zone),
        rotations=tuple(rotations),
        overrides=tuple(noted.overrides),
        fixed=tuple(noted.fixed),
        shadows=tuple(noted.shadows),
        working_hours=_working_hours(row.working_from, row.working_until, tuple(row.working_days)),
        country=row.country,
    )


def zone_of(name: str) -> ZoneInfo:
    """A zone by its stored name; UTC if the time zone database no longer has it, so that paging goes on."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC_ZONE


def rotation_spec(rotation: Rotation, members: Sequence[int]) -> RotationSpec:
    """A rotation (stored, or a draft of one) as data, without what is written down beside it."""
    row = RotationRow(
        **{name: getattr(rotation, name) for name in STORED_AS_IT_IS},
        series_text=str(rotation.series),
        handovers_text=json.dumps(rotation.handovers),
        member_ids=list(members),
    )
    return _rotation_spec(row, NOTHING)


def _versions(row: RotationRow, noted: Noted) -> list[RotationSpec]:
    """A stored rotation, parted where a member's account was closed: until then they were on duty themselves."""
    spec = _rotation_spec(row, noted)
    gone = {user_id: noted.left[user_id] for user_id in row.member_ids if user_id in noted.left}
    if not gone:
        return [spec]
    begins, ends = row.effective_from, row.effective_until
    partings = sorted({at for at in gone.values() if at and (not begins or begins < at) and (not ends or at < ends)})
    return [
        replace(
            spec,
            effective_from=begin,
            effective_until=end,
            left=frozenset(user for user, at in gone.items() if at is None or (begin is not None and at <= begin)),
        )
        for begin, end in pairwise([begins, *partings, ends])
    ]


def _rotation_spec(row: RotationRow, noted: Noted) -> RotationSpec:
    return RotationSpec(
        rotation_id=row.id or 0,
        name=row.name,
        layer=row.layer,
        members=tuple(row.member_ids),
        starts_on=row.starts_on,
        handovers=_handovers(row.handovers_text),
        period=row.period,
        interval=row.interval,
        people_at_once=row.people_at_once,
        active=_active_hours(row.active_from, row.active_until, tuple(row.active_weekdays)),
        effective_from=row.effective_from,
        effective_until=row.effective_until,
        substitutions=tuple(noted.substitutions.get(row.series_text, ())),
        series=row.series_text,
    )


@lru_cache(maxsize=1000)
def _handovers(text: str) -> tuple[Handover, ...]:
    return tuple(Handover(time.fromisoformat(each["time"]), each.get("weekday", 0)) for each in json.loads(text))


@lru_cache(maxsize=1000)
def _working_hours(start: time, end: time, weekdays: tuple[int, ...]) -> WeeklyHours:
    return WeeklyHours(start, end, frozenset(weekdays))


@lru_cache(maxsize=1000)
def _active_hours(start: time | None, end: time | None, weekdays: tuple[int, ...]) -> WeeklyHours | None:
    if start is not None and end is not None:
        return WeeklyHours(start, end, frozenset(weekdays))
    return WeeklyHours(time(0), time(0), frozenset(weekdays)) if weekdays else None


def _rotations(schedule_ids: Collection[int] | None, start: datetime, end: datetime) -> list[RotationRow]:
    """The versions that hold in [start, end], highest layer first, each with its members in order. One query."""
    members = RotationMember.objects.filter(rotation_id=OuterRef("id")).order_by("position").values("user_id")
    rows = _among(
        Rotation.objects.filter(
            Q(effective_from=None) | Q(effective_from__lte=end), Q(effective_until=None) | Q(effective_until__gt=start)
        ),
        schedule_ids,
        "schedule_id",
    )
    texts = (Cast("series", TextField()), Cast("handovers", TextField()))
    found = rows.order_by("-layer", "id").values_list(*STORED_AS_IT_IS, *texts, ArraySubquery(members))
    return [RotationRow._make(row) for row in found]


def _noted(schedule_ids: Collection[int] | None, start: datetime, end: datetime, reach: timedelta) -> dict[int, Noted]:
    """By schedule what touches [start, end]; substitutions whose turn may. One query."""
    ids = None if schedule_ids is None else list(schedule_ids)
    given = {"ids": ids, "start": start, "end": end, "since": start - reach, "until": end + reach}
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_DOWN, given)
        rows = cursor.fetchall()
    found: dict[int, Noted] = {}
    for kind, pk, schedule_id, user_id, other_id, begin, finish, layer, series, is_override in sorted(rows, key=_order):
        noted = found.setdefault(schedule_id, Noted())
        match kind:
            case "override":
                noted.overrides.append(OverrideSpec(pk, user_id, begin, finish, other_id))
            case "shadow":
                noted.shadows.append(ShadowSpec(user_id, other_id, begin, finish))
            case "fixed":
                noted.fixed.append(FixedShift(user_id, begin, finish, layer, is_override))
            case "substitution":
                noted.substitutions[series].append(Substitution(begin, other_id, user_id))
            case _:
                noted.left[user_id] = begin
    return found


def _order(row: tuple[Any, ...]) -> tuple[str, int]:
    return row[0], row[1]


def schedule_ids_naming(user_ids: Collection[int], start: datetime, end: datetime) -> set[int]:
    """The schedules on which one of these people may be on call, or a shadow, in [start, end]. One query."""
    with connection.cursor() as cursor:
        cursor.execute(NAMING, {"users": list(user_ids), "start": start, "end": end})
        return {row[0] for row in cursor.fetchall()}


def on_call_at(now: datetime, schedule_ids: Collection[int] | None = None) -> dict[int, list[User]]:
    """Who is on call on each schedule. Four queries, however many schedules."""
    specs = schedule_specs(now, now, schedule_ids)
    ids = {pk: who_is_on_call(spec, now) for pk, spec in specs.items()}
    people = User.objects.in_bulk({user_id for user_ids in ids.values() for user_id in user_ids})
    return {pk: [people[user_id] for user_id in user_ids] for pk, user_ids in ids.items()}


USABLE_METHODS = Prepared(
    lambda: ContactMethod.objects.filter(
        holds("oncall_contactmethod.user_id = ANY({ids})"),
        user__is_active=True,
        is_enabled=True,
        verified_at__isnull=False,
        broken_reason="",
    ).order_by("id")
)


def usable_methods(user_ids: Collection[int]) -> dict[int, list[ContactMethod]]:
    """The contact methods through which each of these people can be paged now. One query."""
    methods: dict[int, list[ContactMethod]] = defaultdict(list)
    for method in USABLE_METHODS(ids=list(user_ids)):
        methods[method.user_id].append(method)
    return methods
