"""Whether a schedule will hold: its quality in the next weeks, and whether those who are coming can be reached."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Membership, Role, User
from events.actions import publish
from events.models import Event
from oncall.board import Reach, reach_of
from oncall.coverage import Finding, Flaw, LeaveSpec, Load, Quality, quality
from oncall.foresight import names_of, stretch_in_words
from oncall.models import Leave, Schedule
from oncall.pages_received import received
from oncall.roster import schedule_ids_naming, schedule_specs, usable_methods
from oncall.rota import ScheduleSpec, shifts
from oncall.unreachable import WITHIN, keep_unreachable

SOUNDNESS = Actor.system("Schedule check")
AHEAD = timedelta(days=42)
PAGES_BACK = timedelta(days=90)
# Whoever is on call within these days must be reachable now.
SOON = timedelta(days=14)
TOLD_AGAIN_AFTER = timedelta(days=7)
UNREACHABLE = "schedule.person_unreachable"


@dataclass(frozen=True)
class Soundness:
    """A schedule's quality, and those with coming shifts whom nothing is proved to reach."""

    quality: Quality
    names: dict[int, str]
    weak: list[tuple[User, Reach]]
    other_schedules: dict[int, Schedule]

    @property
    def loads(self) -> list[tuple[str, Load]]:
        """What each person carries, by name."""
        return sorted((self.names.get(pk, "?"), load) for pk, load in self.quality.loads.items())

    def in_words(self, finding: Finding, zone: ZoneInfo) -> str:
        """Such as "Ana is away: Tue 17 Mar 09:00 – 18:00"."""
        stretch = stretch_in_words(finding.start, finding.end, zone)
        given = {"name": self.names.get(finding.user_id or 0, "?"), "stretch": stretch, "other": ""}
        if finding.other_schedule_id in self.other_schedules:
            given["other"] = self.other_schedules[finding.other_schedule_id].name
        words = {
            Flaw.GAP: _("Nobody is on call: %(stretch)s"),
            Flaw.UNKNOWN_PERSON: _("The calendar names somebody unknown: %(stretch)s"),
            Flaw.LEAVE: _("%(name)s is away: %(stretch)s"),
            Flaw.DOUBLE_BOOKING: _("%(name)s is on call on %(other)s too: %(stretch)s"),
            Flaw.UNFAIR_NIGHTS: _("%(name)s has more nights than their share"),
            Flaw.UNFAIR_WEEKENDS: _("%(name)s has more weekends than their share"),
            Flaw.UNFAIR_HOLIDAYS: _("%(name)s has more holidays than their share"),
            Flaw.UNFAIR_PAGES: _("%(name)s got more pages than their share"),
        }
        return words[finding.flaw] % given


def soundness_of(schedule: Schedule, now: datetime, ahead: timedelta = AHEAD) -> Soundness:
    """How the schedule does in the time ahead, in a constant number of queries."""
    end = now + ahead
    spec = schedule_specs(now, end, {schedule.pk})[schedule.pk]
    people = {user_id for shift in shifts(spec, now, end) for user_id in shift.user_ids}
    others = _others(schedule, people, now, end)
    courses = {pk: shifts(other, now, end) for pk, other in schedule_specs(now, end, set(others)).items()}
    judged = quality(
        spec,
        start=now,
        end=end,
        others=courses,
        leaves=leaves_of(people, now, end),
        pages_per_person=_pages(schedule, people, now),
    )
    users = User.objects.in_bulk(people)
    methods = usable_methods(people)
    weak = [(users[pk], reach_of(methods.get(pk, []), now)) for pk in sorted(people)]
    return Soundness(judged, names_of(people), [each for each in weak if each[1] != "proved"], others)


def leaves_of(user_ids: Collection[int], start: datetime, end: datetime) -> list[LeaveSpec]:
    """The leave of these people that touches [start, end). One query."""
    found = Leave.objects.filter(user_id__in=user_ids, starts_at__lt=end, ends_at__gt=start).order_by("starts_at")
    return [LeaveSpec(each.user_id, each.starts_at, each.ends_at) for each in found]


def _others(schedule: Schedule, people: Collection[int], start: datetime, end: datetime) -> dict[int, Schedule]:
    return Schedule.objects.in_bulk(schedule_ids_naming(people, start, end) - {schedule.pk})


def _pages(schedule: Schedule, people: Collection[int], now: datetime) -> dict[int, int]:
    found = received(people, now - PAGES_BACK, now)
    return dict(Counter(each.user_id for each in found if schedule.pk in each.schedule_ids))


def report_unreachable(now: datetime) -> int:
    """Publishes an event for everybody who is on call within two weeks and whom nothing would reach; returns how many.

    Once a week for a person on a schedule: its owners are mailed on the day on which it arises. Those who are on call
    within a day are kept for the banner.
    """
    specs = schedule_specs(now, now + SOON)
    coming = {pk: _people_soon(spec, now, SOON) for pk, spec in specs.items()}
    everybody = {user_id for people in coming.values() for user_id in people}
    methods = usable_methods(everybody)
    lost = {user_id for user_id in everybody if reach_of(methods.get(user_id, []), now) == "unreachable"}
    told = _told_lately(now)
    count = 0
    owners: dict[int, set[int]] = {}
    concerned = Schedule.objects.filter(pk__in=[pk for pk, people in coming.items() if people & lost])
    for schedule in concerned:
        very_soon = _people_soon(specs[schedule.pk], now, WITHIN) & lost
        owner_ids = {owner.pk for owner in owners_of(schedule)} if very_soon else set()
        for user_id in very_soon:
            owners.setdefault(user_id, set()).update(owner_ids)
    keep_unreachable(owners, now)
    for schedule in concerned:
        for user_id in sorted((coming[schedule.pk] & lost) - told.get(schedule.pk, set())):
            with transaction.atomic():
                publish(UNREACHABLE, subject=schedule, actor=SOUNDNESS, data={"user": user_id})
            count += 1
    return count


def _people_soon(spec: ScheduleSpec, now: datetime, ahead: timedelta) -> set[int]:
    return {user_id for shift in shifts(spec, now, now + ahead) for user_id in shift.user_ids}


def _told_lately(now: datetime) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for schedule_id, data in Event.objects.filter(name=UNREACHABLE, occurred_at__gt=now - TOLD_AGAIN_AFTER).values_list(
        "subject_id", "data"
    ):
        found.setdefault(schedule_id, set()).add(int(data["user"]))
    return found


def owners_of(schedule: Schedule) -> list[User]:
    """Who looks after a schedule: its team's managers, else all managers of the installation."""
    if schedule.team_id is not None:
        managers = User.objects.filter(
            is_active=True,
            memberships__team_id=schedule.team_id,
            memberships__role=Membership.TeamRole.MANAGER,
        )
        if managers:
            return list(managers)
    return all_managers()


def all_managers() -> list[User]:
    """Whoever may change every schedule and policy of the installation."""
    roles = [role for role in Role.values if Role(role).rank >= Role.MANAGER.rank]
    return list(User.objects.filter(is_active=True, role__in=roles))
