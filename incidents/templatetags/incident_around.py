"""What the panels beside an incident ask for: `{% load incident_around %}`. The same for all its viewers."""

from zlib import crc32

from django import template

from accounts.actor import actor_of
from accounts.models import User
from catalog.mitigations import mitigations_of
from catalog.models import Mitigation
from incidents.fields import ShownField, show_fields
from incidents.forms.fields import choices_of
from incidents.models import CustomField, Incident, IncidentRole, PersonQualification
from incidents.roles import RoleRecord, missing_roles, offered_roles, roles_held

register = template.Library()
SHOWN = 8
Kind = CustomField.Kind
# How a value is edited where it stands; what is not here is edited in the dialog.
INLINE = {Kind.TEXT: "text", Kind.LINK: "text", Kind.NUMBER: "number", Kind.DATE: "text", Kind.PERSON: "choice"}
INLINE |= {Kind.SELECT: "choice", Kind.SERVICE: "choice", Kind.TEAM: "choice"}


@register.simple_tag
def roles_missing(incident: Incident) -> list[IncidentRole]:
    """`{% roles_missing incident as roles %}`: what the severity requires and nobody plays; none once it is over."""
    return missing_roles(incident) if incident.is_open else []


@register.simple_tag
def roles_offered(incident: Incident) -> list[IncidentRole]:
    """`{% roles_offered incident as roles %}`: those that can be given."""
    return offered_roles(incident.incident_type)


@register.simple_tag
def custom_fields(incident: Incident) -> list[ShownField]:
    """`{% custom_fields incident as fields %}`: each with its value in words."""
    return show_fields(incident)


@register.filter
def inline_kind(shown: ShownField) -> str:
    """How the value is edited in place; empty where it is not."""
    return INLINE.get(Kind(shown.kind), "") if shown.is_current and shown.field is not None else ""


@register.filter
def inline_choices(shown: ShownField) -> list[tuple[str, str]]:
    """What can be chosen for the value; people are on the page already."""
    return choices_of(shown.field) if shown.field is not None and shown.kind != Kind.PERSON else []


@register.simple_tag
def helps(incident: Incident) -> list[Mitigation]:
    """`{% helps incident as mitigations %}`: what helps with the affected services."""
    services = [affected.service for affected in getattr(incident, "current_services", [])]
    return mitigations_of(services)[:SHOWN] if services else []


@register.simple_tag
def around_mark(incident: Incident) -> str:
    """Changes with all that the blast radius and the similar incidents depend on: then they are loaded anew."""
    services = sorted(affected.service_id for affected in getattr(incident, "current_services", []))
    escalations = sorted(escalation.pk for escalation in incident.escalations.all())
    return f"{crc32(repr((incident.name, incident.summary, services, escalations)).encode()):08x}"


@register.simple_tag(takes_context=True)
def role_records(context: dict[str, object], user: User) -> list[RoleRecord]:
    """`{% role_records person as records %}`: the roles that somebody has had, as far as the viewer may see where."""
    return roles_held(actor_of(context["request"]), user)  # type: ignore[arg-type]  # a template's context is untyped


@register.simple_tag
def qualifications_of(user: User) -> list[PersonQualification]:
    """`{% qualifications_of person as qualifications %}`: the highest first."""
    return list(user.qualifications.select_related("qualification").order_by("-qualification__rank"))
