"""Send the digest of action items: what is open and overdue, to its owners and to the teams of the services.

Items of private incidents are left out: what a step returns is kept with its run, which others may see.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from incidents.models import Incident, IncidentService
from postmortems.models import ActionItem
from workflows.naming import Found
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, step
from workflows.subjects import address
from workflows.telling import tell_people

MOST_LINES = 50
OPEN = [ActionItem.Status.PLANNED, ActionItem.Status.IN_PROGRESS]


@step
class ActionItemDigest(Step):
    """One notice for each person, the overdue items first."""

    kind: ClassVar[str] = "action_item_digest"
    label: ClassVar[Any] = _("Send the digest of action items")
    icon: ClassVar[str] = "mail"
    group: ClassVar[Group] = Group.WORK
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("told", "open", "overdue")
    params: ClassVar[tuple[Param, ...]] = (
        Param("to_teams", "boolean", _("To the teams of the affected services too"), default=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        whom = "owners and teams" if params.get("to_teams", True) else "owners"
        return f"Send a digest of open and overdue action items to {whom}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        people = list(_by_person(_open_items(), bool(params.get("to_teams", True))))
        if not people:
            raise Skip("No action item is open.")
        return f"Would send a digest to {listed([user.display_name for user in people])}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        items, today = _open_items(), context.now.date()
        people = _by_person(items, bool(params.get("to_teams", True)))
        if not people:
            raise Skip("No action item is open.")
        texts = {str(user.pk): _digest(user, own, today) for user, own in people.items()}
        tell_people(context, Found(users=list(people)))
        overdue = sum(item.is_overdue(today) for item in items)
        told = [user.display_name for user in people]
        return Outcome(
            f"Sent a digest to {listed(told)}.",
            {"told": told, "open": len(items), "overdue": overdue, "notices": texts},
        )


def _open_items() -> list[ActionItem]:
    found = ActionItem.objects.filter(status__in=OPEN, incident__visibility=Incident.Visibility.PUBLIC).select_related(
        "owner", "incident"
    )
    return list(found.order_by("due_on", "priority", "pk"))


def _by_person(items: list[ActionItem], to_teams: bool) -> dict[User, list[ActionItem]]:
    """Whom the items concern, each with theirs in order."""
    wanted: dict[User, dict[int, ActionItem]] = defaultdict(dict)
    for item in items:
        if item.owner is not None and item.owner.is_active:
            wanted[item.owner][item.pk] = item
    if to_teams:
        by_incident: dict[int, list[ActionItem]] = defaultdict(list)
        for item in items:
            by_incident[item.incident_id].append(item)
        rows = IncidentService.objects.filter(incident__in=by_incident, service__team__isnull=False)
        for row in rows.select_related("service__team").prefetch_related("service__team__members"):
            members = row.service.team.members.all() if row.service.team else []
            for user in (user for user in members if user.is_active):
                wanted[user] |= {item.pk: item for item in by_incident[row.incident_id]}
    return {user: list(own.values()) for user, own in wanted.items()}


def _digest(user: User, items: list[ActionItem], today: date) -> dict[str, str]:
    """The notice in the person's language: a title, and a line for each item, the overdue first."""
    with translation.override(user.locale):
        overdue = [item for item in items if item.is_overdue(today)]
        left = [item for item in items if not item.is_overdue(today)]
        title = ngettext("%d action item is open", "%d action items are open", len(items)) % len(items)
        if overdue:
            title += ", " + _now("%d overdue") % len(overdue)
        lines = [_line(item, user, today) for item in (*overdue, *left)[:MOST_LINES]]
        return {"title": title, "text": "\n".join([*lines, address("/action-items/")])}


def _line(item: ActionItem, user: User, today: date) -> str:
    owner = item.owner.display_name if item.owner else _now("nobody")
    whose = "" if item.owner_id == user.pk else f" ({owner})"
    due = f", {item.due_on.isoformat()}" if item.due_on else ""
    mark = _now("overdue") + ": " if item.is_overdue(today) else ""
    return f"{mark}{item.title}{whose}: {item.priority}{due}, {item.incident.reference}"
