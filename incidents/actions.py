"""The main writes on incidents: declare, edit, severity and status, mitigate, resolve, reopen, affected services."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict, Invalid, require
from incidents.beginning import ENDINGS, check_first_status, refuse_archived, times_at_first
from incidents.chronology import disorder_with
from incidents.crossposting import tell_parent
from incidents.fields import check_required, checked_values
from incidents.kinds import default_type, refuse_severity, refuse_type
from incidents.membership import let_first_in
from incidents.models import (
    CustomField,
    Incident,
    IncidentRole,
    IncidentService,
    IncidentStatus,
    IncidentType,
    Severity,
    StatusCategory,
    TimelineEntry,
)
from incidents.modes import next_update_due
from incidents.moving import end_escalations, enter, first_status, told_times, update_due
from incidents.permissions import can_declare, can_view
from incidents.roles import assign_role
from incidents.staleness import refusal, refuse_stale
from incidents.timeline import add_entry, lock_incident
from incidents.transitions import Move, move_between
from incidents.writing import locked
from oncall.models import EscalationPolicy

Kind = TimelineEntry.Kind
NUMBERING_LOCK = 0x51743E9
EDITABLE = (
    *("name", "summary", "impact", "root_cause", "call_url"),
    *("users_affected", "revenue_lost", "tickets"),
)
# What is declared as over already is asked for what its end would have asked for.
REQUIRED_IN = {
    StatusCategory.POST_INCIDENT: CustomField.RequiredAt.RESOLVE,
    StatusCategory.CLOSED: CustomField.RequiredAt.CLOSE,
}
NEEDS_CONFIRMATION = "needs_confirmation"
WEB = ("https://", "http://")


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
    declared_at: datetime | None = None,
    acknowledged_at: datetime | None = None,
    mitigated_at: datetime | None = None,
    resolved_at: datetime | None = None,
    users_affected: int | None = None,
    fields: Mapping[str, Any] | None = None,
    parent: Incident | None = None,
    policy: EscalationPolicy | None = None,
    team_id: int | None = None,
) -> Incident:
    """Declares an incident and returns it, with its first timeline entry and the event `incident.declared`.

    `services` are the affected ones, as a list or with the impact of each; `fields` the values of custom fields by
    slug. A private incident starts with its declarer as only member, a stream (`parent`; see `declare_stream`) with the
    members of its parent, what a machine declares with those of `policy` or of a team (see `membership.let_first_in`).
    Times after the detection belong to retrospective incidents, which may be resolved already.
    Raises NotAllowed for viewers; Invalid for a missing name, for what the type does not allow, for times that make no
    sense and for values that a field does not take; Conflict for a required field that is empty.
    """
    require(can_declare(actor), "Viewers may not declare incidents.")
    name = name.strip()
    if not name:
        raise Invalid("An incident needs a name.", field="name", remedy="Say in a few words what is wrong.")
    if mode not in Incident.Mode.values:
        raise Invalid(f"{mode!r} is not a mode.", field="mode", remedy=f"Use {', '.join(Incident.Mode.values)}.")
    if incident_type is None:
        incident_type = default_type()
    # What an alert route declares was checked when the route was saved: an alert is never held back.
    if actor.kind != "alert_source" and parent is None:
        refuse_type(incident_type)
    if actor.kind != "alert_source" and (parent is None or severity.pk != parent.severity_id):
        refuse_severity(incident_type, severity)
    times = times_at_first(
        now,
        mode,
        started_at=started_at or detected_at,
        detected_at=detected_at,
        declared_at=declared_at,
        acknowledged_at=acknowledged_at,
        mitigated_at=mitigated_at,
        resolved_at=resolved_at,
    )
    if status is None:
        status = first_status(StatusCategory.POST_INCIDENT if resolved_at else StatusCategory.ACTIVE)
    check_first_status(status, times)
    if status.category == StatusCategory.CLOSED:
        times["closed_at"] = now
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
        next_update_due_at=next_update_due(mode, severity, now) if status.is_open else None,
        fields={slug: value for slug, value in given.items() if value is not None},
        parent=parent,
        **times,
    )
    check_required(actor, incident, REQUIRED_IN.get(StatusCategory(status.category), CustomField.RequiredAt.DECLARE))
    impacts = (
        services if isinstance(services, Mapping) else dict.fromkeys(services, IncidentService.Impact.PARTIAL_OUTAGE)
    )
    if incident.is_private:
        let_first_in(actor=actor, incident=incident, services=impacts, policy=policy, team_id=team_id, now=now)
    data = {
        "severity": severity.slug,
        "status": status.slug,
        "type": incident_type.slug,
        "mode": str(mode),
        "visibility": str(visibility),
        "name": incident.name,
        "times": told_times(times),
    }
    add_entry(
        incident=incident,
        actor=actor,
        kind=Kind.DECLARED,
        text=f"declared {incident.reference} as {severity.name}: {incident.name}",
        now=now,
        data=data | ({"fields": incident.fields} if given else {}),
        is_key=True,
    )
    for service, impact in impacts.items():
        set_affected_service(actor=actor, incident=incident, service=service, impact=impact, now=now)
    told = {"severity": severity.slug, "rank": severity.rank, "mode": str(mode), "category": status.category}
    publish(
        "incident.declared",
        subject=incident,
        actor=actor,
        data={**told, "type": incident_type.slug, "is_stream": parent is not None},
    )
    if not status.is_open:
        data = {"from": "", "to": status.slug, "category": status.category, "mode": str(mode)}
        publish("incident.resolved", subject=incident, actor=actor, data=data)
    if lead is not None:
        assign_role(actor=actor, incident=incident, role=IncidentRole.objects.get(slug="lead"), user=lead, now=now)
    return incident


@transaction.atomic
def edit_incident(
    *, actor: Actor, incident: Incident, now: datetime, was: Mapping[str, Any] | None = None, **changes: Any
) -> Incident:
    """Changes facts: name, summary, impact, root cause, call link, users affected, revenue lost, tickets.

    `was` is what the editor saw of them. Where somebody has changed one since, nothing is saved and Conflict with the
    code `stale` tells the value that stands and who set it. Raises Invalid for what a fact can't be.
    """
    unknown = set(changes) - set(EDITABLE)
    if unknown:
        raise Invalid(f"{', '.join(sorted(unknown))} can't be edited this way.", remedy=f"Edit {', '.join(EDITABLE)}.")
    incident = locked(actor, incident)
    wanted = {field: _fact(incident, field, value) for field, value in changes.items()}
    if was:
        refuse_stale(incident, seen=was, wanted=wanted)
    wanted = {field: value for field, value in wanted.items() if getattr(incident, field) != value}
    if not wanted:
        return incident
    told = {field: {"from": _plain(getattr(incident, field)), "to": _plain(value)} for field, value in wanted.items()}
    for field, value in wanted.items():
        setattr(incident, field, value)
    incident.save(update_fields=list(wanted))
    words = ", ".join(field.removesuffix("_url").replace("_", " ") for field in wanted)
    if "name" in wanted:
        words += f" (now “{incident.name}”)"
    add_entry(
        incident=incident, actor=actor, kind=Kind.EDIT, text=f"edited the {words}", now=now, data={"changes": told}
    )
    publish("incident.edited", subject=incident, actor=actor, data={"fields": list(wanted)})
    return incident


def _fact(incident: Incident, field: str, value: Any) -> Any:
    """A fact as it is stored; raises Invalid."""
    if isinstance(value, str):
        value = value.strip()
    if field == "name" and not value:
        raise Invalid("An incident needs a name.", field="name", remedy="Say in a few words what is wrong.")
    column = Incident._meta.get_field(field)
    if value in (None, ""):
        return None if column.null else ""
    if field == "call_url" and not str(value).lower().startswith(WEB):
        raise Invalid("This is not a web address.", field=field, remedy="Give one that begins with https://.")
    if field == "revenue_lost" and str(value).startswith("-"):
        raise Invalid("This is less than nothing.", field=field, remedy="Give what was lost, without a sign.")
    try:
        return column.clean(value, incident)  # type: ignore[union-attr]  # it is a column
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field=field, remedy="Correct it.") from None


def _plain(value: Any) -> str | int | None:
    return value if value is None or isinstance(value, int) else str(value)


@transaction.atomic
def change_severity(
    *, actor: Actor, incident: Incident, severity: Severity, now: datetime, was: Severity | None = None
) -> Incident:
    """Raises or lowers the severity; the same one again changes nothing.

    `was` is the one that the actor saw: Conflict with the code `stale` if it is another by now. Raises Invalid for one
    that the incident's type does not allow.
    """
    incident = locked(actor, incident)
    before = incident.severity
    if before.pk == severity.pk:
        return incident
    if was is not None and was.pk != before.pk:
        raise refusal("severity", before, _who_last(incident, Kind.SEVERITY))
    refuse_severity(incident.incident_type, severity)
    incident.severity = severity
    # (each severity brings its own interval: what somebody set was meant for the one before)
    incident.update_interval = None
    if incident.is_open:
        incident.next_update_due_at = update_due(incident)
    incident.save(update_fields=["severity", "update_interval", "next_update_due_at"])
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


def _who_last(incident: Incident, *kinds: str) -> str:
    """Who wrote the newest entry of these kinds."""
    entry = incident.timeline.filter(kind__in=kinds, origin=None).order_by("-sequence").first()
    return entry.actor_name if entry else "Somebody"


@transaction.atomic
def change_status(
    *,
    actor: Actor,
    incident: Incident,
    status: IncidentStatus,
    now: datetime,
    reason: str = "",
    confirmed: bool = False,
    was: IncidentStatus | None = None,
) -> Incident:
    """Moves the incident to a status, with what follows from its category; the same again changes nothing.

    Out of triage into an active one: accepts. Into post-incident or closed: resolves. Declined and canceled end it too,
    for a `reason`, and do not count as resolved. Back into an open one: reopens. Whatever ends it ends its escalations
    and stops its timers. With open streams it ends only if `confirmed`, and ends them too. `was` is the status that the
    actor saw. Raises Invalid for a status that is archived, Conflict for a step that `incidents.transitions` does not
    know.
    """
    incident = locked(actor, incident)
    before = incident.status
    if before.pk == status.pk:
        return incident
    if was is not None and was.pk != before.pk:
        raise refusal("status", before, _who_last(incident, Kind.STATUS, Kind.MERGE))
    refuse_archived(status)
    move = move_between(before.category, status.category)
    reason = reason.strip()
    if move.needs_reason and not reason:
        raise Invalid("Say why.", field="reason", remedy=f"A few words on why it is {status.name.lower()}.")
    if incident.is_open and status.category in ENDINGS:
        check_required(actor, incident, CustomField.RequiredAt.RESOLVE)
    if status.category == StatusCategory.CLOSED:
        check_required(actor, incident, CustomField.RequiredAt.CLOSE)
    ends = before.is_open and not status.is_open
    if status.is_open and incident.parent is not None and not incident.parent.is_open:
        raise Conflict(
            f"{incident.parent.reference}, of which this is a stream, is over.",
            remedy=f"Reopen {incident.parent.reference} first.",
        )
    if ends:
        _end_streams(actor, incident, status, now, reason=reason, confirmed=confirmed)
    data = enter(incident=incident, status=status, now=now)
    if reason:
        data["reason"] = reason
    text = _words(move, before, status, incident) + (f": {reason}" if reason else "")
    add_entry(incident=incident, actor=actor, kind=Kind.STATUS, text=text, now=now, data=data, is_key=True)
    tell_parent(actor=actor, stream=incident, text=text, now=now)
    facts = {name: value for name, value in data.items() if name in {"from", "to", "category", "reason"}}
    publish(move.event, subject=incident, actor=actor, data=facts)
    if move.event == "incident.resolved" and status.category == StatusCategory.CLOSED:
        publish("incident.closed", subject=incident, actor=actor, data=facts)
    if ends:
        over = f"{incident.reference} was {PARTICIPLES[move.event]}"
        end_escalations(actor=actor, incident=incident, now=now, reason=over)
    return incident


PARTICIPLES = {"incident.resolved": "resolved", "incident.declined": "declined", "incident.canceled": "canceled"}


def _words(move: Move, before: IncidentStatus, status: IncidentStatus, incident: Incident) -> str:
    """What the timeline says of the step."""
    words = {
        "incident.accepted": f"accepted the incident as {incident.severity.name} ({status.name})",
        "incident.declined": "declined the incident",
        "incident.canceled": "canceled the incident",
        "incident.resolved": f"resolved the incident ({before.name} → {status.name})",
        "incident.closed": f"closed the incident ({before.name} → {status.name})",
        "incident.reopened": f"reopened the incident as {status.name}",
    }
    return words.get(move.event, f"changed status {before.name} → {status.name}")


def _end_streams(
    actor: Actor, incident: Incident, status: IncidentStatus, now: datetime, *, reason: str, confirmed: bool
) -> None:
    """Open streams end with their parent, if somebody means it."""
    streams = list(Incident.objects.filter(parent=incident).open().select_related("parent").order_by("pk"))
    if not streams:
        return
    if not confirmed:
        visible = set(Incident.objects.visible_to(actor).filter(parent=incident).values_list("pk", flat=True))
        named = [stream.reference for stream in streams if stream.pk in visible]
        count = "One of its streams is" if len(streams) == 1 else f"{len(streams)} of its streams are"
        raise Conflict(
            f"{count} still open" + (f": {', '.join(named)}." if named else "."),
            code=NEEDS_CONFIRMATION,
            field="confirmed",
            remedy="End them first, or confirm that they end with it.",
            details={"streams": named},
        )
    for stream in streams:
        if not can_view(actor, stream):
            raise Conflict("A private stream is still open.", remedy="Ask one of its members to end it first.")
        change_status(actor=actor, incident=stream, status=status, now=now, reason=reason)


def resolve_incident(*, actor: Actor, incident: Incident, now: datetime, confirmed: bool = False) -> Incident:
    """The cause is fixed: moves to the first post-incident status. Resolving twice changes nothing.

    With open streams it has to be `confirmed`: they resolve with it.
    """
    if _is_there(actor, incident, ENDINGS):
        return _again(incident)
    status = first_status(StatusCategory.POST_INCIDENT)
    return change_status(actor=actor, incident=incident, status=status, now=now, confirmed=confirmed)


def reopen_incident(*, actor: Actor, incident: Incident, now: datetime) -> Incident:
    """Takes an incident that has ended back into the first active status. An open one stays as it is."""
    if _is_there(actor, incident, [StatusCategory.ACTIVE, StatusCategory.TRIAGE]):
        return _again(incident)
    return change_status(actor=actor, incident=incident, status=first_status(StatusCategory.ACTIVE), now=now)


def _is_there(actor: Actor, incident: Incident, categories: list[StatusCategory]) -> bool:
    """Whether it stands in one of the categories already, as far as the actor may know."""
    there = Incident.objects.filter(pk=incident.pk, status__category__in=categories)
    return there.exists() and can_view(actor, incident)


def _again(incident: Incident) -> Incident:
    found: Incident = Incident.objects.select_related("status", "severity").get(pk=incident.pk)
    return found


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
    text = "mitigated: the impact is over"
    data = {"times": told_times({"mitigated_at": now})}
    add_entry(incident=incident, actor=actor, kind=Kind.STATUS, text=text, now=now, data=data, is_key=True)
    tell_parent(actor=actor, stream=incident, text=text, now=now)
    publish("incident.mitigated", subject=incident, actor=actor)
    return incident


@transaction.atomic
def note_acknowledged(*, actor: Actor, incident: Incident, text: str, now: datetime) -> Incident:
    """Records that somebody answered a page of this incident; the first answer is its acknowledgement."""
    incident = lock_incident(incident.pk)
    data = {}
    # (who answers what was resolved meanwhile has not acknowledged it in time)
    fits = not disorder_with({**incident.times(), "acknowledged_at": now}, "acknowledged_at")
    if incident.acknowledged_at is None and fits:
        incident.acknowledged_at = now
        incident.save(update_fields=["acknowledged_at"])
        data = {"times": told_times({"acknowledged_at": now})}
    add_entry(incident=incident, actor=actor, kind=Kind.PAGE, text=text, now=now, data=data, is_key=True)
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
