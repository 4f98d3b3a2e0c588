"""Who is on call within a day and can't be reached: found by the sweep, kept, and shown on every page.

A page pays no query for it while all can be reached: what is kept is one of the rows that the banner reads anyway.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Role, User
from oncall.board import reach_of
from oncall.models import EngineBeat
from oncall.roster import usable_methods

NAME = "unreachable"
WITHIN = timedelta(hours=24)
# The sweep comes every ten minutes; what is older than this is not told any more.
STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Unreachable:
    """What concerns one viewer: they can't be reached themselves, and how many others of theirs can't."""

    is_viewer: bool = False
    others: int = 0


def keep_unreachable(owners: Mapping[int, Collection[int]], now: datetime) -> None:
    """Keeps the ids of those who can't be reached, each with the ids of whoever looks after their schedules."""
    people = [{"user": user_id, "owners": sorted(owners[user_id])} for user_id in sorted(owners)]
    EngineBeat.objects.update_or_create(name=NAME, defaults={"beat_at": now, "data": {"people": people}})


def unreachable_for(viewer: User, kept: EngineBeat | None, now: datetime) -> Unreachable:
    """What this viewer should know of what was kept. Everybody learns of themselves, managers and owners of others.

    Whoever has mended it meanwhile is left out: one query, and none for whom nothing concerns.
    """
    if kept is None or now - kept.beat_at > STALE_AFTER:
        return Unreachable()
    sees_all = viewer.has_role(Role.MANAGER)
    people = {
        each["user"]
        for each in kept.data.get("people", ())
        if sees_all or viewer.pk == each["user"] or viewer.pk in each["owners"]
    }
    if not people:
        return Unreachable()
    methods = usable_methods(people)
    lost = {user_id for user_id in people if reach_of(methods.get(user_id, []), now) == "unreachable"}
    return Unreachable(viewer.pk in lost, len(lost - {viewer.pk}))
