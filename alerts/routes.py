"""Every write on alert routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Max, Q

from accounts.actor import Actor
from accounts.models import Team, User
from alerts.actions import NOT_A_MANAGER
from alerts.facts import FACT
from alerts.models import AlertRoute, RouteNotice
from alerts.permissions import can_configure
from events.actions import publish
from events.conditions import BadCondition, check
from events.errors import Conflict, Invalid, require
from events.outbound import AddressRefused
from events.templates import BadTemplate, check_template
from incidents.kinds import refuse_severity
from incidents.models import IncidentType, Severity
from oncall.channels.apprise import parse as check_chat
from oncall.models import EscalationPolicy
from oncall.paging_tests import holding_tests, refuse_broken_tests

LONGEST_WAIT_SECONDS = 24 * 3600
LONGEST_GROUP_MINUTES = 30 * 24 * 60
MOST_GROUPED_BY = 10
MOST_NOTICES = 20


class RouteFields(TypedDict, total=False):
    """What can be said about a route; what is left out stays as it was, or is as the model has it."""

    is_enabled: bool
    continues: bool
    escalation_policy: EscalationPolicy | None
    urgency: str
    suppress_reason: str
    wait_seconds: int
    declares_incident: bool
    attaches_to_open: bool
    in_triage: bool
    severity: Severity | None
    severity_map: dict[str, str]
    incident_type: IncidentType | None
    name_template: str
    summary_template: str
    group_by: list[str]
    group_minutes: int | None
    group_window: str
    joining: str


@dataclass(frozen=True)
class Notice:
    """Whom a route notifies: a person, a team, or a chat or webhook with its name and address.

    An empty address of a place that the route names already stays what it was: it is never shown again.
    """

    kind: str
    user: User | None = None
    team: Team | None = None
    name: str = ""
    address: str = ""


@transaction.atomic
def save_route(
    *,
    actor: Actor,
    name: str,
    conditions: dict[str, Any],
    paging: str,
    now: datetime,
    route: AlertRoute | None = None,
    notices: Sequence[Notice] | None = None,
    override_reason: str = "",
    **fields: Unpack[RouteFields],
) -> AlertRoute:
    """Makes a route at the end of the list, or changes one. `notices` replaces whom it notifies.

    Raises Conflict if it breaks a paging test, unless an `override_reason` is given.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    held = holding_tests(now)
    created = route is None
    route = draft_route(name=name, conditions=conditions, paging=paging, route=route, **fields)
    if AlertRoute.objects.filter(name__iexact=route.name).exclude(pk=route.pk or 0).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    if created:
        route.position = (AlertRoute.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    route.save()
    if notices is not None:
        _replace_notices(route, notices)
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)
    event = "alert_route.created" if created else "alert_route.changed"
    publish(event, subject=route, actor=actor, data={"name": route.name})
    return route


def draft_route(
    *,
    name: str,
    conditions: dict[str, Any],
    paging: str,
    route: AlertRoute | None = None,
    **fields: Unpack[RouteFields],
) -> AlertRoute:
    """The route as it would be, checked but not stored; raises Invalid."""
    is_new = route is None
    route = route or AlertRoute(position=0)
    route.name, route.conditions, route.paging = name.strip(), conditions, paging
    for field, value in fields.items():
        setattr(route, field, value)
    if is_new and route.declares_incident and "group_by" not in fields:
        # What happens to one service at one time is one incident, unless somebody wants it otherwise.
        route.group_by = ["service"]
    _check(route)
    return route


def _check(route: AlertRoute) -> None:
    if not route.name:
        raise Invalid("A route needs a name.", field="name")
    try:
        check(route.conditions)
    except BadCondition as error:
        raise Invalid(str(error), field="conditions") from error
    if route.paging not in AlertRoute.Paging.values:
        allowed = ", ".join(AlertRoute.Paging.values)
        raise Invalid(f"{route.paging!r} is not a way of paging.", field="paging", remedy=f"Use {allowed}.")
    if route.paging == AlertRoute.Paging.POLICY and route.escalation_policy is None:
        raise Invalid("Choose the policy to page.", field="escalation_policy")
    if route.declares_incident and route.severity is None:
        raise Invalid("Choose the severity of the incidents that it declares.", field="severity")
    if route.continues and route.paging != AlertRoute.Paging.NOBODY:
        reason = "A route that lets the next ones be looked at leaves paging to them."
        raise Invalid(reason, field="continues", remedy="Let it page nobody, or let it end the list.")
    if route.paging == AlertRoute.Paging.SUPPRESS and route.declares_incident:
        raise Invalid("What is suppressed declares no incident.", field="declares_incident", remedy="Choose one.")
    if not 0 <= route.wait_seconds <= LONGEST_WAIT_SECONDS:
        raise Invalid("Wait for at most a day.", field="wait_seconds", remedy="Use a number of seconds up to 86400.")
    _check_grouping(route)
    _check_incident(route)


