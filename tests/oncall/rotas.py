"""Rotas for tests: short makers, and hypothesis strategies over every kind of rotation."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as some

from oncall.rota import (
    FixedShift,
    Handover,
    OverrideSpec,
    RotationSpec,
    ScheduleSpec,
    Substitution,
    WeeklyHours,
)

ANA, BOB, DAN, EVE = 1, 2, 3, 4
BERLIN = ZoneInfo("Europe/Berlin")
SECOND = timedelta(seconds=1)

# Half-hour offsets, a half-hour clock change (Lord Howe), two hours (Troll), changes at midnight (Beirut, Santiago,
# Asuncion), backwards in Ramadan (Casablanca, El Aaiun), negative summer time (Dublin), none at all, the far ends.
ZONES = [
    *("UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Istanbul", "Europe/Chisinau"),
    *("America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Asuncion"),
    *("America/Havana", "America/Nuuk", "America/Los_Angeles", "America/Mexico_City", "Atlantic/Azores"),
    *("Africa/Casablanca", "Africa/El_Aaiun", "Africa/Cairo", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu"),
    *("Asia/Kolkata", "Asia/Tehran", "Asia/Bangkok", "Antarctica/Troll", "Australia/Lord_Howe"),
    *("Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Easter"),
]

zones = some.sampled_from(ZONES).map(ZoneInfo)
# Minutes too: a handover may fall right on or beside a clock change.
times = some.times(min_value=time(0), max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))
instants = some.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())
).map(lambda second: datetime.fromtimestamp(second, UTC))
stretches = some.timedeltas(timedelta(minutes=1), timedelta(days=40))
weekdays = some.frozensets(some.integers(0, 6), max_size=6)
people = some.integers(1, 6)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def rotation(*members: int, **fields: Any) -> RotationSpec:
    """Weekly from Monday 09:00, unless the fields say otherwise; `at` is a shorter way to say one handover."""
    given: dict[str, Any] = {"rotation_id": 1, "name": "Weekly", "layer": 1, "starts_on": date(2026, 1, 5), **fields}
    given.setdefault("handovers", (Handover(given.pop("at", time(9)), given.pop("weekday", 0)),))
    return RotationSpec(members=members, **given)


def schedule(*rotations: RotationSpec, zone: ZoneInfo = BERLIN, **fields: Any) -> ScheduleSpec:
    return ScheduleSpec(**{"schedule_id": 1, "name": "Primary", "zone": zone, "rotations": rotations, **fields})


@some.composite
def rotations(draw: some.DrawFn, layers: int = 1, has_windows: bool = True, has_versions: bool = True) -> RotationSpec:
    """Any rotation that people could set up."""
    period = draw(some.sampled_from(["hours", "days", "weeks", "months"]))
    count = draw(some.integers(1, 3)) if period == "weeks" else 1
    bounds = sorted(draw(some.lists(instants, max_size=2, unique=True))) if has_versions else []
    is_followed_only = draw(some.booleans())
    since = bounds[0] if bounds and not is_followed_only else None
    swaps = [Substitution(anchor, draw(people), draw(people)) for anchor in draw(some.lists(instants, max_size=2))]
    return RotationSpec(
        rotation_id=draw(some.integers(1, 99)),
        name="Any",
        layer=draw(some.integers(1, layers)),
        members=tuple(draw(some.lists(people, min_size=1, max_size=5))),
        starts_on=draw(some.dates(date(2019, 1, 1), date(2030, 1, 1))),
        handovers=tuple(Handover(draw(times), draw(some.integers(0, 6))) for _ in range(count)),
        period=period,
        interval=draw(some.integers(1, 30 if period == "hours" else 4)) if count == 1 else 1,
        people_at_once=draw(some.integers(1, 3)),
        active=WeeklyHours(draw(times), draw(times), draw(weekdays)) if has_windows and draw(some.booleans()) else None,
        effective_from=since,
        effective_until=bounds[-1] if bounds and bounds[-1] != since else None,
        substitutions=tuple(swaps),
        left=draw(some.frozensets(people, max_size=2)) if draw(some.booleans()) else frozenset(),
    )


@some.composite
def schedules(draw: some.DrawFn) -> ScheduleSpec:
    """Any schedule: rotations in layers, overrides of all or one, shifts of a calendar."""
    overrides = [
        OverrideSpec(number, draw(people), start, start + draw(stretches), draw(some.none() | people))
        for number, start in enumerate(draw(some.lists(instants, max_size=3)))
    ]
    fixed = [
        FixedShift(draw(some.none() | people), start, start + draw(stretches), draw(some.integers(0, 3)), is_override)
        for start, is_override in draw(some.lists(some.tuples(instants, some.booleans()), max_size=2))
    ]
    parts = tuple(draw(some.lists(rotations(layers=3), max_size=3)))
    return ScheduleSpec(1, "Any", draw(zones), parts, tuple(overrides), tuple(fixed))
