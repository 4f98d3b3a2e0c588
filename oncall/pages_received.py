"""What a page is to the person who gets it: a level of an escalation that reached them, by however many methods."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Func, Min

from oncall.models import Escalation, Page


@dataclass(frozen=True, slots=True)
class Received:
    """A page that reached a person at `at`; `schedule_ids` are the schedules that its level pages, if it names any."""

    user_id: int
    at: datetime
    schedule_ids: frozenset[int]


def sent_between(start: datetime, end: datetime) -> Any:
    """The pages decided in [start, end) that left; by the index over their time."""
    return Page.objects.filter(created_at__gte=start, created_at__lt=end, state=Page.State.SENT).order_by()


def count_of_pages() -> Count:
    """How many pages a person got: rows of one escalation, run, level and round to one person count once."""
    each = Func("escalation_id", "run", "level", "round", "user_id", template="(%(expressions)s)")
    return Count(each, distinct=True)


def received(user_ids: Collection[int], start: datetime, end: datetime) -> list[Received]:
    """The pages that these people got in [start, end), in order. Two queries."""
    found = list(
        sent_between(start, end)
        .filter(user_id__in=user_ids)
        .values_list("user_id", "escalation_id", "level", "run", "round")
        .annotate(at=Min("created_at"))
        .order_by("at", "escalation_id")
    )
    ids = {escalation_id for _user, escalation_id, *_rest in found}
    paths = dict(Escalation.objects.filter(pk__in=ids).values_list("pk", "path"))
    return [
        Received(user_id, at, _schedules_of(paths.get(escalation_id) or {}, level))
        for user_id, escalation_id, level, _run, _round, at in found
    ]


def _schedules_of(path: dict[str, Any], level: int) -> frozenset[int]:
    levels = path.get("levels") or []
    targets = levels[level].get("targets", []) if level < len(levels) else []
    return frozenset(target["id"] for target in targets if target.get("type") == "schedule")
