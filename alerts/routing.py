"""What becomes of a new alert: the first route that matches pages, declares, attaches, or only records."""

from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings

from accounts.actor import Actor
from alerts.matching import RouteSpec, first_match
from alerts.models import Alert, AlertRoute, RawEvent
from catalog.urgency import is_loud, urgency_of
from events.actions import publish
from incidents.actions import declare_incident
from incidents.models import Incident, TimelineEntry
from incidents.paging import attach_escalation
from incidents.timeline import add_entry
from oncall.actions import start_escalation
from oncall.models import Escalation, EscalationPolicy
from oncall.paths import freeze

Outcome = RawEvent.Outcome


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
    """The routes and frozen policies as they are now, read once for a batch of alerts."""

    def __init__(self) -> None:
        self._paths: dict[tuple[int, str], dict[str, Any]] = {}

    @cached_property
    def routes(self) -> dict[int, AlertRoute]:
        enabled = AlertRoute.objects.filter(is_enabled=True).select_related(
            "escalation_policy", "severity", "incident_type"
        )
        return {route.pk: route for route in enabled.order_by("position", "id")}

    @cached_property
    def specs(self) -> list[RouteSpec]:
        return [RouteSpec(route.pk, route.name, route.conditions) for route in self.routes.values()]

    def path_of(self, policy: EscalationPolicy, urgency: str, facts: dict[str, str]) -> dict[str, Any]:
        """The frozen policy: read once for the batch, unless it is another one for each alert."""
        key = (policy.pk, urgency)
        if key not in self._paths:
            path = freeze(policy, urgency=urgency, facts=facts)
            if not path["is_shared"]:
                return path
            self._paths[key] = path
        return self._paths[key]

    def apply_route(self, *, alert: Alert, actor: Actor, now: datetime) -> str:
        """Decides about a new alert in the caller's transaction and returns the outcome."""
        match = first_match(self.specs, facts_of(alert))
        if match is None:
            return self._record(alert, actor, "No route matched: nobody was paged.")
        route = self.routes[match.route_id]
        alert.route = route
        incident = self._incident(alert, route, actor, now) if route.declares_incident else None
        if incident is not None and alert.escalation is not None:
            alert.save(update_fields=["route", "incident", "escalation"])
            return Outcome.ATTACHED
        policy = self._policy(alert, route)
        if policy is None:
            note = f"Route “{route.name}” pages nobody"
            if route.paging == AlertRoute.Paging.SERVICE:
                note += ": the alert's service has no escalation policy, and the route names none in its place"
            outcome = self._record(alert, actor, note + ".")
            return Outcome.ATTACHED if incident else outcome
        alert.escalation = self._page(alert, policy, incident, actor, now)
        alert.save(update_fields=["route", "incident", "escalation"])
        return Outcome.PAGED

    def _record(self, alert: Alert, actor: Actor, note: str) -> str:
        alert.routing_note = note[:300]
        alert.save(update_fields=["route", "incident", "routing_note"])
        publish("alert.paged_nobody", subject=alert, actor=actor, data={"why": note})
        return Outcome.RECORDED

    def _policy(self, alert: Alert, route: AlertRoute) -> EscalationPolicy | None:
        if route.paging == AlertRoute.Paging.NOBODY:
            return None
        if route.paging == AlertRoute.Paging.SERVICE and alert.service and alert.service.escalation_policy:
            return alert.service.escalation_policy
        return route.escalation_policy

    def _incident(self, alert: Alert, route: AlertRoute, actor: Actor, now: datetime) -> Incident:
        """The open incident that the same route has declared for the same service, else a new one."""
        incident = None
        if alert.service is not None:
            joined = (
                Alert.objects.filter(
                    route=route, service=alert.service, incident__in=Incident.objects.open(), status=Alert.Status.FIRING
                )
                .exclude(pk=alert.pk)
                .select_related("incident", "escalation")
                .order_by("id")
                .first()
            )
            if joined is not None:
                incident = joined.incident
                still_open = joined.escalation is not None and joined.escalation.is_open
                alert.escalation = joined.escalation if still_open else None
        if incident is None:
            if route.severity is None:
                raise ValueError(f"Route {route.name} declares incidents without a severity.")
            incident = declare_incident(
                actor=actor,
                name=alert.title,
                summary=alert.description,
                severity=route.severity,
                incident_type=route.incident_type,
                services=[alert.service] if alert.service else [],
                started_at=min(alert.started_at, now),
                detected_at=now,
                now=now,
            )
        alert.incident = incident
        add_entry(
            incident=incident,
            actor=actor,
            kind=TimelineEntry.Kind.ALERT,
            text=f"alert “{alert.title}” firing",
            now=now,
            data={"alert": alert.pk},
        )
        return incident

    def _page(
        self, alert: Alert, policy: EscalationPolicy, incident: Incident | None, actor: Actor, now: datetime
    ) -> Escalation:
        facts = {
            "severity": alert.severity,
            "service": alert.service.name if alert.service else alert.service_named,
            "source": alert.source.name,
            "alert": f"{settings.PUBLIC_URL}{alert.get_absolute_url()}",
        }
        if incident is not None:
            facts["incident"] = incident.reference
        known = {key: value for key, value in facts.items() if value}
        severe = is_loud(alert.severity)
        urgency = (alert.route.urgency if alert.route else "") or urgency_of(alert.service, is_severe=severe, now=now)
        escalation = start_escalation(
            actor=actor,
            policy=policy,
            title=alert.title,
            detail=alert.description,
            facts=known,
            urgency=urgency,
            is_private=incident is not None and incident.is_private,
            path=self.path_of(policy, urgency, known),
            now=now,
        )
        if incident is not None:
            attach_escalation(actor=actor, incident=incident, escalation=escalation, now=now)
        return escalation
