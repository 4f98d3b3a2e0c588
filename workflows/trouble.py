"""Which workflows are in trouble: their last runs failed, or were stopped by loop protection. Kept for every page.

A page pays no query for it: what is kept is one of the rows that its banners read anyway.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.actor import Actor
from incidents.models import Incident
from oncall.models import EngineBeat
from workflows.models import Workflow, WorkflowRun

NAME = "workflows"
# What happened longer ago is not told any more, and neither is what was kept longer ago than the other.
LATELY = timedelta(days=7)
STALE_AFTER = timedelta(minutes=10)
State = WorkflowRun.State


def in_trouble(runs: QuerySet[WorkflowRun], now: datetime) -> QuerySet[Workflow]:
    """Those that are switched on, and of these runs have one that went wrong lately and none since that was done."""
    of_it = runs.filter(workflow=OuterRef("pk"))
    wrong = of_it.filter(state__in=WorkflowRun.TROUBLE, ended_at__gt=now - LATELY)
    found = Workflow.objects.filter(is_enabled=True).alias(wrong=Subquery(wrong.order_by("-id").values("pk")[:1]))
    return found.filter(wrong__isnull=False).exclude(Exists(of_it.filter(state=State.DONE, pk__gt=OuterRef("wrong"))))


def in_trouble_for(viewer: Actor, now: datetime) -> QuerySet[Workflow]:
    """The same by the runs that the viewer may see."""
    return in_trouble(WorkflowRun.objects.visible_to(viewer), now)


def keep_trouble(now: datetime) -> int:
    """Keeps how many are in trouble by the runs that everybody may see, and returns it."""
    open_to_all = WorkflowRun.objects.exclude(incident__visibility=Incident.Visibility.PRIVATE)
    count = in_trouble(open_to_all, now).count()
    EngineBeat.objects.update_or_create(name=NAME, defaults={"beat_at": now, "data": {"in_trouble": count}})
    return count


def kept_trouble(kept: EngineBeat | None, now: datetime) -> int:
    """How many there were when it was kept; 0 where that is long ago."""
    if kept is None or now - kept.beat_at > STALE_AFTER:
        return 0
    return int(kept.data.get("in_trouble", 0))
