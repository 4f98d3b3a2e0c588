"""Who may see a private incident."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Role, User
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import Incident, IncidentMember, TimelineEntry
from incidents.timeline import add_entry, lock_incident, recheck_watchers
from incidents.writing import locked
from oncall.ladder import on_call_now
from oncall.models import Escalation, EscalationPolicy, Page

Kind = TimelineEntry.Kind


def let_first_in(
    *,
    actor: Actor,
    incident: Incident,
    services: Iterable[Service],
    policy: EscalationPolicy | None,
    team_id: int | None,
    now: datetime,
) -> None:
    """Gives a private incident its first members: its declarer, and those of the parent of a stream.

    What a machine declares has neither, and somebody has to see it: its members are whom `policy` would page first now,
    else who is on call for its services, else the people of that team or of those that own the services, else the
    administrators.
    """
    people = {actor.user_id} if actor.user_id is not None else set()
    if incident.parent is not None:
        people |= set(incident.parent.memberships.values_list("user_id", flat=True))
    people = people or _stand_in(list(services), policy, team_id, now)
    IncidentMember.objects.bulk_create(
        IncidentMember(incident=incident, user_id=user_id, added_at=now) for user_id in sorted(people)
    )


def _stand_in(services: list[Service], policy: EscalationPolicy | None, team_id: int | None, now: datetime) -> set[int]:
    """Who sees what a machine declares: the first of these circles in which there is anybody."""
    policies = [policy] if policy else [each.escalation_policy for each in services if each.escalation_policy]
    on_call = on_call_now({each.pk: each for each in policies}.values(), now)
    people = {user.pk for users in on_call.values() for user in users if user.is_active}
    active = User.objects.filter(is_active=True)
    if not people:
        teams = [team_id] if team_id else [each.team_id for each in services if each.team_id]
        people = set(active.filter(memberships__team_id__in=teams).values_list("pk", flat=True))
    return people or set(active.filter(role__in=[Role.ADMINISTRATOR, Role.OWNER]).values_list("pk", flat=True))


def paged_for(incident: Incident, escalation: Escalation | None = None) -> set[int]:
    """Whom `escalation`, or what pages for the incident and is not over, has asked so far."""
    pages = Page.objects.filter(escalation__incidents=incident, escalation__ended_at=None)
    if escalation is not None:
        pages = pages.filter(escalation=escalation)
    return set(pages.values_list("user_id", flat=True))


@transaction.atomic
def let_paged_in(*, actor: Actor, incident: Incident, people: Collection[int], now: datetime) -> None:
    """Lets those in whom a private incident pages: who is asked to answer for it must be able to open it.

    Whoever is in already, and a public incident, stay as they are. Whose access was taken away gets it back with the
    next page.
    """
    if not incident.is_private or not people:
        return
    incident = lock_incident(incident.pk)
    if not incident.is_private:
        return
    inside = incident.memberships.values("user_id")
    new = list(User.objects.filter(pk__in=people, is_active=True).exclude(pk__in=inside).order_by("pk"))
    if not new:
        return
    IncidentMember.objects.bulk_create(IncidentMember(incident=incident, user=user, added_at=now) for user in new)
    text = f"let {', '.join(user.display_name for user in new)} in: paged for it"
    add_entry(incident=incident, actor=actor, kind=Kind.MEMBER, text=text, now=now)
    for user in new:
        publish("incident.member_added", subject=incident, actor=actor, data={"user": user.pk, "paged": True})


@transaction.atomic
def set_visibility(*, actor: Actor, incident: Incident, visibility: str, now: datetime) -> Incident:
    """Makes an incident private (its people become members, see `let_first_in`) or open to everybody here.

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
        people |= {user_id for user_id in (actor.user_id, incident.declared_by_id) if user_id} | paged_for(incident)
        if incident.parent is not None:
            people |= set(incident.parent.memberships.values_list("user_id", flat=True))
        if not people and not incident.memberships.exists():
            people = _stand_in(list(incident.services.select_related("escalation_policy")), None, None, now)
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
