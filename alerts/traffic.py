"""How much sources send."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from alerts.models import AlertSource, RawEvent

DAYS_SHOWN = 7


def counts_per_day(source: AlertSource, now: datetime) -> list[dict[str, Any]]:
    """Requests and events of the last days, each day as the installation's time zone has it; the newest first."""
    today = timezone.localdate(now)
    first = timezone.make_aware(datetime.combine(today - timedelta(days=DAYS_SHOWN - 1), datetime.min.time()))
    sent: QuerySet[Any] = RawEvent.objects.filter(source=source, received_at__gte=first).order_by()
    counted = sent.annotate(day=TruncDate("received_at")).values("day")
    rows = {row["day"]: row for row in counted.annotate(requests=Count("pk"), events=Sum("event_count"))}
    days = [today - timedelta(days=number) for number in range(DAYS_SHOWN)]
    return [
        {"day": day, "requests": found.get("requests", 0), "events": found.get("events") or 0}
        for day, found in ((day, rows.get(day, {})) for day in days)
    ]
