"""What becomes of alerts with time: the wait is over, the window ends, it is quiet again, or nothing was heard of it.

Due times are columns, claimed with SKIP LOCKED as everywhere: any number of sweeps may run, and one that dies leaves
nothing half done.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from alerts.models import Alert
from alerts.opening import actor_of
from alerts.outcomes import conclude_again
from alerts.repeats import decide_again, firing_for_routes
from alerts.resolving import close_alert
from alerts.routing import NewAlert, Router
from events.poke import poke
from oncall.engine import SEND_PAGES

log = structlog.get_logger(__name__)

LOOK_AT_HELD = "alerts.look_at_held"
LOOKED_AT_ONCE = 200
Held = Alert.Held


def look_at_held(now: datetime, *, limit: int = LOOKED_AT_ONCE) -> int:
    """Handles what is due, at most `limit` of each kind, and returns how many alerts there were."""
    return _decide_about_held(now, limit) + _end_quiet(now, limit) + _end_expired(now, limit)


def _decide_about_held(now: datetime, limit: int) -> int:
    """Routes what waited for its end, or was muted until now, and fires still: now it pages."""
    try:
        return _decide_together(now, limit)
    except Exception:
        # One of them can't be decided about: each by itself, so that it does not hold up the others.
        log.warning("held_alerts_looked_at_one_by_one", exc_info=True)
    looked_at = 0
    for _ in range(limit):
        try:
            looked_at += _decide_together(now, 1)
        except Exception:
            log.exception("held_alert_not_decided")
            break
    return looked_at


@transaction.atomic
def _decide_together(now: datetime, limit: int) -> int:
    held = _due(now, limit, [Held.WAITING, Held.MUTED])
    if not held:
        return 0
    alerts = firing_for_routes(held)
    decide_again([NewAlert(alert, actor_of(alert.source), waited=True) for alert in alerts.values()], Router(now))
    conclude_again(list(alerts.values()))
    poke(SEND_PAGES)
    return len(alerts)


def _end_quiet(now: datetime, limit: int) -> int:
    with transaction.atomic():
        return _close(_due(now, limit, [Held.FLAPPING]), now)


def _end_expired(now: datetime, limit: int) -> int:
    with transaction.atomic():
        expired = Alert.objects.select_for_update(of=("self",), skip_locked=True)
        due = expired.filter(status=Alert.Status.FIRING, expires_at__lte=now).order_by("expires_at")[:limit]
        return _close([alert.pk for alert in due], now)


def _due(now: datetime, limit: int, held: Sequence[str]) -> list[int]:
    """Those that are due, locked, the earliest first."""
    found = Alert.objects.select_for_update(of=("self",), skip_locked=True)
    due = found.filter(due_at__lte=now, held__in=held, status=Alert.Status.FIRING).order_by("due_at", "id")[:limit]
    return [alert.pk for alert in due]


def _close(ids: Sequence[int], now: datetime) -> int:
    for alert in Alert.objects.filter(pk__in=ids).select_related("source").order_by("pk"):
        close_alert(actor=actor_of(alert.source), alert=alert, now=now, ended_at=alert.ended_at or alert.expires_at)
    return len(ids)
