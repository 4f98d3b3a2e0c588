"""What an alert learns when it is told of again: attributes are merged, and a priority that rises counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.dialects import NormalisedEvent
from alerts.dialects.mapping import KEPT, Rule, merged
from alerts.grouping import pages_again
from alerts.models import Alert, AlertEntry, AlertRoute
from alerts.opening import actor_of, priority_in
from alerts.routing import NewAlert, Router
from events.locking import locked_rows
from events.rows import inserting, updating, write
from oncall.actions import page_again
from oncall.models import Escalation

# What routes may change in an alert that is stored already.
DECIDED = ["outcome", "held", "due_at", "muted_by", "routing_note", "route", "group", "incident", "escalation"]
FIELDS = {"title": "title", "description": "description", "severity": "severity", "url": "source_url"}
LONGEST = {"title": 300, "severity": 60, "url": 1000}
TOLD = ["title", "description", "severity", "priority", "attributes", "tags", "source_url"]


@dataclass(frozen=True)
class Repeated:
    """A firing alert, and what was told of it again, in the order in which it came."""

    alert_id: int
    events: Sequence[NormalisedEvent]


def apply_repeats(repeated: Sequence[Repeated], router: Router, now: datetime) -> None:
    """Merges what the events say into their alerts, whose rows are locked.

    Where the priority rises and nobody is paged, the routes are asked again; who has acknowledged it is paged again if
    the route says so.
    """
    alerts = firing_for_routes([each.alert_id for each in repeated])
    risen = []
    for each in repeated:
        alert = alerts.get(each.alert_id)
        if alert is None:
            continue
        before = alert.priority
        for event in each.events:
            merge(alert.source.mapping, alert, event)
            if priority_in(event) < alert.priority:
                alert.priority, alert.severity = priority_in(event), event.severity[:60]
        if alert.priority < before:
            risen.append((alert, before))
    write(*updating(list(alerts.values()), TOLD), *inserting([_entry(alert, before, now) for alert, before in risen]))
    asked_again = []
    for alert, before in risen:
        escalation = alert.escalation
        if escalation is None and not alert.held:
            asked_again.append(NewAlert(alert, actor_of(alert.source), waited=True))
        elif escalation is not None and escalation.status == Escalation.Status.ACKNOWLEDGED:
            joining = alert.route.joining if alert.route else AlertRoute.Joining.RISES
            if pages_again(joining, alert.priority, before):
                page_again(actor=actor_of(alert.source), escalation=escalation, now=now)
    decide_again(asked_again, router)


def firing_for_routes(ids: Sequence[int]) -> dict[int, Alert]:
    """Alerts that fire, locked, with all that routes look at."""
    found = locked_rows(
        Alert.objects.select_related(
            "source__team", "service__escalation_policy", "team", "route", "escalation", "incident__status"
        )
        .filter(pk__in=ids, status=Alert.Status.FIRING)
        .order_by("pk")
    )
    return {alert.pk: alert for alert in found}


def decide_again(asked: Sequence[NewAlert], router: Router) -> None:
    """Lets the routes decide about alerts that are stored already, and stores what they decide."""
    if asked:
        router.apply_routes(asked)
        write(*updating([each.alert for each in asked], DECIDED), *router.parts())


def merge(mapping: Sequence[Rule], alert: Alert, event: NormalisedEvent) -> None:
    """Takes over from a repeat what the mapping says; `first` leaves what is there, and fills what is not."""
    for rule in mapping:
        name, strategy = rule["field"], rule.get("merge", "first")
        if name == "tags":
            alert.tags = merged(alert.tags, list(event.tags), strategy) or []
        elif name in FIELDS:
            said = merged(getattr(alert, FIELDS[name]), getattr(event, FIELDS[name]), strategy) or ""
            setattr(alert, FIELDS[name], said[: LONGEST.get(name)])
        elif name not in KEPT:
            value = merged(alert.attributes.get(name), event.attributes.get(name), strategy)
            if value is not None:
                alert.attributes[name] = value


def _entry(alert: Alert, before: int, now: datetime) -> AlertEntry:
    text = f"The priority rose from P{before} to P{alert.priority}" + (f" ({alert.severity})" if alert.severity else "")
    return AlertEntry(alert=alert, at=now, kind="priority", text=text, author=alert.source.name)
