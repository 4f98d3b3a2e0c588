"""Every write on incidents: declare, change, update, resolve."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict, Invalid, require
from incidents.fields import check_required, checked_values
from incidents.models import (
    CustomField,
    Incident,
    IncidentMember,
    IncidentRole,
    IncidentService,
    IncidentStatus,
    IncidentType,
    Severity,
    StatusCategory,
    TimelineEntry,
)
from incidents.permissions import can_declare, can_view
from incidents.roles import assign_role
from incidents.timeline import add_entry, lock_incident
from incidents.writing import locked
from oncall.actions import resolve_escalation
from oncall.models import Escalation

Kind = TimelineEntry.Kind
NUMBERING_LOCK = 0x51743E9


@transaction.atomic
def declare_incident(
    *,
    actor: Actor,
    name: str,
    severity: Severity,
    now: datetime,
    summary: str = "",
    incident_type: IncidentType | None = None,
    status: IncidentStatus | None = None,
    mode: str = Incident.Mode.STANDARD,
    visibility: str | None = None,
    services: Mapping[Service, str] | Iterable[Service] = (),
    lead: User | None = None,
    started_at: datetime | None = None,
    detected_at: datetime | None = None,
    users_affected: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Incident:
    """Declares an incident and returns it, with its first timeline entry and the event `incident.declared`.

    `services` are the affected ones, as a list or with the impact of each; `fields` the values of custom fields by
    slug. A private incident starts with its declarer as only member. Raises NotAllowed for viewers, Invalid for a
    missing name and for values that a field does not take, Conflict for a required field that is empty.
    """
    require(can_declare(actor), "Viewers may not declare incidents.")
    name = name.strip()
    if not name:
        raise Invalid("An incident needs a name.", field="name", remedy="Say in a few words what is wrong.")
    if started_at and started_at > now:
        raise Invalid("The impact can't begin in the future.", field="started_at")
    incident_type = incident_type or IncidentType.objects.order_by("-is_default", "id").first()
    status = status or IncidentStatus.objects.filter(category=StatusCategory.ACTIVE).order_by("position").first()
    if incident_type is None or status is None:
        raise Conflict("The presets are not loaded.", remedy="Run `manage.py load_presets` once.")
    if visibility is None:
        private = incident_type.private_by_default
        visibility = Incident.Visibility.PRIVATE if private else Incident.Visibility.PUBLIC
    given = checked_values(incident_type, fields) if fields else {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])
    number = (Incident.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    incident = Incident.objects.create(
        number=number,
        name=name[:200],
        summary=summary.strip(),
        mode=mode,
        visibility=visibility,
        incident_type=incident_type,
        severity=severity,
        status=status,
        declared_by_id=actor.user_id,
        declared_by_name=actor.name,
        users_affected=users_affected,
        started_at=started_at or detected_at,
        detected_at=detected_at or now,
        declared_at=now,
        next_update_due_at=_next_update(severity, mode, now),
        fields={slug: value for slug, value in given.items() if value is not None},
    )
    check_required(actor, incident, CustomField.RequiredAt.DECLARE)
    if incident.is_private and actor.user_id is not None:
        IncidentMember.objects.create(incident=incident, user_id=actor.user_id, added_at=now)
    add_entry(
        incident=incident,
        actor=actor,
        kind=Kind.DECLARED,
        text=f"declared {incident.reference} as {severity.name}: {incident.name}",
        now=now,
        data={"severity": severity.slug, "status": status.slug} | ({"fields": incident.fields} if given else {}),
        is_key=True,
    )
    impacts = (
        services if isinstance(services, Mapping) else dict.fromkeys(services, IncidentService.Impact.PARTIAL_OUTAGE)
    )
    for service, impact in impacts.items():
        set_affected_service(actor=actor, incident=incident, service=service, impact=impact, now=now)
    publish(
        "incident.declared",
        subject=incident,
        actor=actor,
        data={"severity": severity.slug, "rank": severity.rank, "mode": mode, "category": status.category},
    )
    if lead is not None:
        assign_role(actor=actor, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=lead, now=now)
    return incident


def _next_update(severity: Severity, mode: str, now: datetime) -> datetime | None:
    """When the next update is due; a retrospective incident is over and needs none."""
    if severity.update_interval is None or mode == Incident.Mode.RETROSPECTIVE:
        return None
    return now + severity.update_interval


@transaction.atomic
def edit_incident(*, actor: Actor, incident: Incident, now: datetime, **changes: Any) -> Incident:
    """Changes the name, the summary or the number of users affected."""
    unknown = set(changes) - {"name", "summary", "users_affected"}
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} can't be edited this way.")
    incident = locked(actor, incident)
    changes = {field: value for field, value in changes.items() if getattr(incident, field) != value}
    if "name" in changes and not changes["name"].strip():
        raise Invalid("An incident needs a name.", field="name", remedy="Say in a few words what is wrong.")
    if not changes:
        return incident
    for field, value in changes.items():
        setattr(incident, field, value)
    incident.save(update_fields=list(changes))
    words = ", ".join(field.replace("_", " ") for field in changes)
    if "name" in changes:
        words += f" (now “{incident.name}”)"
    add_entry(incident=incident, actor=actor, kind=Kind.EDIT, text=f"edited the {words}", now=now)
    publish("incident.edited", subject=incident, actor=actor, data={"fields": list(changes)})
    return incident


@transaction.atomic
def change_severity(*, actor: Actor, incident: Incident, severity: Severity, now: datetime) -> Incident:
    """Raises or lowers the severity; the same one again changes nothing."""
    incident = locked(actor, incident)
    before = incident.severity
    if before.pk == severity.pk:
        return incident
    incident.severity = severity
    interval = severity.update_interval
    incident.next_update_due_at = (incident.last_update_at or incident.declared_at) + interval if interval else None
    incident.save(update_fields=["severity", "next_update_due_at"])
    word = "raised" if severity.rank > before.rank else "lowered"
    add_entry(
        incident=incident,
        actor=actor,
        kind=Kind.SEVERITY,
        text=f"{word} severity {before.name} → {severity.name}",
        now=now,
        data={"from": before.slug, "to": severity.slug},
        is_key=True,
    )
    data = {"from": before.slug, "to": severity.slug, "rank": severity.rank, "raised": severity.rank > before.rank}
    publish("incident.severity_changed", subject=incident, actor=actor, data=data)
    return incident


@transaction.atomic
def change_status(*, actor: Actor, incident: Incident, status: IncidentStatus, now: datetime) -> Incident:
    """Moves the incident to a status, with what follows from its category.

    Into post-incident or closed: resolves (and ends its escalations). From there back into an active status: reopens.
    """
    incident = locked(actor, incident)
    before = incident.status
    if before.pk == status.pk:
        return incident
    was_open, is_open = before.is_open, status.is_open
    if was_open and status.category in (StatusCategory.POST_INCIDENT, StatusCategory.CLOSED):
        check_required(actor, incident, CustomField.RequiredAt.RESOLVE)
    if status.category == StatusCategory.CLOSED:
        check_required(actor, incident, CustomField.RequiredAt.CLOSE)
    incident.status = status
    fields = ["status"]
    event = "incident.status_changed"
    text = f"changed status {before.name} → {status.name}"
    if was_open and not is_open:
        event, text = "incident.resolved", f"resolved the incident ({before.name} → {status.name})"
        incident.mitigated_at = incident.mitigated_at or now
        incident.resolved_at = now
        incident.next_update_due_at = None
        fields += ["mitigated_at", "resolved_at", "next_update_due_at"]
    elif is_open and not was_open:
        event, text = "incident.reopened", f"reopened the incident as {status.name}"
        incident.resolved_at = incident.mitigated_at = incident.closed_at = None
        interval = incident.severity.update_interval
        incident.next_update_due_at = now + interval if interval else None
        fields += ["resolved_at", "mitigated_at", "closed_at", "next_update_due_at"]
    if status.category == StatusCategory.CLOSED:
        incident.closed_at = now
        fields.append("closed_at")
    incident.save(update_fields=fields)
    data = {"from": before.slug, "to": status.slug, "category": status.category}
    add_entry(incident=incident, actor=actor, kind=Kind.STATUS, text=text, now=now, data=data, is_key=True)
    publish(event, subject=incident, actor=actor, data=data)
    if was_open and not is_open:
        for escalation in incident.escalations.filter(
            status__in=[Escalation.Status.TRIGGERED, Escalation.Status.ACKNOWLEDGED]
        ):
            resolve_escalation(actor=actor, escalation=escalation, now=now, reason=f"{incident.reference} was resolved")
    return incident


def resolve_incident(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """The cause is fixed: moves to the first post-incident status. Resolving twice changes nothing."""
    if not Incident.objects.open().filter(pk=incident.pk).exists() and can_view(actor, incident):
        return Incident.objects.select_related("status", "severity").get(pk=incident.pk)
    status = _first_status(StatusCategory.POST_INCIDENT)
    return change_status(actor=actor, incident=incident, status=status, now=now)


def reopen_incident(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """Takes a resolved incident back into the first active status. An open one stays as it is."""
    if Incident.objects.open().filter(pk=incident.pk).exists() and can_view(actor, incident):
        return Incident.objects.select_related("status", "severity").get(pk=incident.pk)
    return change_status(actor=actor, incident=incident, status=_first_status(StatusCategory.ACTIVE), now=now)


def _first_status(category: StatusCategory) -> IncidentStatus:
    status = IncidentStatus.objects.filter(category=category).order_by("position").first()
    if status is None:
        raise Conflict(f"No status has the category {category.label}.", remedy="Run `manage.py load_presets` once.")
    return status


@transaction.atomic
def mitigate_incident(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """The impact is over, the cause may remain. Said twice, the first time counts."""
    incident = locked(actor, incident)
    if incident.mitigated_at is not None:
        return incident
    if not incident.is_open:
        raise Conflict("This incident is no longer open.", remedy="Reopen it first.")
    incident.mitigated_at = now
    incident.save(update_fields=["mitigated_at"])
    add_entry(
        incident=incident, actor=actor, kind=Kind.STATUS, text="mitigated: the impact is over", now=now, is_key=True
    )
    publish("incident.mitigated", subject=incident, actor=actor)
    return incident


@transaction.atomic
def note_acknowledged(*, actor: Actor, incident: Incident, text: str, now: datetime) -> Incident:
    """Records that somebody answered a page of this incident; the first answer is its acknowledgement."""
    incident = lock_incident(incident.pk)
    if incident.acknowledged_at is None:
        incident.acknowledged_at = now
        incident.save(update_fields=["acknowledged_at"])
    add_entry(incident=incident, actor=actor, kind=Kind.PAGE, text=text, now=now, is_key=True)
    return incident


@transaction.atomic
def set_affected_service(
    *, actor: Actor, incident: Incident, service: Service, impact: str | None, now: datetime
) -> Incident:
    """Says how much a service is affected; with None it no longer is."""
    incident = locked(actor, incident)
    row = IncidentService.objects.filter(incident=incident, service=service).first()
    if (row.impact if row else None) == impact:
        return incident
    if impact is None:
        IncidentService.objects.filter(incident=incident, service=service).delete()
        text = f"took {service.name} off the affected services"
    elif impact not in IncidentService.Impact.values:
        raise Invalid(
            f"{impact!r} is not an impact.", field="impact", remedy=f"Use {', '.join(IncidentService.Impact.values)}."
        )
    else:
        IncidentService.objects.update_or_create(incident=incident, service=service, defaults={"impact": impact})
        text = f"marked {service.name} as affected: {IncidentService.Impact(impact).label.lower()}"
    data = {"service": service.slug, "impact": impact}
    add_entry(incident=incident, actor=actor, kind=Kind.SERVICE, text=text, now=now, data=data)
    publish("incident.service_changed", subject=incident, actor=actor, data=data)
    return incident
