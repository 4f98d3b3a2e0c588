"""The update timer: what is due and did not come is said once, for each time at which it was due."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from accounts.actor import Actor
from events.actions import publish
from incidents.models import Incident, TimelineEntry
from incidents.timeline import add_entry

TIMER = Actor.system("Update timer")
NUDGED_AT_ONCE = 100


@transaction.atomic
def nudge_due(now: datetime, *, limit: int = NUDGED_AT_ONCE) -> int:
    """Publishes `incident.update_overdue` for open incidents whose update is due, with an entry; returns how many.

    Once for each time at which one is due: an incident is due again when its time has moved past the last nudge. What
    is paused waits. Claims make it harmless to run it twice at once.
    """
    not_told = Q(nudged_at=None) | Q(nudged_at__lt=F("next_update_due_at"))
    due = (
        Incident.objects.open()
        .filter(not_told, next_update_due_at__lte=now, paused_at=None)
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("next_update_due_at")[:limit]
    )
    found = list(due)
    for incident in found:
        incident.nudged_at = now
        incident.save(update_fields=["nudged_at"])
        due_at = incident.next_update_due_at
        data = {"due_at": due_at.isoformat() if due_at else None}
        text = "the update that was due has not come"
        add_entry(incident=incident, actor=TIMER, kind=TimelineEntry.Kind.EDIT, text=text, now=now, data=data)
        publish("incident.update_overdue", subject=incident, actor=TIMER, data=data)
    return len(found)
