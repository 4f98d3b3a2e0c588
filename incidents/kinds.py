"""What the type of an incident decides: which severities it can have, and who sees it."""

from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.membership import set_visibility
from incidents.models import Incident, IncidentType, Severity, TimelineEntry
from incidents.timeline import add_entry
from incidents.writing import locked


def default_type() -> IncidentType:
    """The type of an incident of which nobody says what it is; raises Conflict without any."""
    found = IncidentType.objects.filter(is_active=True).order_by("-is_default", "id").first()
    if found is None:
        raise Conflict("The presets are not loaded.", remedy="Run `manage.py load_presets` once.")
    return found


def allows(incident_type: IncidentType, severity: Severity) -> bool:
    """Whether incidents of this type can have this severity: a type that names none allows all."""
    allowed = {each.pk for each in incident_type.severities.all()}
    return not allowed or severity.pk in allowed


def offered_severities(incident_type: IncidentType) -> list[Severity]:
    """Those that incidents of this type can be given, the worst first."""
    return list(incident_type.severities.filter(is_active=True)) or list(Severity.objects.filter(is_active=True))


def refuse_severity(incident_type: IncidentType, severity: Severity, *, field: str = "severity") -> None:
    """Raises Invalid for a severity that the type does not allow, or that is archived, naming those that it can be."""
    if severity.is_active and allows(incident_type, severity):
        return
    named = offered_severities(incident_type)
    why = (
        f"{severity.name} is not in use any more."
        if not severity.is_active
        else f"Incidents of the type {incident_type.name} can't be {severity.name}."
    )
    raise Invalid(why, field=field, remedy=f"Use {', '.join(each.name for each in named)}.")


def refuse_type(incident_type: IncidentType) -> None:
    """Raises Invalid for a type of which no incidents are declared any more."""
    if not incident_type.is_active:
        raise Invalid(
            f"Incidents of the type {incident_type.name} are not declared any more.",
            field="incident_type",
            remedy="Choose another type.",
        )


@transaction.atomic
def change_type(*, actor: Actor, incident: Incident, incident_type: IncidentType, now: datetime) -> Incident:
    """Makes it an incident of another type; the same again changes nothing.

    A type that is private by default makes a public incident private. Raises Invalid for a type that is not in use,
    Conflict for one that does not allow the severity.
    """
    incident = locked(actor, incident)
    before = incident.incident_type
    if before.pk == incident_type.pk:
        return incident
    refuse_type(incident_type)
    if not allows(incident_type, incident.severity):
        allowed = ", ".join(each.name for each in incident_type.severities.filter(is_active=True))
        raise Conflict(
            f"Incidents of the type {incident_type.name} can't be {incident.severity.name}.",
            field="incident_type",
            remedy=f"Change the severity to one that both types allow first; {incident_type.name} allows {allowed}.",
        )
    incident.incident_type = incident_type
    incident.save(update_fields=["incident_type"])
    data = {"type": {"from": before.slug, "to": incident_type.slug}}
    text = f"changed the type {before.name} → {incident_type.name}"
    add_entry(incident=incident, actor=actor, kind=TimelineEntry.Kind.EDIT, text=text, now=now, data=data)
    publish("incident.type_changed", subject=incident, actor=actor, data=data["type"])
    if incident_type.private_by_default and not incident.is_private:
        incident = set_visibility(actor=actor, incident=incident, visibility=Incident.Visibility.PRIVATE, now=now)
    return incident
