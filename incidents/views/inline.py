"""One value of an incident, edited where it stands: `POST field=severity&value=sev1&was=sev2`, answered in JSON.

`was` is what the editor saw. Where somebody else was quicker nothing changes: the answer is 409 with the code `stale`,
what stands now, and who changed it. Undo is the same call with both values swapped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Field, Q
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from accounts.models import User
from catalog.models import Service
from events.errors import Conflict, DomainError, Invalid
from incidents import actions, fields, roles, times
from incidents.models import Incident, IncidentRole, IncidentService, IncidentStatus, Severity, TimelineEntry
from incidents.permissions import can_respond
from incidents.timeline import lock_incident
from incidents.views.finding import visible

Kind = TimelineEntry.Kind


@dataclass(frozen=True)
class Change:
    """What somebody wants: the part of the name behind the dot, the value, and why, where a reason is asked for."""

    actor: Actor
    incident: Incident
    name: str
    value: str
    reason: str
    now: datetime


@dataclass(frozen=True)
class Editable:
    """A kind of value: how it is read and shown as the page has it, what sets it, which entries tell of it.

    `warn` says what speaks against what was set all the same.
    """

    read: Callable[[Incident, str], str]
    shown: Callable[[Incident, str], str]
    write: Callable[[Change], object]
    told_by: Callable[[str], Q]
    can_undo: bool = True
    warn: Callable[[Incident, str], list[str]] = lambda incident, name: []


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n")


def _column(incident: Incident, name: str) -> str:
    return _plain(getattr(incident, name))


def _short(incident: Incident, name: str) -> str:
    text = _column(incident, name)
    return (text[:60].rstrip() + "…") if len(text) > 60 else text or _("empty")


def _write_column(change: Change) -> object:
    value: Any = change.value
    column = Incident._meta.get_field(change.name)
    assert isinstance(column, Field)  # noqa: S101  (COLUMNS names no relations)
    try:
        value = column.clean(change.value.strip() or None if column.null else change.value.strip(), change.incident)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field=change.name) from error
    return actions.edit_incident(actor=change.actor, incident=change.incident, now=change.now, **{change.name: value})


def _write_severity(change: Change) -> object:
    severity = Severity.objects.filter(slug=change.value).first()
    if severity is None:
        raise Invalid(_("There is no such severity."), field="severity")
    return actions.change_severity(actor=change.actor, incident=change.incident, severity=severity, now=change.now)


def _write_status(change: Change) -> object:
    status = IncidentStatus.objects.filter(slug=change.value).first()
    if status is None:
        raise Invalid(_("There is no such status."), field="status")
    return actions.change_status(actor=change.actor, incident=change.incident, status=status, now=change.now)


def _holder(incident: Incident, slug: str) -> User | None:
    assignment = incident.role_assignments.filter(role__slug=slug, ended_at=None).select_related("user").first()
    return assignment.user if assignment else None


def _holder_id(incident: Incident, slug: str) -> str:
    holder = _holder(incident, slug)
    return str(holder.pk) if holder else ""


def _holder_name(incident: Incident, slug: str) -> str:
    holder = _holder(incident, slug)
    return holder.display_name if holder else _("nobody")


def _write_role(change: Change) -> object:
    role = IncidentRole.objects.filter(slug=change.name).first()
    wanted = change.value
    user = User.objects.filter(pk=int(wanted), is_active=True).first() if wanted.isdecimal() else None
    if role is None or (wanted and user is None):
        raise Invalid(_("There is no such role or person."), field="role")
    return roles.assign_role(actor=change.actor, incident=change.incident, role=role, user=user, now=change.now)


def _role_warnings(incident: Incident, slug: str) -> list[str]:
    return roles.role_warnings(IncidentRole.objects.get(slug=slug), _holder(incident, slug))


def _impact(incident: Incident, slug: str) -> str:
    row = IncidentService.objects.filter(incident=incident, service__slug=slug).first()
    return row.impact if row else ""


def _impact_words(incident: Incident, slug: str) -> str:
    impact = _impact(incident, slug)
    return str(IncidentService.Impact(impact).label).lower() if impact else _("not affected")


def _write_impact(change: Change) -> object:
    service = Service.objects.filter(slug=change.name).first()
    if service is None:
        raise Invalid(_("There is no such service."), field="service")
    return actions.set_affected_service(
        actor=change.actor, incident=change.incident, service=service, impact=change.value or None, now=change.now
    )


def _custom(incident: Incident, slug: str) -> str:
    value = incident.fields.get(slug)
    return ",".join(map(str, value)) if isinstance(value, list) else _plain(value)


def _custom_words(incident: Incident, slug: str) -> str:
    (row,) = fields.show_values({slug: incident.fields.get(slug)})
    return row.words or _("empty")


def _write_custom(change: Change) -> object:
    return fields.set_fields(
        actor=change.actor, incident=change.incident, values={change.name: change.value}, now=change.now
    )


def _time(incident: Incident, name: str) -> str:
    at = getattr(incident, f"{name}_at", None)
    return at.astimezone(UTC).isoformat() if at else ""


def _time_words(incident: Incident, name: str) -> str:
    at = getattr(incident, f"{name}_at", None)
    return date_format(localtime(at), "j M H:i") if at else _("not known")


def _write_time(change: Change) -> object:
    value = parse_datetime(change.value) if change.value else None
    if change.value and (value is None or value.tzinfo is None):
        raise Invalid(_("This is not a time."), field="value")
    return times.set_time(
        actor=change.actor,
        incident=change.incident,
        which=change.name,
        value=value,
        reason=change.reason,
        now=change.now,
    )


COLUMN = Editable(_column, _short, _write_column, lambda name: Q(kind=Kind.EDIT) & Q(data__changes__has_key=name))
COLUMNS = ("name", "summary", "users_affected", "impact", "root_cause", "call_url", "revenue_lost", "tickets")
EDITABLE: Mapping[str, Editable] = {
    **dict.fromkeys(COLUMNS, COLUMN),
    "severity": Editable(
        lambda incident, name: incident.severity.slug,
        lambda incident, name: incident.severity.name,
        _write_severity,
        lambda name: Q(kind=Kind.SEVERITY),
    ),
    "status": Editable(
        lambda incident, name: incident.status.slug,
        lambda incident, name: incident.status.name,
        _write_status,
        lambda name: Q(kind=Kind.STATUS),
    ),
    "role": Editable(
        _holder_id,
        _holder_name,
        _write_role,
        lambda name: Q(kind=Kind.ROLE, data__role=name),
        warn=_role_warnings,
    ),
    "service": Editable(_impact, _impact_words, _write_impact, lambda name: Q(kind=Kind.SERVICE, data__service=name)),
    "time": Editable(_time, _time_words, _write_time, lambda name: Q(kind=Kind.TIME, data__which=name), can_undo=False),
    "field": Editable(_custom, _custom_words, _write_custom, lambda name: Q(kind=Kind.FIELD, data__field=name)),
}


@require_POST
def set_value(request: HttpRequest, number: int) -> JsonResponse:
    """Sets one value and answers `{"value", "shown", "can_undo", "warnings"?}`.

    Refusals are `{"error": {"code", "message", "field", "remedy", "now", "shown", "by"}}`.
    """
    incident = visible(request, number)
    kind, _dot, rest = request.POST.get("field", "").partition(".")
    name = rest or kind
    editable = EDITABLE.get(kind)
    change = Change(
        actor=actor_of(request),
        incident=incident,
        name=name,
        value=_plain(request.POST.get("value", "")),
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
    )
    try:
        if editable is None:
            raise Invalid(_("This can't be edited in place."), field=kind)
        with transaction.atomic():
            fresh = lock_incident(incident.pk)
            if can_respond(change.actor, fresh) and "was" in request.POST:
                _refuse_stale(editable, fresh, name, seen=_plain(request.POST["was"]), wanted=change.value)
            editable.write(change)
    except DomainError as error:
        told = {"code": error.code, "message": error.message, "field": error.field, "remedy": error.remedy}
        return JsonResponse({"error": told | error.details}, status=error.status)
    after = Incident.objects.select_related("severity", "status").get(pk=incident.pk)
    set_to: dict[str, Any] = {"value": editable.read(after, name), "shown": editable.shown(after, name)}
    set_to["can_undo"] = editable.can_undo
    warnings = editable.warn(after, name)
    return JsonResponse(set_to | ({"warnings": warnings} if warnings else {}))


def _refuse_stale(editable: Editable, incident: Incident, name: str, *, seen: str, wanted: str) -> None:
    stands = editable.read(incident, name)
    if stands in (seen, wanted):
        return
    entry = incident.timeline.filter(editable.told_by(name)).order_by("-sequence").first()
    by = entry.actor_name if entry else _("Somebody")
    shown = editable.shown(incident, name)
    raise Conflict(
        _("%(by)s changed this meanwhile: it is “%(shown)s” now.") % {"by": by, "shown": shown},
        code="stale",
        field=name,
        remedy=_("Which of both is right?"),
        details={"now": stands, "shown": shown, "by": by},
    )