def _check_grouping(route: AlertRoute) -> None:
    paths = route.group_by
    if len(paths) > MOST_GROUPED_BY or not all(isinstance(path, str) and FACT.fullmatch(path) for path in paths):
        remedy = f"Name at most {MOST_GROUPED_BY} facts, such as service or labels.cluster."
        raise Invalid("These are not facts to group by.", field="group_by", remedy=remedy)
    if route.group_minutes is not None and not 0 < route.group_minutes <= LONGEST_GROUP_MINUTES:
        raise Invalid("The window is from a minute to 30 days long.", field="group_minutes")
    for field, allowed in (("group_window", AlertRoute.Window.values), ("joining", AlertRoute.Joining.values)):
        if getattr(route, field) not in allowed:
            raise Invalid(f"{getattr(route, field)!r} is not known.", field=field, remedy=f"Use {', '.join(allowed)}.")


def _check_incident(route: AlertRoute) -> None:
    for field in ("name_template", "summary_template"):
        try:
            check_template(getattr(route, field))
        except BadTemplate as error:
            raise Invalid(str(error), field=field, remedy="Use blanks such as {{ title }}.") from error
    said: Mapping[Any, Any] = route.severity_map
    if not isinstance(said, dict) or not all(isinstance(slug, str) for slug in said.values()):
        raise Invalid("This is not a map of severities.", field="severity_map", remedy='Use {"critical": "sev1"}.')
    unknown = set(said.values()) - set(Severity.objects.filter(slug__in=said.values()).values_list("slug", flat=True))
    if unknown:
        raise Invalid(
            f"No severity is called {', '.join(sorted(unknown))}.", field="severity_map", remedy="Use their slugs."
        )
    if route.declares_incident and route.incident_type is not None:
        # Here, and not when an alert comes: that is never held back.
        for severity in Severity.objects.filter(Q(pk=route.severity_id) | Q(slug__in=said.values())):
            is_own = severity.pk == route.severity_id
            refuse_severity(route.incident_type, severity, field="severity" if is_own else "severity_map")


def _replace_notices(route: AlertRoute, notices: Sequence[Notice]) -> None:
    """Those that are there already keep their rows: what is on its way to them still finds them."""
    if len(notices) > MOST_NOTICES:
        raise Invalid(f"A route notifies at most {MOST_NOTICES} places.", field="notices")
    known = {(row.kind, row.user_id, row.team_id, row.name): row for row in route.notices.all()}
    kept = []
    for notice in notices:
        key = (
            notice.kind,
            notice.user.pk if notice.user else None,
            notice.team.pk if notice.team else None,
            notice.name,
        )
        row = known.get(key) or RouteNotice(
            route=route, kind=notice.kind, user=notice.user, team=notice.team, name=notice.name
        )
        row.address = notice.address or row.address
        check_notice(row)
        row.save()
        kept.append(row.pk)
    route.notices.exclude(pk__in=kept).delete()


def check_notice(notice: RouteNotice) -> None:
    """Raises Invalid unless it says whom or what to notify, and where."""
    kind = RouteNotice.Kind
    if notice.kind not in kind.values:
        raise Invalid(f"{notice.kind!r} can't be notified.", field="notices", remedy=f"Use {', '.join(kind.values)}.")
    if notice.kind == kind.USER and notice.user is None:
        raise Invalid("Choose the person to notify.", field="notices")
    if notice.kind == kind.TEAM and notice.team is None:
        raise Invalid("Choose the team to notify.", field="notices")
    if notice.kind in {kind.CHAT, kind.WEBHOOK} and not (notice.name.strip() and notice.address):
        raise Invalid("A place to notify needs a name and an address.", field="notices")
    if notice.kind == kind.WEBHOOK and not notice.address.startswith(("https://", "http://")):
        raise Invalid("A webhook needs an address.", field="notices", remedy="It starts with https://.")
    if notice.kind == kind.CHAT:
        try:
            check_chat(notice.address)
        except AddressRefused as error:
            raise Invalid(str(error), field="notices", remedy="Use an address such as slack://….") from error


@transaction.atomic
def remove_route(*, actor: Actor, route: AlertRoute, now: datetime, override_reason: str = "") -> None:
    """Takes a route off the list; alerts that took it keep what became of them.

    Raises Conflict if that breaks a paging test, unless an `override_reason` is given.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    held = holding_tests(now)
    publish("alert_route.removed", subject=route, actor=actor, data={"name": route.name})
    AlertRoute.objects.filter(pk=route.pk).delete()
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)


@transaction.atomic
def order_routes(*, actor: Actor, routes: Sequence[AlertRoute], now: datetime, override_reason: str = "") -> None:
    """Puts the routes in this order; those left out follow in the order they had.

    Raises Conflict if that breaks a paging test, unless an `override_reason` is given.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    held = holding_tests(now)
    first = list(dict.fromkeys(route.pk for route in routes))
    stored = {route.pk: route for route in AlertRoute.objects.select_for_update().order_by("position", "id")}
    given = [stored[pk] for pk in first if pk in stored]
    ordered = [*given, *(route for pk, route in stored.items() if pk not in first)]
    if [route.pk for route in ordered] == list(stored):
        return
    for position, route in enumerate(ordered, 1):
        route.position = position
    AlertRoute.objects.bulk_update(ordered, ["position"])
    refuse_broken_tests(held, now=now, actor=actor, override_reason=override_reason)
    publish("alert_route.ordered", subject=ordered[0], actor=actor, data={"order": [route.pk for route in ordered]})
