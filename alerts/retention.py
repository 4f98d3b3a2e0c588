"""For how long it is kept what sources sent, and what goes: whole months at once, the rest in small portions.

What waits or has failed is kept until it is done or somebody has set it aside, however old it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import OperationalError
from django.db.models import Max

from alerts.models import AlertSource, EarlyEnd, RawEvent
from alerts.models.sources import KEPT_DAYS
from alerts.partitions import Month, drop_month, make_month, months, wanted

log = structlog.get_logger(__name__)

FORGET_RAW_EVENTS = "retention.forget_raw_events"
PORTION = 2_000
MOST_AT_ONCE = 400_000
EARLY_ENDS_KEPT = timedelta(days=7)
SETTLED = [RawEvent.State.DONE, RawEvent.State.SET_ASIDE]


@dataclass(frozen=True)
class Forgotten:
    """What one round has made and deleted."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    deleted: int = 0
    early_ends: int = 0


def forget_raw_events(now: datetime, *, limit: int = MOST_AT_ONCE) -> Forgotten:
    """Makes the tables of the months ahead, drops those of which nothing is kept, and deletes what has had its time.

    At most `limit` rows are deleted; the next round goes on. The dates that say so are `AlertSource.kept_days`.
    """
    known = months()
    made = [month for month in wanted(now) if month not in known and _make(month)]
    longest = AlertSource.objects.aggregate(days=Max("kept_days"))["days"]
    cutoff = now - timedelta(days=KEPT_DAYS if longest is None else longest)
    dropped = [month for month in known if month.ends_at <= cutoff and _drop(month)]
    deleted = 0
    for source in AlertSource.objects.order_by("pk"):
        if deleted < limit:
            deleted += _forget(source, now - timedelta(days=source.kept_days), limit - deleted)
    early_ends, _by_model = EarlyEnd.objects.filter(seen_at__lt=now - EARLY_ENDS_KEPT).delete()
    return Forgotten(tuple(month.table for month in made), tuple(month.table for month in dropped), deleted, early_ends)


def _make(month: Month) -> bool:
    try:
        make_month(month)
    except OperationalError:
        # Months ahead have time, and for this one there is the rest.
        log.warning("month_not_made", table=month.table, exc_info=True)
        return False
    log.info("month_made", table=month.table)
    return True


def _drop(month: Month) -> bool:
    try:
        kept = drop_month(month)
    except OperationalError:
        log.warning("month_not_dropped", table=month.table, exc_info=True)
        return False
    log.info("month_dropped", table=month.table, kept=kept)
    return True


def _forget(source: AlertSource, cutoff: datetime, limit: int) -> int:
    """Deletes what one source sent before, the oldest first; reads little more than what goes."""
    deleted, seen = 0, 0
    while deleted < limit:
        oldest = list(
            RawEvent.objects.filter(source=source, pk__gt=seen)
            .order_by("pk")
            .values_list("pk", "received_at", "state")[: min(PORTION, limit - deleted)]
        )
        over = [pk for pk, received_at, state in oldest if received_at < cutoff and state in SETTLED]
        if over:
            # (with the date, for then only the tables of those months are looked at)
            gone, _by_model = RawEvent.objects.filter(pk__in=over, received_at__lt=cutoff, state__in=SETTLED).delete()
            deleted += gone
        if not oldest or oldest[-1][1] >= cutoff:
            return deleted
        seen = oldest[-1][0]
    return deleted
