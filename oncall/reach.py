"""Who is behind the targets of paths, and how each of them can be reached: read once, asked many times."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import Membership, Role, User
from events.prepared import Prepared, holds
from oncall.hours import is_working_hours
from oncall.models import NotificationRule, OnCallProfile, Schedule
from oncall.roster import schedule_specs, usable_methods, zone_of
from oncall.rota import ScheduleSpec, shadows_at, who_is_on_call
from oncall.walk import Method, Person

Path = Mapping[str, Any]
RULES = Prepared(
    lambda: NotificationRule.objects.filter(holds("oncall_notificationrule.user_id = ANY({ids})")).order_by(
        "user_id", "urgency", "position"
    )
)
PEOPLE = Prepared(
    lambda: User.objects.filter(holds("accounts_user.id = ANY({ids})"), is_active=True).select_related(
        "on_call_profile"
    )
)


@dataclass
class Reach:
    """Schedules, teams and people as they are stored now, to be asked for any instant of the stretch that was read.

    The number of queries does not depend on how many paths, schedules or people there are.
    """

    specs: dict[int, ScheduleSpec]
    slugs: dict[int, str]
    members: dict[int, list[int]]
    managers: dict[int | None, list[int]]
    administrators: list[int]
    people: dict[int, Person] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[Path], start: datetime, end: datetime) -> "Reach":
        """Reads what these paths may ask between two instants."""
        targets = [target for path in paths for level in path["levels"] for target in level["targets"]]
        ids: dict[str, set[Any]] = defaultdict(set)
        for target in targets:
            ids[target["type"]].add(target["id"])
        named = {slug for path in paths for level in path["levels"] for slug in _slugs_in(level.get("condition"))}
        slugs: dict[int, str] = {}
        if named or ids["schedule"]:
            found = Schedule.objects.filter(slug__in=named) | Schedule.objects.filter(pk__in=ids["schedule"])
            slugs = dict(found.values_list("pk", "slug")) if named else dict.fromkeys(ids["schedule"], "")
        specs = schedule_specs(start, end, set(slugs)) if slugs else {}
        teams = ids["team"] | ids["managers"]
        memberships = list(
            Membership.objects.filter(team_id__in=teams).order_by("id").values_list("team_id", "user_id", "role")
            if teams
            else []
        )
        members: dict[int, list[int]] = defaultdict(list)
        managers: dict[int | None, list[int]] = defaultdict(list)
        for team_id, user_id, role in memberships:
            members[team_id].append(user_id)
            if role == Membership.TeamRole.MANAGER:
                managers[team_id].append(user_id)
        if any(not managers[team_id] for team_id in ids["managers"]):
            everyone = _people_of(Role.MANAGER)
            managers.update({team_id: everyone for team_id in ids["managers"] if not managers[team_id]})
        administrators = _people_of(Role.ADMINISTRATOR) if "administrators" in ids else []
        reach = cls(specs, slugs, members, managers, administrators)
        reach.read_people(
            ids["user"]
            | {user_id for each in (*members.values(), *managers.values()) for user_id in each}
            | set(administrators)
            | {user_id for spec in specs.values() for user_id in _users_of(spec)}
        )
        return reach

    def read_people(self, user_ids: Collection[int]) -> None:
        """Reads these people, in three queries; who has left is not there."""
        methods = usable_methods(user_ids)
        rules: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for rule in RULES(ids=list(user_ids)):
            rules[rule.user_id][rule.urgency].append((rule.delay_minutes, rule.contact_method_id))
        for user in PEOPLE(ids=list(user_ids)):
            profile = getattr(user, "on_call_profile", None) or OnCallProfile()
            has_quiet = profile.quiet_from is not None and profile.quiet_until is not None
            self.people[user.pk] = Person(
                user_id=user.pk,
                name=user.display_name,
                zone=zone_of(user.time_zone),
                methods=tuple(Method(each.pk, each.kind, each.address) for each in methods.get(user.pk, ())),
                rules={urgency: tuple(steps) for urgency, steps in rules[user.pk].items()},
                quiet=(profile.quiet_from, profile.quiet_until) if has_quiet else None,  # type: ignore[arg-type]  # both are there
                **({"digest_at": profile.digest_at} if profile.pk else {}),
            )

    def at(self, now: datetime) -> "ReachAt":
        """The same, asked for one instant."""
        return ReachAt(self, now)


@dataclass
class ReachAt:
    """The roster that a walk asks (oncall.walk.Roster), at one instant."""

    reach_of: Reach
    now: datetime
    _on_call: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def on_call(self, schedule_id: int) -> tuple[int, ...]:
        """Who is on call on a schedule, worked out once."""
        if schedule_id not in self._on_call:
            spec = self.reach_of.specs.get(schedule_id)
            self._on_call[schedule_id] = who_is_on_call(spec, self.now) if spec else ()
        return self._on_call[schedule_id]

    def reach(self, target: Mapping[str, Any]) -> tuple[Sequence[int], str]:
        """The people behind a target who are still here, and why there is nobody if so."""
        kind, name = target["type"], target["name"]
        user_ids: Sequence[int] = ()
        reason = f"{name}: nobody"
        if kind == "schedule":
            user_ids, reason = self.on_call(target["id"]), f"nobody is on call on {name}"
        elif kind == "user":
            user_ids, reason = (target["id"],), f"{name} is no longer active"
        elif kind == "team":
            user_ids, reason = self.reach_of.members.get(target["id"], ()), f"{name} has no members"
        elif kind == "managers":
            user_ids, reason = self.reach_of.managers.get(target["id"], ()), "there are no managers"
        elif kind == "administrators":
            user_ids, reason = self.reach_of.administrators, "there are no administrators"
        elif kind == "service_owner":
            reason = "it is not known who owns the service"
        here = [user_id for user_id in user_ids if user_id in self.reach_of.people]
        return here, "" if here else reason

    def person(self, user_id: int) -> Person:
        return self.reach_of.people[user_id]

    def shadows(self, target: Mapping[str, Any]) -> Sequence[int]:
        spec = self.reach_of.specs.get(target["id"]) if target["type"] == "schedule" else None
        return shadows_at(spec, self.now) if spec else ()

    def working_hours(self) -> Mapping[str, bool]:
        specs = self.reach_of.specs
        return {
            slug: is_working_hours(specs[pk], self.now)
            for pk, slug in self.reach_of.slugs.items()
            if slug and pk in specs
        }


def _people_of(role: Role) -> list[int]:
    roles = [each for each in Role if each.rank >= role.rank]
    return list(User.objects.filter(role__in=roles, is_active=True).order_by("id").values_list("pk", flat=True))


def _users_of(spec: ScheduleSpec) -> set[int]:
    users = {user_id for rotation in spec.rotations for user_id in rotation.members}
    users |= {change.coming for rotation in spec.rotations for change in rotation.substitutions}
    users |= {override.user_id for override in spec.overrides}
    users |= {shift.user_id for shift in spec.fixed if shift.user_id is not None}
    return users | {shadow.user_id for shadow in spec.shadows}


def _slugs_in(condition: Any) -> set[str]:
    """The schedules whose working hours a condition asks for: `working_hours.<slug>`."""
    if isinstance(condition, Mapping):
        found = {slug for value in condition.values() for slug in _slugs_in(value)}
        fact = condition.get("fact")
        if isinstance(fact, str) and fact.startswith("working_hours."):
            found.add(fact.removeprefix("working_hours."))
        return found
    if isinstance(condition, list):
        return {slug for each in condition for slug in _slugs_in(each)}
    return set()
