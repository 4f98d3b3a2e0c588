"""Roles in an incident: given, taken over, left open."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Invalid
from incidents.models import Incident, IncidentMember, IncidentRole, RoleAssignment, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import locked

Kind = TimelineEntry.Kind


@transaction.atomic
def assign_role(*, actor: Actor, incident: Incident, role: IncidentRole, user: User | None, now: datetime) -> Incident:
    """Gives a role to a person, who takes it over from whoever had it; with None nobody has it."""
    incident = locked(actor, incident)
    if user is not None and not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    current = RoleAssignment.objects.filter(incident=incident, role=role, ended_at=None).select_related("user").first()
    if (current.user_id if current else None) == (user.pk if user else None):
        return incident
    if current is not None:
        current.ended_at = now
        current.save(update_fields=["ended_at"])
    if user is not None:
        if incident.is_private:
            IncidentMember.objects.get_or_create(incident=incident, user=user, defaults={"added_at": now})
        RoleAssignment.objects.create(incident=incident, role=role, user=user, started_at=now)
        text = f"made {user.display_name} {role.name}"
        if current is not None:
            text += f" (was {current.user.display_name})"
    else:
        text = f"left {role.name} open"
    data = {"role": role.slug, "user": user.pk if user else None}
    add_entry(incident=incident, actor=actor, kind=Kind.ROLE, text=text, now=now, data=data)
    publish("incident.role_assigned", subject=incident, actor=actor, data=data)
    return incident
