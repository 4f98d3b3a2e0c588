"""What would become of a payload, and what other routes would have made of past alerts. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.actor import Actor
from alerts.dialects import NormalisedEvent
from alerts.facts import facts_of
from alerts.groups import Place, is_live, is_over
from alerts.ingest import events_of
from alerts.matching import RouteSpec, matching
from alerts.models import Alert, AlertGroup, AlertRoute, RawEvent
from alerts.opening import Names, opened
from alerts.routing import NewAlert, Router, filled
from events.conditions import holds, in_words
from incidents.models import Incident
from oncall.models import EscalationPolicy
from oncall.simulation import Simulation, simulate

Paging = AlertRoute.Paging
SITREP = Actor.system()
MOST_PREVIEWED = 20
MOST_LOOKED_BACK_AT = 5_000
MOST_DIFFERENCES = 50
LOOKS_BACK = timedelta(days=30)


@dataclass(frozen=True)
class RouteSeen:
    """A route that is looked at: what it asks, whether that holds, and whether it decides."""

    route: AlertRoute
    words: str
    holds: bool
    decides: bool


@dataclass
class Foreseen:
    """What would become of one event. Only one that fires is decided about; `alert` is not stored."""

    event: NormalisedEvent
    alert: Alert
    facts: Mapping[str, Any]
    routes: list[RouteSeen] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    policy: EscalationPolicy | None = None
    simulation: Simulation | None = None


def preview(
    raw: RawEvent, now: datetime, *, routes: Sequence[AlertRoute] | None = None, viewer: Actor = SITREP
) -> list[Foreseen]:
    """What would become at `now` of what a source sent, or could send; `raw` need not be stored.

    `routes` stand for the stored ones. At most 20 events of a body are looked at. Incidents that the `viewer` may not
    see are not named. Raises DialectError for what its dialect can't read.
    """
    events = events_of(raw)[:MOST_PREVIEWED]
    router = Router(now, routes)
    names = Names(events, [raw.source])
    return [_foreseen(raw, event, names, router, viewer) for event in events]


def _foreseen(raw: RawEvent, event: NormalisedEvent, names: Names, router: Router, viewer: Actor) -> Foreseen:
    new = opened(raw.source, event, names, router.now)
    new.alert.pk = 0
    found = Foreseen(event, new.alert, facts_of(new.alert))
    if event.status != "firing":
        found.words.append(f"It is about the alert that fires under the key {event.dedup_key}: {event.status}.")
        return found
    firing = Alert.objects.firing().filter(source=raw.source, dedup_key=event.dedup_key).first()
    if firing is not None:
        found.words.append(f"It would only be counted: alert {firing.pk} fires under the same key. If it did not:")
    router.match(new)
    found.facts = new.facts
    found.routes = _seen(new, router)
    found.words += _decided(new, router)
    if new.route is not None:
        _foresee_paging(new, new.route, router, found, viewer)
    return found


def _seen(new: NewAlert, router: Router) -> list[RouteSeen]:
    taken = {spec.route_id for spec in matching(router.specs, new.facts)} if new.alert.muted_by_id is None else set()
    return [
        RouteSeen(route, in_words(route.conditions), holds(route.conditions, new.facts), route.pk in taken)
        for route in router.routes.values()
    ]


def _decided(new: NewAlert, router: Router) -> list[str]:
    """What is decided before anybody is paged, in words."""
    alert = new.alert
    said = [f"It does not know the {each['field']} “{each['text']}”." for each in alert.unresolved]
    said += [f"Route “{route.name}” notifies and lets the next ones be looked at." for route in new.passed]
    if alert.held == Alert.Held.MUTED and alert.due_at:
        return [*said, f"{alert.routing_note}; it pages at {alert.due_at:%Y-%m-%d %H:%M} UTC if it still fires then."]
    if alert.held == Alert.Held.WAITING and alert.route:
        return [*said, f"It waits {alert.route.wait_seconds} seconds whether it ends by itself."]
    if new.route is None:
        return [*said, f"Suppressed: {alert.routing_note}" if alert.outcome == "suppressed" else alert.routing_note]
    return said


def _foresee_paging(new: NewAlert, route: AlertRoute, router: Router, found: Foreseen, viewer: Actor) -> None:
    alert, place = new.alert, new.place
    if place is None or not _joins(place, router, found):
        _foresee_incident(new, route, router, found, viewer)
    found.policy = router.policy_of(new, route)
    if found.policy is None:
        found.words.append("Nobody would be paged.")
        return
    urgency = router.urgency_of(new, route)
    facts = {"severity": alert.severity, "service": alert.service.name if alert.service else alert.service_named}
    found.words.append(f"It would page {found.policy} ({urgency} urgency).")
    found.simulation = simulate(found.policy, router.now, urgency, facts)


def _joins(place: Place, router: Router, found: Foreseen) -> bool:
    """Tells of the group that an alert would join or open; whether it belongs to the incident of one that is there."""
    same = ", ".join(f"{path} = {value}" for path, value in place.values.items())
    open_ones = AlertGroup.objects.select_related("escalation", "incident__status").filter(is_open=True)
    group = open_ones.filter(route=place.key[0], key=place.key[1]).first()
    if group is None or is_over(group, router.now):
        found.words.append(f"It would open a group of {same}.")
        return False
    if is_live(group.escalation):
        found.words.append(f"It would join the open group of {same}: somebody is paged for it already. If it did not:")
        return False
    found.words.append(f"It would join the open group of {same}.")
    return True


def _foresee_incident(new: NewAlert, route: AlertRoute, router: Router, found: Foreseen, viewer: Actor) -> None:
    alert = new.alert
    attached = router.open_incident_of(alert.service) if route.attaches_to_open and alert.service else None
    if attached is not None:
        is_seen = Incident.objects.visible_to(viewer).filter(pk=attached.pk).exists()
        called = attached.reference if is_seen else "the open incident of its service"
        found.words.append(f"It would be attached to {called}.")
    elif route.declares_incident:
        severity = router.severity_of(new, route)
        name = filled(route.name_template, new.facts) or alert.title
        found.words.append(f"It would declare an incident, {severity}: {name}")


# --- Looking back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """An alert about which other routes would have decided otherwise."""

    alert: Alert
    before: AlertRoute | None
    after: AlertRoute | None


@dataclass
class Backtest:
    """What other routes would have made of the alerts since `since`, the newest first.

    `looked_at` of them were looked at, `changed` would have taken another route; `paging_before` and `paging_after`
    are how many a route would have paged for. The alerts are asked as they are now, not as they were when they fired.
    """

    since: datetime
    looked_at: int = 0
    changed: int = 0
    paging_before: int = 0
    paging_after: int = 0
    differences: list[Difference] = field(default_factory=list)
    is_cut: bool = False


def backtest(
    draft: Sequence[AlertRoute],
    now: datetime,
    *,
    since: datetime | None = None,
    most: int = MOST_LOOKED_BACK_AT,
    viewer: Actor = SITREP,
) -> Backtest:
    """Compares the routes as they are with others, over the alerts of the last 30 days, at most `most` of them.

    Those that the `viewer` may not see are not looked at.
    A constant number of queries. Maintenance windows and working hours of then are not asked again.
    """
    found = Backtest(since or now - LOOKS_BACK)
    current = list(AlertRoute.objects.filter(is_enabled=True).order_by("position", "id"))
    before, after = _specs(current), _specs([route for route in draft if route.is_enabled])
    befores, afters = {route.pk: route for route in current}, {route.pk: route for route in draft}
    seen = Alert.objects.visible_to(viewer)
    alerts = seen.select_related("source", "service", "team").filter(first_event_at__gte=found.since)
    rows = list(alerts.order_by("-id")[: most + 1])
    found.is_cut = len(rows) > most
    for alert in rows[:most]:
        facts = facts_of(alert)
        old, new = befores.get(_decider(before, facts)), afters.get(_decider(after, facts))
        found.looked_at += 1
        found.paging_before += _pages(old)
        found.paging_after += _pages(new)
        if _decision(old) != _decision(new):
            found.changed += 1
            if len(found.differences) < MOST_DIFFERENCES:
                found.differences.append(Difference(alert, old, new))
    return found


def with_draft(draft: AlertRoute) -> list[AlertRoute]:
    """The stored routes with one of them changed, or with a new one at their end."""
    stored = list(AlertRoute.objects.select_related("escalation_policy", "severity").order_by("position", "id"))
    if draft._state.adding:
        draft.pk = 0
        return [*stored, draft]
    return [draft if route.pk == draft.pk else route for route in stored]


def _specs(routes: Sequence[AlertRoute]) -> list[RouteSpec]:
    return [RouteSpec(route.pk, route.name, route.conditions, route.continues) for route in routes]


def _decider(specs: Sequence[RouteSpec], facts: Mapping[str, Any]) -> int:
    """The id of the route that decides; one that no route has for none."""
    found = matching(specs, facts)
    return found[-1].route_id if found and not found[-1].continues else -1


def _pages(route: AlertRoute | None) -> bool:
    return route is not None and route.paging not in {Paging.NOBODY, Paging.SUPPRESS}


def _decision(route: AlertRoute | None) -> tuple[Any, ...] | None:
    """What two routes have to have in common to do the same."""
    if route is None:
        return None
    policy = route.escalation_policy_id if route.paging == Paging.POLICY else None
    return (route.pk, route.paging, policy, route.declares_incident, route.urgency, route.wait_seconds)
