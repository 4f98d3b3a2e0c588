"""Which numbers tell whether Sitrep does its job: read from the database, one cheap query each."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from events.models import Delivery


@dataclass(frozen=True)
class Gauge:
    """One metric: its name, what it counts, and a value for each set of labels."""

    name: str
    help: str
    samples: list[tuple[dict[str, str], float]]


def measure(now: datetime) -> list[Gauge]:
    """Returns every gauge as of `now`."""
    return [*outbox(now)]


def outbox(now: datetime) -> list[Gauge]:
    """Returns the deliveries that wait, run or were given up, and how late the oldest waiting one is."""
    open_states = [Delivery.State.PENDING, Delivery.State.RUNNING, Delivery.State.DEAD]
    counts = dict(
        Delivery.objects.filter(state__in=open_states)
        .order_by()
        .values_list("state")
        .annotate(number=Count("id"))
        .values_list("state", "number")
    )
    oldest = Delivery.objects.filter(state=Delivery.State.PENDING).aggregate(due=Min("due_at"))["due"]
    return [
        Gauge(
            "sitrep_deliveries",
            "Deliveries of events to handlers, by state.",
            [({"state": str(state.value)}, counts.get(state.value, 0)) for state in open_states],
        ),
        Gauge(
            "sitrep_delivery_lateness_seconds",
            "How long the oldest waiting delivery has been due.",
            [({}, max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)],
        ),
    ]
