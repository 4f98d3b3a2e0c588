"""Rotations as somebody wrote them, and how a change of them is stored so that the past stays as it was."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from accounts.models import User
from events.errors import Invalid
from oncall.models import Rotation, RotationMember, Schedule
from oncall.roster import rotation_spec, zone_of
from oncall.rota import begin_of

LONGEST_INTERVAL = 1000
HIGHEST_LAYER = 99
MOST_HANDOVERS = 21
YEARS = range(1990, 2200)
# What a rotation and a draft of it both have as it is.
PLAIN = [
    *("name", "layer", "period", "interval", "starts_on", "people_at_once"),
    *("active_from", "active_until", "effective_until"),
]
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class RotationDraft:
    """One rotation as somebody wrote it; `members` in the order in which they take turns.

    `handovers` are (weekday, time): one or several a week for weeks, else one, whose weekday is left out. Without
    active hours and weekdays it is always on duty. `rotation_id` names any version of the rotation that it changes.
    """

    name: str
    members: Sequence[User]
    starts_on: date
    handovers: Sequence[tuple[int | None, time]] = ((0, time(9)),)
    period: str = Rotation.Period.WEEKS
    interval: int = 1
    layer: int = 1
    people_at_once: int = 1
    active_from: time | None = None
    active_until: time | None = None
    active_weekdays: Sequence[int] = ()
    effective_until: datetime | None = None
    rotation_id: int | None = field(default=None)

    def values(self) -> dict[str, Any]:
        """The columns that a rotation of this draft has, but for its place in time."""
        return {
            "name": self.name.strip(),
            "layer": self.layer,
            "period": self.period,
            "interval": self.interval,
            "handovers": stored_handovers(self.period, self.handovers),
            "starts_on": self.starts_on,
            "people_at_once": self.people_at_once,
            "active_from": self.active_from,
            "active_until": self.active_until,
            "active_weekdays": sorted(set(self.active_weekdays)),
        }


def handovers_of(rotation: Rotation) -> list[tuple[int | None, time]]:
    """A rotation's handovers as (weekday, time)."""
    return [(handover.get("weekday"), time.fromisoformat(handover["time"])) for handover in rotation.handovers]


def stored_handovers(period: str, handovers: Sequence[tuple[int | None, time]]) -> list[dict[str, Any]]:
    """Handovers as a rotation stores them, in the order of the week."""
    if period != Rotation.Period.WEEKS:
        return [{"time": f"{at:%H:%M}"} for _weekday, at in handovers]
    ordered = sorted({(weekday or 0, at) for weekday, at in handovers})
    return [{"weekday": weekday, "time": f"{at:%H:%M}"} for weekday, at in ordered]


def draft_of(rotation: Rotation) -> RotationDraft:
    """A stored rotation as it is; reads `rotation_members` with their users."""
    members = sorted(rotation.rotation_members.all(), key=lambda member: member.position)
    return RotationDraft(
        rotation_id=rotation.pk,
        handovers=handovers_of(rotation),
        members=[member.user for member in members],
        active_weekdays=tuple(rotation.active_weekdays),
        **{name: getattr(rotation, name) for name in PLAIN},
    )


def last_versions(rotations: Iterable[Rotation], now: datetime) -> list[Rotation]:
    """Of each series that has not ended the version that holds last: what an editor shows, the highest layer first."""
    last: dict[uuid.UUID, Rotation] = {}
    for rotation in sorted(rotations, key=_since):
        last[rotation.series] = rotation
    found = [each for each in last.values() if each.effective_until is None or each.effective_until > now]
    return sorted(found, key=lambda each: (-each.layer, each.name))


def _since(rotation: Rotation) -> tuple[datetime, int]:
    return rotation.effective_from or BEGINNING, rotation.pk


def check_drafts(drafts: Sequence[RotationDraft]) -> None:
    """Raises Invalid, with the field and the remedy, for what makes no sense."""
    names = [draft.name.strip().casefold() for draft in drafts]
    if len(set(names)) < len(names):
        raise Invalid("Two rotations have the same name.", field="rotations", remedy="Name each one differently.")
    for draft in drafts:
        _check_draft(draft)


