"""Which numbers tell whether Sitrep does its job: read from the database, one cheap query each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet

from alerts.audit import last_alert_audit
from alerts.models import Alert, RawEvent
from events.models import Delivery
from oncall.audit import last_audit
from oncall.engine import heartbeat_age, overdue
from oncall.models import Escalation, Page
from workflows.models import WorkflowRun
from workflows.trouble import in_trouble


@dataclass(frozen=True)
class Gauge:
    """One metric: its name, what it counts, and a value for each set of labels."""

    name: str
    help: str
    samples: list[tuple[dict[str, str], float]]


def measure(now: datetime) -> list[Gauge]:
    """Returns every gauge as of `now`."""
    return [*engine(now), *pages(now), *raw_events(now), *outbox(now), *workflows(now)]


def engine(now: datetime) -> list[Gauge]:
    """Returns how the paging engine fares. A heartbeat that never was is infinitely old."""
    age = heartbeat_age(now)
    audit = last_audit()
    open_states = [Escalation.Status.TRIGGERED, Escalation.Status.ACKNOWLEDGED]
    counts = by_state(Escalation.objects.filter(status__in=open_states), "status")
    return [
        Gauge(
            "sitrep_engine_heartbeat_age_seconds",
            "How long ago the paging engine last did its round.",
            [({}, age.total_seconds() if age is not None else float("inf"))],
        ),
        Gauge("sitrep_escalations", "Open escalations, by status.", labelled("status", open_states, counts)),
        Gauge(
            "sitrep_escalations_overdue",
            "Escalations that should have been looked at over 30 seconds ago.",
            [({}, overdue(now))],
        ),
        Gauge(
            "sitrep_paging_audit_holds",
            "1 if the newest audit found nothing overdue and nothing without an outcome, else 0.",
            [({}, float(audit is not None and audit.holds))],
        ),
        Gauge(
            "sitrep_paging_audit_age_seconds",
            "How long ago paging was audited; it is once a minute.",
            [({}, (now - audit.at).total_seconds() if audit is not None else float("inf"))],
        ),
    ]


def pages(now: datetime) -> list[Gauge]:
    """Returns the pages that wait to be sent."""
    waiting = Page.objects.filter(state__in=[Page.State.PENDING, Page.State.SENDING])
    return [
        Gauge("sitrep_pages_waiting", "Pages that are not sent yet.", [({}, waiting.count())]),
        Gauge(
            "sitrep_page_lateness_seconds",
            "How long the oldest waiting page has been due.",
            [({}, lateness(waiting, now))],
        ),
    ]


def raw_events(now: datetime) -> list[Gauge]:
    """Returns the accepted events that have no outcome yet."""
    states = [RawEvent.State.PENDING, RawEvent.State.FAILED]
    counts = by_state(RawEvent.objects.filter(state__in=states), "state")
    audit = last_alert_audit()
    return [
        Gauge("sitrep_raw_events", "Accepted events without an outcome, by state.", labelled("state", states, counts)),
        Gauge(
            "sitrep_raw_event_lateness_seconds",
            "How long the oldest waiting event has been due.",
            [({}, lateness(RawEvent.objects.filter(state=RawEvent.State.PENDING), now))],
        ),
        Gauge(
            "sitrep_held_alert_lateness_seconds",
            "For how long the oldest alert that waits or is muted should have been looked at again.",
            [({}, lateness(Alert.objects.filter(due_at__isnull=False), now))],
        ),
        Gauge(
            "sitrep_alert_audit_holds",
            "1 if the newest audit found that every accepted event has exactly one true outcome in time, else 0.",
            [({}, float(audit is not None and audit.holds))],
        ),
        Gauge(
            "sitrep_alert_audit_age_seconds",
            "How long ago the outcomes of alerts were audited; they are once a minute.",
            [({}, (now - audit.at).total_seconds() if audit is not None else float("inf"))],
        ),
    ]


def outbox(now: datetime) -> list[Gauge]:
    """Returns the deliveries that wait, run or were given up, and how late the oldest waiting one is."""
    states = [Delivery.State.PENDING, Delivery.State.RUNNING, Delivery.State.DEAD]
    counts = by_state(Delivery.objects.filter(state__in=states), "state")
    return [
        Gauge("sitrep_deliveries", "Deliveries of events to handlers, by state.", labelled("state", states, counts)),
        Gauge(
            "sitrep_delivery_lateness_seconds",
            "How long the oldest waiting delivery has been due.",
            [({}, lateness(Delivery.objects.filter(state=Delivery.State.PENDING), now))],
        ),
    ]


def workflows(now: datetime) -> list[Gauge]:
    """Returns the runs that wait or are under way, how late they are, what came of those of the last hour."""
    under_way = [WorkflowRun.State.WAITING, WorkflowRun.State.RUNNING]
    open_runs = WorkflowRun.objects.filter(state__in=under_way)
    outcomes = [state for state in WorkflowRun.State if state not in under_way]
    ended = WorkflowRun.objects.filter(ended_at__gt=now - timedelta(hours=1))
    return [
        Gauge(
            "sitrep_workflow_runs",
            "Runs of workflows that wait or are under way, by state.",
            labelled("state", under_way, by_state(open_runs, "state")),
        ),
        Gauge(
            "sitrep_workflow_run_lateness_seconds",
            "How long the oldest run that could go on has been due.",
            [({}, lateness(open_runs, now))],
        ),
        Gauge(
            "sitrep_workflow_runs_ended",
            "Runs of workflows that ended in the last hour, by what came of them.",
            labelled("state", outcomes, by_state(ended, "state")),
        ),
        Gauge(
            "sitrep_workflows_in_trouble",
            "Workflows that are on and of which a run failed or was stopped within seven days, with none done since.",
            [({}, in_trouble(WorkflowRun.objects.all(), now).count())],
        ),
    ]


def by_state(rows: QuerySet[Any], column: str) -> dict[str, int]:
    """Returns how many rows there are for each value of the column."""
    return dict(rows.order_by().values_list(column).annotate(number=Count("pk")).values_list(column, "number"))


def labelled(label: str, states: Sequence[str], counts: dict[str, int]) -> list[tuple[dict[str, str], float]]:
    """Returns a sample for each state, zero where there is no row."""
    return [({label: str(state)}, counts.get(str(state), 0)) for state in states]


def lateness(rows: QuerySet[Any], now: datetime) -> float:
    """Returns how many seconds ago the oldest `due_at` was; 0 if none has passed."""
    oldest = rows.aggregate(due=Min("due_at"))["due"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
