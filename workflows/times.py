"""Workflows that a clock starts: each time once, however many look at the clock."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.actor import Actor
from workflows.definition import columns_of
from workflows.models import Workflow, WorkflowVersion
from workflows.starting import start_run

CLOCK = Actor.system("Clock")
STARTED_AT_ONCE = 50


@transaction.atomic
def start_due(now: datetime, *, limit: int = STARTED_AT_ONCE) -> int:
    """Starts those whose time has come, and sets when they come next; returns how many.

    Of times that were missed (Sitrep was down, say) only the last is made up for.
    """
    due = list(
        WorkflowVersion.objects.filter(
            workflow__is_enabled=True, workflow__next_at__lte=now, number=F("workflow__version")
        )
        .select_for_update(of=("workflow",), skip_locked=True)
        .select_related("workflow")
        .order_by("workflow__next_at")[:limit]
    )
    for version in due:
        workflow, at = version.workflow, version.workflow.next_at
        Workflow.objects.filter(pk=workflow.pk).update(next_at=columns_of(version.definition, now)["next_at"])
        if at is None:
            continue
        start_run(
            actor=CLOCK,
            version=version,
            trigger="time",
            dedup_key=f"time-{at.isoformat()}",
            now=now,
            facts={"event": {"name": "time", "by": CLOCK.name, "at": at.isoformat(), "data": {}}},
        )
    return len(due)