def _check_draft(draft: RotationDraft) -> None:
    who = f"The rotation “{draft.name}”"
    if not draft.name.strip():
        raise Invalid("A rotation needs a name.", field="name")
    if not draft.members:
        raise Invalid(f"{who} has nobody in it.", field="members", remedy="Add at least one person.")
    if draft.period not in Rotation.Period.values:
        raise Invalid(f"{draft.period!r} is no period.", field="period", remedy="Use hours, days, weeks or months.")
    if not 1 <= draft.interval <= LONGEST_INTERVAL:
        raise Invalid(f"A turn lasts at least one period, at most {LONGEST_INTERVAL}.", field="interval")
    if not 1 <= draft.layer <= HIGHEST_LAYER:
        raise Invalid(f"A layer is a number from 1 to {HIGHEST_LAYER}.", field="layer")
    people = len({user.pk for user in draft.members})
    if not 1 <= draft.people_at_once <= people:
        remedy = "Add people, or let fewer be on duty together."
        raise Invalid(
            f"{who} has {people} people for {draft.people_at_once} at once.", field="people_at_once", remedy=remedy
        )
    if draft.starts_on.year not in YEARS:
        raise Invalid(f"{who} begins in {draft.starts_on.year}.", field="starts_on", remedy="Choose a nearer date.")
    _check_handovers(draft, who)
    if (draft.active_from is None) != (draft.active_until is None):
        raise Invalid(f"{who} has active hours with one end.", field="active_until", remedy="Give both, or neither.")
    if not set(draft.active_weekdays) <= set(range(7)):
        raise Invalid("A weekday is a number from 0 (Monday) to 6.", field="active_weekdays")


def _check_handovers(draft: RotationDraft, who: str) -> None:
    if not draft.handovers:
        raise Invalid(f"{who} never hands over.", field="handovers", remedy="Give a time.")
    if draft.period != Rotation.Period.WEEKS:
        if len(draft.handovers) > 1:
            remedy = "Several handovers are for rotations by the week."
            raise Invalid(f"{who} needs one handover time.", field="handovers", remedy=remedy)
        return
    if any(weekday is None or not 0 <= weekday <= 6 for weekday, _at in draft.handovers):
        raise Invalid(f"{who} hands over on a weekday from 0 (Monday) to 6.", field="handovers")
    if len(draft.handovers) > MOST_HANDOVERS:
        raise Invalid(f"{who} hands over more than {MOST_HANDOVERS} times a week.", field="handovers")
    if len(set(draft.handovers)) > 1 and draft.interval > 1:
        remedy = "With several handovers a week each turn lasts until the next of them."
        raise Invalid(f"{who} hands over several times a week.", field="interval", remedy=remedy)


def write_rotations(schedule: Schedule, drafts: Sequence[RotationDraft], since: datetime | None) -> None:
    """Makes the schedule's rotations those of the drafts from `since` (UTC) on; the past stays as it was.

    Without `since` the last versions are corrected, as if they had always been so. The caller holds the lock.
    """
    stored = list(schedule.rotations.prefetch_related("rotation_members"))
    series_of = {rotation.pk: rotation.series for rotation in stored}
    versions: dict[uuid.UUID, list[Rotation]] = {}
    for rotation in sorted(stored, key=_since):
        versions.setdefault(rotation.series, []).append(rotation)
    kept = {series_of[draft.rotation_id] for draft in drafts if draft.rotation_id in series_of}
    for series, each in versions.items():
        if series not in kept:
            _end(schedule, each, since)
    for draft in drafts:
        own = versions.get(series_of[draft.rotation_id], []) if draft.rotation_id in series_of else []
        if not own:
            _write(Rotation(schedule=schedule, effective_from=since), draft)
        elif since is None or _is_same(own[-1], draft):
            _write(own[-1], draft)
        else:
            _end(schedule, own, since)
            _write(Rotation(schedule=schedule, series=own[-1].series, effective_from=since), draft)


def _end(schedule: Schedule, versions: Sequence[Rotation], since: datetime | None) -> None:
    """Lets a series end at the instant: versions that have not begun by then go, with everything if it is None."""
    for rotation in versions:
        if since is None or not _serves_before(schedule, rotation, since):
            rotation.delete()
        elif rotation.effective_until is None or rotation.effective_until > since:
            rotation.effective_until = since
            rotation.save(update_fields=["effective_until"])


def _serves_before(schedule: Schedule, rotation: Rotation, at: datetime) -> bool:
    if rotation.effective_from is not None and rotation.effective_from >= at:
        return False
    members = [member.user_id for member in rotation.rotation_members.all()]
    return begin_of(rotation_spec(rotation, members), zone_of(schedule.time_zone), 0) < at


def _is_same(rotation: Rotation, draft: RotationDraft) -> bool:
    """Whether nobody's duty differs; the name tells nothing about it."""
    values = {**draft.values(), "effective_until": draft.effective_until}
    values.pop("name")
    members = [member.user_id for member in rotation.rotation_members.all()]
    return members == [user.pk for user in draft.members] and all(
        getattr(rotation, name) == value for name, value in values.items()
    )


def _write(rotation: Rotation, draft: RotationDraft) -> Rotation:
    until = draft.effective_until
    if until is not None and rotation.effective_from is not None and until <= rotation.effective_from:
        raise Invalid(
            f"The rotation “{draft.name}” ends before it begins.", field="effective_until", remedy="Choose a later end."
        )
    for name, value in {**draft.values(), "effective_until": until}.items():
        setattr(rotation, name, value)
    rotation.save()
    rotation.rotation_members.all().delete()
    RotationMember.objects.bulk_create(
        RotationMember(rotation=rotation, user=user, position=position) for position, user in enumerate(draft.members)
    )
    return rotation
