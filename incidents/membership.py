"""Who may see a private incident."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import Incident, IncidentMember, TimelineEntry
from incidents.timeline import add_entry, recheck_watchers
from incidents.writing import locked

Kind = TimelineEntry.Kind


@transaction.atomic
def set_visibility(*, actor: Actor, incident: Incident, visibility: str, now: datetime) -> Incident:
    """Makes an incident private (its people become members) or open to everybody here.

    Streams become private with their parent, its members see them too. Raises Conflict for a stream that is to be more
    open than its parent.
    """
    incident = locked(actor, incident)
    if visibility not in Incident.Visibility.values:
        raise Invalid(f"{visibility!r} is not a visibility.", field="visibility", remedy="Use public or private.")
    if incident.visibility == visibility:
        return incident
    if incident.is_private and incident.parent is not None and incident.parent.is_private:
        raise Conflict("The incident of which this is a stream is private.", remedy="Open that one first.")
    incident.visibility = visibility
    incident.save(update_fields=["visibility"])
    if incident.is_private:
        people = set(incident.role_assignments.filter(ended_at=None).values_list("user_id", flat=True))
        people |= {user_id for user_id in (actor.user_id, incident.declared_by_id) if user_id}
        if incident.parent is not None:
            people |= set(incident.parent.memberships.values_list("user_id", flat=True))
        IncidentMember.objects.bulk_create(
            (IncidentMember(incident=incident, user_id=user_id, added_at=now) for user_id in sorted(people)),
            ignore_conflicts=True,
        )
    incident.escalations.update(is_private=incident.is_private)
    recheck_watchers(incident)
    text = "made the incident private" if incident.is_private else "opened the incident to everybody here"
    data = {"visibility": str(visibility)}
    add_entry(incident=incident, actor=actor, kind=Kind.MEMBER, text=text, now=now, data=data)
    publish("incident.visibility_changed", subject=incident, actor=actor, data=data)
    if incident.is_private:
        for stream in incident.streams.filter(visibility=Incident.Visibility.PUBLIC).order_by("pk"):
            set_visibility(actor=actor, incident=stream, visibility=visibility, now=now)
    return incident


@transaction.atomic
def add_member(*, actor: Actor, incident: Incident, user: User, now: datetime) -> Incident:
    """Lets a person see a private incident."""
    incident = locked(actor, incident)
    _, created = IncidentMember.objects.get_or_create(incident=incident, user=user, defaults={"added_at": now})
    if created:
        add_entry(incident=incident, actor=actor, kind=Kind.MEMBER, text=f"let {user.display_name} in", now=now)
        publish("incident.member_added", subject=incident, actor=actor, data={"user": user.pk})
    return incident


@transaction.atomic
def remove_member(*, actor: Actor, incident: Incident, user: User, now: datetime) -> Incident:
    """Takes a person's access to a private incident away. The last member stays."""
    incident = locked(actor, incident)
    members = IncidentMember.objects.filter(incident=incident)
    if not members.filter(user=user).exists():
        return incident
    if members.count() == 1:
        raise Conflict("This is the last member.", remedy="Let somebody else in first, or open the incident.")
    members.filter(user=user).delete()
    recheck_watchers(incident)
    add_entry(incident=incident, actor=actor, kind=Kind.MEMBER, text=f"took {user.display_name}'s access away", now=now)
    publish("incident.member_removed", subject=incident, actor=actor, data={"user": user.pk})
    return incident
