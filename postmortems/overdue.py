"""Action items whose day has passed: told once for each day on which one was due."""

from datetime import datetime

from django.db import transaction
from django.db.models import DateField, Exists, OuterRef
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.actor import Actor
from events.actions import publish
from events.models import Event
from postmortems.models import ActionItem

OVERDUE = "action_item.overdue"
CLOCK = Actor.system("Action items")
TOLD_AT_ONCE = 200
OPEN = [ActionItem.Status.PLANNED, ActionItem.Status.IN_PROGRESS]


@transaction.atomic
def tell_overdue(now: datetime, *, limit: int = TOLD_AT_ONCE) -> int:
    """Publishes `action_item.overdue` for open items that were due before today (UTC); returns how many.

    Each once, and again if its day is moved and passes too. Claims make it harmless to run it twice at once.
    """
    told = (
        Event.objects.filter(name=OVERDUE, subject_type=ActionItem._meta.label_lower, subject_id=OuterRef("pk"))
        .annotate(due=Cast(KT("data__due_on"), DateField()))
        .filter(due=OuterRef("due_on"))
    )
    late = ActionItem.objects.filter(status__in=OPEN, due_on__lt=now.date()).exclude(Exists(told))
    found = list(late.select_for_update(skip_locked=True, of=("self",)).order_by("due_on", "pk")[:limit])
    for item in found:
        data = {"due_on": item.due_on.isoformat() if item.due_on else "", "owner": item.owner_id}
        publish(OVERDUE, subject=item, actor=CLOCK, data=data)
    return len(found)
