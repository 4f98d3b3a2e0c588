"""A route in words: what it asks, and what it does with an alert, a line for each."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.models import AlertRoute
from events.conditions import in_words

Paging = AlertRoute.Paging


@dataclass(frozen=True)
class Line:
    """One thing that a route asks or does, with the icon that stands before it."""

    icon: str
    text: str


def routes_in_order() -> QuerySet[AlertRoute]:
    """All routes with what is said of them in words."""
    related = AlertRoute.objects.select_related("escalation_policy", "severity", "incident_type")
    return related.prefetch_related("notices__user", "notices__team").order_by("position", "id")


def lines_of(route: AlertRoute) -> list[Line]:
    """What a route says, from its conditions to whether the next one is looked at.

    Takes what belongs to the route as `routes_in_order` has fetched it.
    """
    asked = _("When %(words)s") % {"words": in_words(route.conditions)} if route.conditions else _("Always")
    lines = [Line("filter", asked)]
    if route.paging == Paging.SUPPRESS:
        why = f": {route.suppress_reason}" if route.suppress_reason else ""
        return [*lines, Line("bell-off", _("suppress it: no page, no incident") + why)]
    if not route.continues:
        lines += _waiting(route) + _grouping(route)
    lines += _incident(route)
    lines.append(Line("phone-calling", _paging(route)))
    if told := [str(notice) for notice in route.notices.all()]:
        lines.append(Line("message", _("tell %(names)s") % {"names": ", ".join(told)}))
    if route.continues:
        lines.append(Line("arrow-down", _("then look at the next routes")))
    return lines


def _waiting(route: AlertRoute) -> list[Line]:
    if not route.wait_seconds:
        return []
    text = ngettext(
        "wait %(seconds)d second whether it ends by itself",
        "wait %(seconds)d seconds whether it ends by itself",
        route.wait_seconds,
    )
    return [Line("clock", text % {"seconds": route.wait_seconds})]


def _grouping(route: AlertRoute) -> list[Line]:
    if not route.group_by:
        return []
    text = _("group by %(facts)s") % {"facts": ", ".join(route.group_by)}
    if route.group_minutes is not None:
        is_fixed = route.group_window == AlertRoute.Window.FIXED
        lasts = _("for %(minutes)d min from the first") if is_fixed else _("for %(minutes)d min from the newest")
        text += ", " + lasts % {"minutes": route.group_minutes}
    again = {
        AlertRoute.Joining.ALWAYS: _("one that joins pages again"),
        AlertRoute.Joining.RISES: _("one that joins pages again if the priority rises"),
        AlertRoute.Joining.NEVER: _("one that joins never pages again"),
    }
    return [Line("git-merge", f"{text}; {again[AlertRoute.Joining(route.joining)]}")]


def _incident(route: AlertRoute) -> list[Line]:
    lines = []
    if route.attaches_to_open:
        lines.append(Line("link", _("attach it to the open incident of its service")))
    if route.declares_incident:
        text = _("declare an incident, %(severity)s") % {"severity": route.severity}
        if route.severity_map:
            said = ", ".join(f"{named} → {slug.upper()}" for named, slug in route.severity_map.items())
            text += f" ({said})"
        lines.append(Line("flame", text + (", " + _("in triage") if route.in_triage else "")))
    return lines


def _paging(route: AlertRoute) -> str:
    policy = route.escalation_policy
    said = {
        Paging.POLICY: _("page %(policy)s") % {"policy": policy},
        Paging.SERVICE: _("page the policy of its service"),
        Paging.TEAM: _("page the policy of its team"),
        Paging.NOBODY: _("page nobody"),
    }[Paging(route.paging)]
    if route.paging in {Paging.SERVICE, Paging.TEAM} and policy is not None:
        said += ", " + _("else %(policy)s") % {"policy": policy}
    if route.urgency and route.paging != Paging.NOBODY:
        said += ", " + (_("with high urgency") if route.urgency == "high" else _("with low urgency"))
    return said
