"""What becomes of new alerts: the first route that matches pages, declares, attaches, or only records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings

from accounts.actor import Actor
from alerts.matching import RouteSpec, first_match
from alerts.models import Alert, AlertRoute, Outcome
from catalog.urgency import is_loud, urgency_of
from events.actions import Fact
from incidents.actions import declare_incident
from incidents.models import Incident, TimelineEntry
from incidents.paging import attach_escalation
from incidents.timeline import add_entry
from oncall.actions import Start, start_escalations
from oncall.models import EscalationPolicy
from oncall.paths import Path, freeze


@dataclass(eq=False)
class NewAlert:
    """An alert that is about to be stored, whose signal it is, and what is decided about it."""

    alert: Alert
    actor: Actor
    outcome: str = Outcome.RECORDED
    start: Start | None = None
    joins: "NewAlert | None" = None


def facts_of(alert: Alert) -> dict[str, Any]:
    """What route conditions can ask about an alert. Attributes stand under `attributes.` and by their names."""
    service = alert.service
    facts = {
        "title": alert.title,
        "description": alert.description,
        "severity": alert.severity,
        "source": alert.source.slug,
        "service": service.slug if service else alert.service_named,
        "dedup_key": alert.dedup_key,
        "attributes": alert.attributes,
    }
    if service:
        facts["tier"] = service.tier
        facts["team"] = service.team.slug if service.team else ""
    return {**alert.attributes, **facts}


class Router:
    """The routes and frozen policies as they are now, read once for all alerts of a batch."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._paths: dict[tuple[int, str], Path] = {}
        self._leaders: dict[tuple[int, int], NewAlert] = {}

    @cached_property
    def routes(self) -> dict[int, AlertRoute]:
        enabled = AlertRoute.objects.filter(is_enabled=True).select_related("escalation_policy")
        return {route.pk: route for route in enabled.order_by("position", "id")}

    @cached_property
    def specs(self) -> list[RouteSpec]:
        return [RouteSpec(route.pk, route.name, route.conditions) for route in self.routes.values()]

    def apply_routes(self, new: Sequence[NewAlert]) -> None:
        """Decides about alerts that have their ids, and pages for them; the caller stores them in its transaction.

        The number of statements grows with the incidents that are declared or joined, not with the alerts that page.
        """
        self._leaders = {}
        causes = [fact for each in new for fact in self._decide(each)]
        paging = [(each, each.start) for each in new if each.start is not None]
        starts = [start for _each, start in paging]
        started = start_escalations(starts, now=self.now, moves_at_once=True, causes=causes)
        for (each, _start), escalation in zip(paging, started, strict=True):
            each.alert.escalation = escalation
            if each.alert.incident is not None:
                attach_escalation(actor=each.actor, incident=each.alert.incident, escalation=escalation, now=self.now)
        for each in new:
            if each.joins is not None:
                each.alert.escalation = each.joins.alert.escalation

    def _decide(self, new: NewAlert) -> list[Fact]:
        """Sets the route, the incident, the outcome and whom to page; returns what there is to tell."""
        alert, actor = new.alert, new.actor
        fired = Fact("alert.fired", alert, {"source": alert.source.slug, "severity": alert.severity}, actor)
        match = first_match(self.specs, facts_of(alert))
        if match is None:
            return [fired, self._nobody(new, "No route matched: nobody was paged.")]
        route = alert.route = self.routes[match.route_id]
        if route.declares_incident:
            self._to_incident(new, route)
            new.outcome = Outcome.ATTACHED
            if new.joins is not None or alert.escalation is not None:
                return [fired]
        policy = self._policy(alert, route)
        if policy is None:
            note = f"Route “{route.name}” pages nobody"
            if route.paging == AlertRoute.Paging.SERVICE:
                note += ": the alert's service has no escalation policy, and the route names none in its place"
            return [fired, self._nobody(new, note + ".")]
        new.start, new.outcome = self._start(new, policy), Outcome.PAGED
        return [fired]

    def _nobody(self, new: NewAlert, why: str) -> Fact:
        new.alert.routing_note = why[:300]
        return Fact("alert.paged_nobody", new.alert, {"why": why}, new.actor)

    def _policy(self, alert: Alert, route: AlertRoute) -> EscalationPolicy | None:
        if route.paging == AlertRoute.Paging.NOBODY:
            return None
        if route.paging == AlertRoute.Paging.SERVICE and alert.service and alert.service.escalation_policy:
            return alert.service.escalation_policy
        return route.escalation_policy

    def _to_incident(self, new: NewAlert, route: AlertRoute) -> None:
        """Ties it to the open incident that the same route has declared for the same service, else to a new one."""
        alert = new.alert
        key = (route.pk, alert.service.pk) if alert.service else None
        leader = self._leaders.get(key) if key else None
        if leader is not None:
            alert.incident = leader.alert.incident
            if leader.start is not None:
                new.joins = leader
            else:
                alert.escalation = leader.alert.escalation
        elif key is not None:
            self._join(alert, *key)
        if alert.incident is None:
            alert.incident = self._declare(new, route)
        if key is not None and leader is None:
            self._leaders[key] = new
        add_entry(
            incident=alert.incident,
            actor=new.actor,
            kind=TimelineEntry.Kind.ALERT,
            text=f"alert “{alert.title}” firing",
            now=self.now,
            data={"alert": alert.pk},
        )

    def _join(self, alert: Alert, route_id: int, service_id: int) -> None:
        """Gives it the incident of an alert that fires already, and its escalation while that is open."""
        joined = (
            Alert.objects.filter(
                route=route_id,
                service=service_id,
                incident__in=Incident.objects.open(),
                status=Alert.Status.FIRING,
            )
            .select_related("incident", "escalation")
            .order_by("id")
            .first()
        )
        if joined is not None:
            alert.incident = joined.incident
            alert.escalation = joined.escalation if joined.escalation and joined.escalation.is_open else None

    def _declare(self, new: NewAlert, route: AlertRoute) -> Incident:
        alert = new.alert
        if route.severity is None:
            raise ValueError(f"Route {route.name} declares incidents without a severity.")
        return declare_incident(
            actor=new.actor,
            name=alert.title,
            summary=alert.description,
            severity=route.severity,
            incident_type=route.incident_type,
            services=[alert.service] if alert.service else [],
            started_at=min(alert.started_at, self.now),
            detected_at=self.now,
            now=self.now,
        )

    def _start(self, new: NewAlert, policy: EscalationPolicy) -> Start:
        """Whom to page by it, and what the page says."""
        alert = new.alert
        facts = {
            "severity": alert.severity,
            "service": alert.service.name if alert.service else alert.service_named,
            "source": alert.source.name,
            "alert": f"{settings.PUBLIC_URL}{alert.get_absolute_url()}",
        }
        if alert.incident is not None:
            facts["incident"] = alert.incident.reference
        known = {key: value for key, value in facts.items() if value}
        urgency = (alert.route.urgency if alert.route else "") or urgency_of(
            alert.service, is_severe=is_loud(alert.severity), now=self.now
        )
        return Start(
            new.actor,
            policy,
            alert.title,
            detail=alert.description,
            facts=known,
            urgency=urgency,
            is_private=alert.incident is not None and alert.incident.is_private,
            path=self._path_of(policy, urgency, known),
        )

    def _path_of(self, policy: EscalationPolicy, urgency: str, facts: dict[str, str]) -> Path:
        """The frozen policy: read once for the batch, unless it is another one for each alert."""
        key = (policy.pk, urgency)
        if key not in self._paths:
            path = freeze(policy, urgency=urgency, facts=facts)
            if not path["is_shared"]:
                return path
            self._paths[key] = path
        return self._paths[key]
