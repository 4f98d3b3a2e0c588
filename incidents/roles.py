"""Roles in an incident: taken, given, handed over, left open; what a severity asks for and nobody plays yet."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import (
    Incident,
    IncidentMember,
    IncidentRole,
    IncidentType,
    PersonQualification,
    RoleAssignment,
    Severity,
    TimelineEntry,
)
from incidents.timeline import add_entry
from incidents.writing import LONGEST_TEXT, locked

Kind = TimelineEntry.Kind


# --- What is offered, what is missing, who is fit ---------------------------------------------------------------------


def offered_roles(incident_type: IncidentType) -> list[IncidentRole]:
    """The roles that can be given in incidents of this type."""
    of_type = list(incident_type.roles.all())
    return [role for role in (of_type or IncidentRole.objects.all()) if role.is_active]


def missing_roles(incident: Incident) -> list[IncidentRole]:
    """The roles that the severity requires, that the type offers and that nobody plays.

    Reads what `IncidentQuerySet.for_lists()` and `.with_required_roles()` have fetched, where they have.
    """
    required = [role for role in incident.severity.required_roles.all() if role.is_active]
    if not required:
        return []
    offered = {role.pk for role in incident.incident_type.roles.all()}
    played = {row.role_id for row in current_roles(incident)}
    return [role for role in required if role.pk not in played and (not offered or role.pk in offered)]


def current_roles(incident: Incident) -> Iterable[RoleAssignment]:
    """Who plays what now."""
    fetched: list[RoleAssignment] | None = getattr(incident, "current_roles", None)
    if fetched is not None:
        return fetched
    return RoleAssignment.objects.filter(incident=incident, ended_at=None).select_related("role", "user")


def holder(incident: Incident, role: IncidentRole) -> User | None:
    """Who has the role now."""
    row = RoleAssignment.objects.filter(incident=incident, role=role, ended_at=None).select_related("user").first()
    return row.user if row else None


def role_warnings(role: IncidentRole, user: User | None) -> list[str]:
    """What speaks against giving the role to the person. It is told, and never in the way."""
    if user is None or role.qualification is None:
        return []
    wanted = role.qualification
    fit = Q(qualification=wanted) | Q(qualification__rank__gt=wanted.rank)
    if PersonQualification.objects.filter(fit, user=user).exists():
        return []
    return [f"{user.display_name} is not qualified as {wanted.name}, which {role.name} asks for."]


# --- Changing ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def assign_role(
    *, actor: Actor, incident: Incident, role: IncidentRole, user: User | None, now: datetime, note: str = ""
) -> Incident:
    """Gives a role to a person, who takes it over from whoever had it; with None nobody has it.

    `note` is what the next one should know. Somebody without the role's qualification gets it all the same: the
    entry's and the event's `warnings` say so, and `role_warnings` tells the caller. Raises Invalid for a role that the
    incident's type does not offer, and for a person who is no longer active.
    """
    incident = locked(actor, incident)
    note = note.strip()
    if len(note) > LONGEST_TEXT:
        raise Invalid(f"The note is longer than {LONGEST_TEXT} characters.", field="note", remedy="Shorten it.")
    if user is not None and not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    current = RoleAssignment.objects.filter(incident=incident, role=role, ended_at=None).select_related("user").first()
    if (current.user_id if current else None) == (user.pk if user else None):
        return incident
    if user is not None:
        _check_offered(incident, role)
    if current is not None:
        current.ended_at = now
        current.note = current.note if user else note or current.note
        current.save(update_fields=["ended_at", "note"])
    warnings = role_warnings(role, user)
    if user is not None:
        if incident.is_private:
            IncidentMember.objects.get_or_create(incident=incident, user=user, defaults={"added_at": now})
        RoleAssignment.objects.create(
            incident=incident, role=role, user=user, started_at=now, assigned_by_name=actor.name[:200], note=note
        )
    data = {
        "role": role.slug,
        "user": user.pk if user else None,
        "was": current.user_id if current else None,
        "note": note,
        "warnings": warnings,
    }
    text = _told(actor, role, user, current.user if current else None)
    if note:
        text += f": “{note}”"
    add_entry(incident=incident, actor=actor, kind=Kind.ROLE, text=text, now=now, data=data)
    publish("incident.role_assigned", subject=incident, actor=actor, data=data)
    return incident


def _check_offered(incident: Incident, role: IncidentRole) -> None:
    of_type = list(incident.incident_type.roles.all())
    if role.is_active and (not of_type or role in of_type):
        return
    names = ", ".join(each.name for each in offered_roles(incident.incident_type))
    why = f"incidents of the type {incident.incident_type.name} do not have it" if role.is_active else "it is archived"
    raise Invalid(f"{role.name} can't be given: {why}.", field="role", remedy=f"Choose one of: {names}.")


def _told(actor: Actor, role: IncidentRole, user: User | None, before: User | None) -> str:
    if user is None:
        return f"left {role.name} open"
    if user.pk == actor.user_id:
        return f"took {role.name}" + (f" over from {before.display_name}" if before else "")
    if before is not None and before.pk == actor.user_id:
        return f"handed {role.name} over to {user.display_name}"
    return f"made {user.display_name} {role.name}" + (f" (was {before.display_name})" if before else "")


def take_role(*, actor: Actor, incident: Incident, role: IncidentRole, now: datetime, note: str = "") -> Incident:
    """The actor takes a role themselves. Raises Invalid for an actor who is no person."""
    user = User.objects.filter(pk=actor.person_id).first()
    if user is None:
        raise Invalid("Only a person can take a role.", field="user", remedy="Say who shall have it.")
    return assign_role(actor=actor, incident=incident, role=role, user=user, now=now, note=note)


@transaction.atomic
def leave_role(*, actor: Actor, incident: Incident, role: IncidentRole, now: datetime, note: str = "") -> Incident:
    """The actor leaves a role that they have; left twice, nothing changes. Raises Conflict when another one has it."""
    incident = locked(actor, incident)
    current = RoleAssignment.objects.filter(incident=incident, role=role, ended_at=None).select_related("user").first()
    if current is not None and current.user_id != actor.user_id:
        raise Conflict(
            f"{current.user.display_name} has the role {role.name}.", remedy="Give it to somebody else instead."
        )
    return assign_role(actor=actor, incident=incident, role=role, user=None, now=now, note=note)


# --- What has been ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RoleRecord:
    """How often somebody has had a role, in all and at each severity, the worst first."""

    role: IncidentRole
    times: int
    severities: list[tuple[Severity, int]]


def roles_held(actor: Actor, user: User) -> list[RoleRecord]:
    """Which roles a person has had, how often, at which severity, as far as the actor may see the incidents.

    Tests and game days count: it is a record of practice. Somebody who had a role twice in an incident had it once.
    """
    rows = (
        RoleAssignment.objects.filter(user=user, incident__in=Incident.objects.visible_to(actor))
        .values("role", "incident__severity")
        .annotate(times=Count("incident", distinct=True))
        .order_by()
    )
    roles = IncidentRole.objects.in_bulk([row["role"] for row in rows])
    severities = Severity.objects.in_bulk([row["incident__severity"] for row in rows])
    times: Counter[int] = Counter()
    by_severity: dict[int, list[tuple[Severity, int]]] = {}
    for row in rows:
        times[row["role"]] += row["times"]
        by_severity.setdefault(row["role"], []).append((severities[row["incident__severity"]], row["times"]))
    records = [
        RoleRecord(roles[pk], count, sorted(by_severity[pk], key=lambda pair: -pair[0].rank))
        for pk, count in times.items()
    ]
    return sorted(records, key=lambda record: record.role.position)
