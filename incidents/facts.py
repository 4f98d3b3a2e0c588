"""What conditions and templates can ask of an incident: announcement rules, workflows, and words to start with.

Every fact is a plain value, so that a template sees nothing else. Lists (services, teams, …) are asked with `contains`.
"""

from datetime import datetime
from typing import Any

from django.conf import settings

from incidents.models import CustomField, Incident, IncidentRole, IncidentService, RoleAssignment

NAMES = (
    *("reference", "number", "url", "name", "summary", "impact", "root_cause"),
    *("severity", "severity_name", "rank", "status", "status_name", "category", "is_open"),
    *("type", "type_name", "mode", "is_private", "is_stream", "parent"),
    *("services", "service_names", "service_impacts", "tier", "lifecycles", "teams", "functionalities"),
    *("users_affected", "revenue_lost", "tickets", "declared_by", "lead"),
    *("started_at", "declared_at", "acknowledged_at", "mitigated_at", "resolved_at", "next_update_due_at"),
    *("is_acknowledged", "is_mitigated", "is_paused", "has_update"),
)


def facts_of(incident: Incident) -> dict[str, Any]:
    """Each fact by its name, in a constant number of queries.

    `severity`, `status`, `type`, `services`, `teams` and `functionalities` are slugs, `tier` is that of the most
    critical service affected, times are ISO 8601 in UTC, `roles.<slug>` is who has a role, `fields.<slug>` the value of
    a custom field. What is not known is missing, "" or None.
    """
    affected = list(
        IncidentService.objects.filter(incident=incident)
        .select_related("service__team")
        .prefetch_related("service__functionalities")
    )
    services = [row.service for row in affected]
    roles = {
        row.role.slug: row.user.display_name
        for row in RoleAssignment.objects.filter(incident=incident, ended_at=None).select_related("role", "user")
    }
    facts = {
        "reference": incident.reference,
        "number": incident.number,
        "url": f"{settings.PUBLIC_URL}{incident.get_absolute_url()}",
        "name": incident.name,
        "summary": incident.summary,
        "impact": incident.impact,
        "root_cause": incident.root_cause,
        "severity": incident.severity.slug,
        "severity_name": incident.severity.name,
        "rank": incident.severity.rank,
        "status": incident.status.slug,
        "status_name": incident.status.name,
        "category": incident.status.category,
        "is_open": incident.is_open,
        "type": incident.incident_type.slug,
        "type_name": incident.incident_type.name,
        "mode": incident.mode,
        "is_private": incident.is_private,
        "is_stream": incident.parent_id is not None,
        "parent": incident.parent.reference if incident.parent else "",
        "services": [service.slug for service in services],
        "service_names": [service.name for service in services],
        "service_impacts": sorted({row.impact for row in affected}),
        "lifecycles": sorted({service.lifecycle for service in services}),
        "teams": sorted({service.team.slug for service in services if service.team}),
        "functionalities": sorted({each.slug for service in services for each in service.functionalities.all()}),
        "users_affected": incident.users_affected,
        "revenue_lost": None if incident.revenue_lost is None else float(incident.revenue_lost),
        "tickets": incident.tickets,
        "declared_by": incident.declared_by_name,
        "lead": roles.get("lead", ""),
        "roles": roles,
        "fields": incident.fields,
        "is_acknowledged": incident.acknowledged_at is not None,
        "is_mitigated": incident.mitigated_at is not None,
        "is_paused": incident.paused_at is not None,
        "has_update": incident.last_update_at is not None,
    }
    times = ("started_at", "declared_at", "acknowledged_at", "mitigated_at", "resolved_at", "next_update_due_at")
    facts |= {name: _instant(getattr(incident, name)) for name in times}
    if services:
        facts["tier"] = min(service.tier for service in services)
    return facts


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def known_facts() -> list[str]:
    """The names that people can ask for: those of every incident, its roles, and the site's own fields."""
    roles = IncidentRole.objects.filter(is_active=True).values_list("slug", flat=True)
    fields = CustomField.objects.filter(is_active=True).values_list("slug", flat=True)
    return [*NAMES, *(f"roles.{slug}" for slug in roles), *(f"fields.{slug}" for slug in fields)]
