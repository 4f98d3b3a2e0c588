"""What a parameter names: rows by their slugs, people by all the ways in which a workflow can speak of them.

What is not there is no mistake of the run: the step is skipped and says what it missed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Model

from accounts.models import Team, User
from catalog.models import Service
from incidents.models import (
    CustomField,
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    RoleAssignment,
    Severity,
)
from oncall.models import EscalationPolicy, Schedule
from oncall.roster import on_call_at
from statuspage.models import StatusPage
from workflows.models import Workflow
from workflows.registry import Context, Skip

M = TypeVar("M", bound=Model)
# Kinds of parameters that name a row, and the column by which they do.
ROWS: dict[str, tuple[type[Model], str]] = {
    "severity": (Severity, "slug"),
    "status": (IncidentStatus, "slug"),
    "type": (IncidentType, "slug"),
    "role": (IncidentRole, "slug"),
    "field": (CustomField, "slug"),
    "service": (Service, "slug"),
    "policy": (EscalationPolicy, "slug"),
    "status_page": (StatusPage, "slug"),
    "workflow": (Workflow, "slug"),
    "person": (User, "email"),
}


def absent(named: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these kinds and names those of which there is no row. A query for each kind."""
    asked = set(named)
    here = {
        (kind, name)
        for kind in {kind for kind, _name in asked}
        for name in ROWS[kind][0]._default_manager.values_list(ROWS[kind][1], flat=True)
    }
    return asked - here


def called(model: type[M], slug: Any) -> M:
    """The row with that slug; raises Skip where there is none."""
    found = model._default_manager.filter(slug=str(slug or "").strip()).first()
    if found is None:
        raise Skip(f"There is no {model._meta.verbose_name} “{slug}”.")
    return found


def person_called(email: Any) -> User:
    """The active person with that address; raises Skip where there is none."""
    found = User.objects.filter(email__iexact=str(email or "").strip(), is_active=True).first()
    if found is None:
        raise Skip(f"Nobody here is called {email}.")
    return found


@dataclass
class Found:
    """The people that were named, each once, addresses of those without an account, and what was not there."""

    users: list[User] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, users: list[User], missing: str) -> None:
        """Adds those who are not there yet; nobody at all is told as missing."""
        known = {user.pk for user in self.users}
        self.users += [user for user in users if user.pk not in known]
        if not users:
            self.missing.append(missing)

    @property
    def names(self) -> list[str]:
        return [*(user.display_name for user in self.users), *self.addresses]


def people_called(people: Any, context: Context, *, lets_in: bool = False) -> Found:
    """The people whom a parameter names, now. Of a private incident only those who may see it, unless it `lets_in`."""
    given: Mapping[str, Any] = people if isinstance(people, Mapping) else {}
    found = Found(addresses=list(dict.fromkeys(given.get("addresses") or [])))
    for email in given.get("persons") or []:
        found.add(list(User.objects.filter(email__iexact=email, is_active=True)), f"nobody is called {email}")
    for slug in given.get("teams") or []:
        found.add(_team(slug), f"the team {slug} is empty" if Team.objects.filter(slug=slug) else f"no team {slug}")
    for slug in given.get("roles") or []:
        found.add(_role(slug, context.incident), f"nobody is {slug}")
    for slug in given.get("schedules") or []:
        found.add(_schedule(slug, context), f"nobody is on call on {slug}")
    if context.incident is not None and context.incident.is_private and not lets_in:
        members = set(context.incident.memberships.values_list("user_id", flat=True))
        outside = [user for user in found.users if user.pk not in members]
        found.users = [user for user in found.users if user.pk in members]
        found.missing += [f"{user.display_name} may not see this incident" for user in outside]
    return found


def _team(slug: str) -> list[User]:
    return list(User.objects.filter(teams__slug=slug, is_active=True).order_by("name", "pk").distinct())


def _role(slug: str, incident: Incident | None) -> list[User]:
    if incident is None:
        return []
    current = RoleAssignment.objects.filter(incident=incident, role__slug=slug, ended_at=None, user__is_active=True)
    return [row.user for row in current.select_related("user")]


def _schedule(slug: str, context: Context) -> list[User]:
    schedule = Schedule.objects.filter(slug=slug).first()
    return on_call_at(context.now, {schedule.pk}).get(schedule.pk, []) if schedule else []


def missed(found: Found) -> str:
    """What was not there, to be put after what was done: " (no team leadership)"."""
    return f" ({'; '.join(found.missing)})" if found.missing else ""
