"""What a change of a policy does in the next 90 days: whom each level would reach instead, and hours with nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from oncall.foresight import HORIZON, Difference, differences_of
from oncall.reach import Reach
from oncall.rota import FixedShift, ScheduleSpec, shifts
from oncall.walk import TELLS

Path = Mapping[str, Any]


@dataclass(frozen=True)
class LevelDifference:
    """A stretch in which a level (counted from 1) would reach others."""

    level: int
    difference: Difference


@dataclass(frozen=True)
class PolicyPreview:
    """What a save would change: level by level, and whether there would be hours in which the policy reaches nobody."""

    differences: Sequence[LevelDifference]
    gaps: Sequence[Difference]
    zone: ZoneInfo

    @property
    def is_worse(self) -> bool:
        return bool(self.gaps)


def coverage_of(paths: Sequence[Path], now: datetime) -> list[list[ScheduleSpec]]:
    """For each path its own levels as schedules of those whom they reach; a constant number of queries."""
    reach = Reach.of(paths, now, now + HORIZON)
    return [[_level(path, level, reach, now) for level in _own_levels(path)] for path in paths]


def whole(levels: Sequence[ScheduleSpec], zone: ZoneInfo) -> ScheduleSpec:
    """Everybody whom any level reaches, as one schedule."""
    return ScheduleSpec(0, "", zone, fixed=tuple(shift for level in levels for shift in level.fixed))


def compare(before: Path, after: Path, now: datetime) -> PolicyPreview:
    """What changes from one path to another."""
    old, new = coverage_of([before, after], now)
    zone = ZoneInfo(after["zone"])
    nobody = ScheduleSpec(0, "", zone)
    differences = [
        LevelDifference(number + 1, difference)
        for number in range(max(len(old), len(new)))
        for difference in differences_of(
            old[number] if number < len(old) else nobody, new[number] if number < len(new) else nobody, now
        )
    ]
    gaps = [each for each in differences_of(whole(old, zone), whole(new, zone), now) if each.is_new_gap]
    return PolicyPreview(differences, gaps, zone)


def _own_levels(path: Path) -> Sequence[Mapping[str, Any]]:
    levels: Sequence[Mapping[str, Any]] = path["levels"][: path["stages"][0]["count"]]
    return levels


def _level(path: Path, level: Mapping[str, Any], reach: Reach, now: datetime) -> ScheduleSpec:
    end = now + HORIZON
    roster = reach.at(now)
    found: list[FixedShift] = []
    for target in level["targets"]:
        spec = reach.specs.get(target["id"]) if target["type"] == "schedule" else None
        if spec is not None:
            found += [
                FixedShift(user_id, shift.start, shift.end)
                for shift in shifts(spec, now, end)
                for user_id in shift.user_ids
            ]
        elif target["type"] not in TELLS:
            found += [FixedShift(user_id, now, end) for user_id in roster.reach(target)[0]]
    return ScheduleSpec(0, "", ZoneInfo(path["zone"]), fixed=tuple(found))
