"""What becomes of alerts: muted, suppressed, left to wait, declared or attached, grouped, paged, or only recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings

from accounts.actor import Actor
from alerts.facts import facts_of
from alerts.groups import Groups, Place, is_live, place_of
from alerts.matching import RouteSpec, matching
from alerts.models import Alert, AlertGroup, AlertRoute, Outcome
from alerts.muting import Mute, muting
from catalog.models import Service
from catalog.priorities import is_loud
from catalog.urgency import urgency_of
from events.actions import Fact
from events.prepared import Prepared, told
from events.rows import Part
from events.templates import BadTemplate, fill
from incidents.actions import declare_incident
from incidents.models import Incident, IncidentStatus, Severity, StatusCategory, TimelineEntry
from incidents.paging import attach_escalation
from incidents.timeline import add_entry
from oncall.actions import Start, page_again, start_escalations
from oncall.hours import is_working_hours
from oncall.models import Escalation, EscalationPolicy, Schedule
from oncall.paths import Path, freeze
from oncall.roster import schedule_specs

Paging = AlertRoute.Paging
HOURS = "working_hours."
A_WINDOW_RUNS = """
EXISTS (SELECT FROM alerts_maintenancewindow WHERE canceled_at IS NULL AND from_at <= {now} AND until_at > {now})
"""
NOTICES = "ARRAY(SELECT id FROM alerts_routenotice WHERE route_id = alerts_alertroute.id ORDER BY id)"
# Whether a window runs is asked along with the routes: most of the time none does.
ROUTES = Prepared(
    lambda: (
        AlertRoute.objects.filter(is_enabled=True)
        .select_related("escalation_policy", "severity")
        .annotate(a_window_runs=told(A_WINDOW_RUNS), notice_ids=told(NOTICES))
        .order_by("position", "id")
    )
)


@dataclass(eq=False)
class NewAlert:
    """An alert that is to be decided about, and whose signal it is.

    `policy` is the one that the sender asks for, if it does. One that `waited` does not wait again.
    """

    alert: Alert
    actor: Actor
    policy: EscalationPolicy | None = None
    waited: bool = False
    # What is decided:
    facts: dict[str, Any] = field(default_factory=dict)
    route: AlertRoute | None = None
    place: Place | None = None
    passed: list[AlertRoute] = field(default_factory=list)
    told: list[Fact] = field(default_factory=list)
    start: Start | None = None
    leads: AlertGroup | None = None
    follows: "NewAlert | None" = None


class Router:
    """The windows, routes and frozen policies as they are now, read once for all alerts of a batch.

    `routes` stand for the stored ones where others are to be tried.
    """

    def __init__(self, now: datetime, routes: Sequence[AlertRoute] | None = None) -> None:
        self.now = now
        self._draft = routes
        self._paths: dict[tuple[int, str], Path] = {}
        self._leaders: dict[int, NewAlert] = {}
        self._groups = Groups([], now)

    # --- What is read once --------------------------------------------------------------------------------------------

    @cached_property
    def routes(self) -> dict[int, AlertRoute]:
        """Those that are switched on, in their order; or those that are to be tried."""
        if self._draft is not None:
            return {route.pk: route for route in self._draft if route.is_enabled}
        return {route.pk: route for route in ROUTES(now=self.now)}

    @cached_property
    def specs(self) -> list[RouteSpec]:
        return [RouteSpec(route.pk, route.name, route.conditions, route.continues) for route in self.routes.values()]

    @cached_property
    def _mutes(self) -> list[Mute]:
        # (routes that are to be tried do not tell)
        a_window_runs = [getattr(route, "a_window_runs", True) for route in self.routes.values()]
        return [] if a_window_runs and not a_window_runs[0] else muting(self.now)

    @cached_property
    def _hours(self) -> dict[str, bool]:
        """Whether it is working time on each schedule; read only if a route asks."""
        if not any(HOURS in str(route.conditions) for route in self.routes.values()):
            return {}
        slugs = dict(Schedule.objects.values_list("pk", "slug"))
        specs = schedule_specs(self.now, self.now, set(slugs))
        return {slugs[pk]: is_working_hours(spec, self.now) for pk, spec in specs.items()}

    @cached_property
    def _severities(self) -> dict[str, Severity]:
        return {severity.slug: severity for severity in Severity.objects.all()}

    @cached_property
    def _triage(self) -> IncidentStatus | None:
        return (
            IncidentStatus.objects.filter(category=StatusCategory.TRIAGE, is_active=True).order_by("position").first()
        )

    @cached_property
    def team_policies(self) -> dict[int, EscalationPolicy]:
        """The policy of each team: of several the first by name."""
        owned = EscalationPolicy.objects.exclude(team=None).order_by("-name")
        return {policy.team_id: policy for policy in owned if policy.team_id is not None}

    # --- Deciding -----------------------------------------------------------------------------------------------------

    def apply_routes(self, new: Sequence[NewAlert]) -> None:
        """Decides about alerts that have their ids, and pages for them; the caller stores them in its transaction.

        The caller also writes `parts()`. The number of statements grows with the incidents that are declared or joined,
        not with the alerts that page.
        """
        for each in new:
            self.match(each)
        self._groups = Groups((each.place for each in new if each.place is not None), self.now)
        self._leaders = {}
        for each in new:
            for passed in each.passed:
                if passed.declares_incident and each.alert.incident is None:
                    each.alert.incident, each.alert.outcome = self._declare(each, passed), Outcome.ATTACHED
                    self._tell_incident(each, each.alert.incident)
            if each.route is not None:
                self._handle(each, each.route)
        self._page(new)

    def parts(self) -> list[Part]:
        """What stores the groups that the alerts have joined or opened; once."""
        parts, self._groups = self._groups.parts(), Groups([], self.now)
        return parts

    def match(self, new: NewAlert) -> None:
        """Sets the route by which it is to be handled, unless that is over already: muted, suppressed or waiting.

        Nothing is written, and nobody told.
        """
        alert = new.alert
        # (a window that muted it until now stays named: it shows what it held back)
        alert.held, alert.due_at, alert.routing_note = "", None, ""
        alert.outcome = Outcome.RECORDED
        new.facts = {**facts_of(alert), "working_hours": self._hours}
        if not new.waited:
            seen = {"source": alert.source.slug, "severity": alert.severity, "priority": alert.priority}
            new.told.append(Fact("alert.fired", alert, seen, new.actor))
        mute = next((mute for mute in self._mutes if self._is_muted(new, mute)), None)
        if mute is not None:
            self._mute(new, mute)
            return
        matched = [self.routes[spec.route_id] for spec in matching(self.specs, new.facts)]
        new.passed = [route for route in matched if route.continues]
        for each in new.passed:
            self._notify(new, each)
        if not matched or matched[-1].continues:
            alert.route = matched[-1] if matched else None
            self._nobody(new, self._why_nobody(alert.route))
            return
        route = matched[-1]
        alert.route = route
        if route.paging == Paging.SUPPRESS:
            alert.outcome, alert.routing_note = Outcome.SUPPRESSED, route.suppress_reason or f"by {route.name}"
            why = {"route": route.name, "why": alert.routing_note}
            new.told.append(Fact("alert.suppressed", alert, why, new.actor))
        elif route.wait_seconds and not new.waited:
            alert.outcome, alert.held = Outcome.WAITING, Alert.Held.WAITING
            alert.due_at = self.now + timedelta(seconds=route.wait_seconds)
            new.told.append(Fact("alert.waits", alert, {"route": route.name, "seconds": route.wait_seconds}, new.actor))
        else:
            self._notify(new, route)
            new.route, new.place = route, place_of(route, new.facts)

    def _is_muted(self, new: NewAlert, mute: Mute) -> bool:
        alert = new.alert
        return mute.mutes(service_id=alert.service_id, source_id=alert.source_id, facts=new.facts)

    def _mute(self, new: NewAlert, mute: Mute) -> None:
        alert = new.alert
        alert.outcome, alert.held = Outcome.SUPPRESSED, Alert.Held.MUTED
        alert.muted_by_id, alert.due_at, alert.routing_note = mute.window_id, mute.until, mute.why[:300]
        told = {"window": mute.window_id, "until": mute.until.isoformat(), "why": mute.why}
        new.told.append(Fact("alert.muted", alert, told, new.actor))

    def _notify(self, new: NewAlert, route: AlertRoute) -> None:
        for notice_id in getattr(route, "notice_ids", ()):
            new.told.append(Fact("alert.noticed", new.alert, {"notice": notice_id, "route": route.name}, new.actor))

    def _handle(self, new: NewAlert, route: AlertRoute) -> None:
        """Groups it, ties it to an incident, and says whom to page, if what it joins does not page already."""
        alert, place = new.alert, new.place
        group = self._groups.find(place) if place is not None else None
        if place is not None and group is not None:
            if self._join(new, place, group):
                return
        else:
            self._to_incident(new, route)
            if place is not None:
                group = self._groups.open(place, alert.priority)
                group.incident, group.escalation = alert.incident, alert.escalation
        if group is not None:
            alert.group, new.leads = group, group
            self._leaders[group.pk] = new
        if alert.incident is not None:
            alert.outcome = Outcome.ATTACHED
        if alert.escalation is not None:
            return
        policy = self.policy_of(new, route)
        if policy is None:
            self._nobody(new, self._why_nobody(route))
        else:
            new.start, alert.outcome = self._start(new, route, policy), Outcome.PAGED

    def _join(self, new: NewAlert, place: Place, group: AlertGroup) -> bool:
        """Ties it to the open group; whether somebody is paged for that already, or has it."""
        alert = new.alert
        again = self._groups.join(place, group, alert.priority)
        alert.group = group
        leader = self._leaders.get(group.pk)
        alert.incident = group.incident
        if group.incident is not None:
            self._tell_incident(new, group.incident)
            new.told.append(Fact("alert.joined", alert, {"incident": group.incident.number}, new.actor))
        alert.outcome = Outcome.ATTACHED if alert.incident is not None else Outcome.GROUPED
        if leader is not None and leader.start is not None:
            new.follows = leader
            return True
        if not is_live(group.escalation):
            return False
        alert.escalation = group.escalation
        if again and alert.escalation is not None and alert.escalation.status == Escalation.Status.ACKNOWLEDGED:
            group.escalation = alert.escalation = page_again(actor=new.actor, escalation=alert.escalation, now=self.now)
            alert.outcome = Outcome.PAGED
        return True

    def _page(self, new: Sequence[NewAlert]) -> None:
        """Starts what is to page, tells what happened, and gives each alert its escalation."""
        paging = [(each, each.start) for each in new if each.start is not None]
        causes = [fact for each in new for fact in each.told]
        started = start_escalations([start for _each, start in paging], now=self.now, moves_at_once=True, causes=causes)
        for (each, _start), escalation in zip(paging, started, strict=True):
            each.alert.escalation = escalation
            if each.leads is not None:
                each.leads.escalation = escalation
                self._groups.change(each.leads)
            if each.alert.incident is not None:
                attach_escalation(actor=each.actor, incident=each.alert.incident, escalation=escalation, now=self.now)
        for each in new:
            if each.follows is not None:
                each.alert.escalation = each.follows.alert.escalation

    # --- Whom to page -------------------------------------------------------------------------------------------------

    def _nobody(self, new: NewAlert, why: str) -> None:
        new.alert.routing_note = why[:300]
        new.told.append(Fact("alert.paged_nobody", new.alert, {"why": why}, new.actor))

    def _why_nobody(self, route: AlertRoute | None) -> str:
        if route is None:
            return "No route matched: nobody was paged."
        owners = {Paging.SERVICE: "the alert's service", Paging.TEAM: "the alert's team"}
        owner = owners.get(Paging(route.paging))
        why = f": {owner} has no escalation policy, and the route names none in its place" if owner else ""
        return f"Route “{route.name}” pages nobody{why}."

    def policy_of(self, new: NewAlert, route: AlertRoute) -> EscalationPolicy | None:
        """Whom a route pages for it; None for nobody."""
        alert = new.alert
        if route.paging == Paging.NOBODY:
            return None
        if route.paging in {Paging.SERVICE, Paging.TEAM} and new.policy is not None:
            return new.policy
        if route.paging == Paging.SERVICE and alert.service and alert.service.escalation_policy:
            return alert.service.escalation_policy
        if route.paging == Paging.TEAM and alert.team_id in self.team_policies:
            return self.team_policies[alert.team_id]
        return route.escalation_policy

    def _start(self, new: NewAlert, route: AlertRoute, policy: EscalationPolicy) -> Start:
        """Whom to page by it, and what the page says."""
        alert = new.alert
        facts = {
            "severity": alert.severity,
            "service": alert.service.name if alert.service else alert.service_named,
            "source": alert.source.name,
            "alert": f"{settings.PUBLIC_URL}{alert.get_absolute_url()}",
            "unknown": ", ".join(f"{each['field']} {each['text']}" for each in alert.unresolved),
        }
        if alert.incident is not None:
            facts["incident"] = alert.incident.reference
        known = {key: value for key, value in facts.items() if value}
        urgency = self.urgency_of(new, route)
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

    def urgency_of(self, new: NewAlert, route: AlertRoute) -> str:
        """How loudly: as the route says, or the service."""
        severe = is_loud(new.alert.severity)
        return route.urgency or urgency_of(new.alert.service, is_severe=severe, now=self.now)

    def _path_of(self, policy: EscalationPolicy, urgency: str, facts: dict[str, str]) -> Path:
        """The frozen policy: read once for the batch, unless it is another one for each alert."""
        key = (policy.pk, urgency)
        if key not in self._paths:
            path = freeze(policy, urgency=urgency, facts=facts)
            if not path["is_shared"]:
                return path
            self._paths[key] = path
        return self._paths[key]

    # --- Incidents ----------------------------------------------------------------------------------------------------

    def _to_incident(self, new: NewAlert, route: AlertRoute) -> None:
        """Ties it to the open incident of its service, or to a new one, as the route says."""
        alert = new.alert
        if route.attaches_to_open and alert.service is not None and alert.incident is None:
            open_one = self.open_incident_of(alert.service)
            if open_one is not None:
                alert.incident = open_one
                # Who works on the incident has this too; if nobody is asked any more, somebody is paged.
                alert.escalation = open_one.escalations.all().open().order_by("-id").first()
                self._tell_incident(new, open_one)
                new.told.append(Fact("alert.joined", alert, {"incident": open_one.number}, new.actor))
                return
        if route.declares_incident and alert.incident is None:
            alert.incident = self._declare(new, route)
            self._tell_incident(new, alert.incident)

    def open_incident_of(self, service: Service) -> Incident | None:
        """The incident that an alert of a service is attached to: of those that are open the first."""
        open_ones = Incident.objects.open().filter(affected_services__service=service, mode=Incident.Mode.STANDARD)
        return open_ones.select_related("status", "severity").order_by("id").first()

    def _tell_incident(self, new: NewAlert, incident: Incident) -> None:
        add_entry(
            incident=incident,
            actor=new.actor,
            kind=TimelineEntry.Kind.ALERT,
            text=f"alert “{new.alert.title}” firing",
            now=self.now,
            data={"alert": new.alert.pk},
        )

    def severity_of(self, new: NewAlert, route: AlertRoute) -> Severity | None:
        """The severity of the incident that a route declares for it."""
        mapped = {said.casefold(): slug for said, slug in route.severity_map.items()}
        found = self._severities.get(mapped.get(new.alert.severity.casefold(), "")) if mapped else None
        return found or route.severity

    def _declare(self, new: NewAlert, route: AlertRoute) -> Incident:
        alert = new.alert
        severity = self.severity_of(new, route)
        if severity is None:
            raise ValueError(f"Route {route.name} declares incidents without a severity.")
        return declare_incident(
            actor=new.actor,
            name=filled(route.name_template, new.facts) or alert.title,
            summary=filled(route.summary_template, new.facts) or alert.description,
            severity=severity,
            incident_type=route.incident_type,
            status=self._triage if route.in_triage else None,
            services=[alert.service] if alert.service else [],
            started_at=min(alert.started_at, self.now),
            detected_at=self.now,
            policy=self.policy_of(new, route),
            team_id=alert.team_id or alert.source.team_id,
            now=self.now,
        )


def filled(template: str, facts: dict[str, Any]) -> str:
    """The text of a route's template; nothing for one that goes beyond its limits: the alert's own words will do."""
    try:
        return fill(template, facts) if template else ""
    except BadTemplate:
        return ""
