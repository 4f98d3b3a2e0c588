"""How an incident stands, read from its rows, so that it can be compared with what its timeline tells."""

from datetime import datetime

from incidents.models import Incident
from incidents.replay import State


def state_of(incident: Incident) -> State:
    """How the rows have it, freshly read."""
    row = Incident.objects.select_related("severity", "status", "incident_type").get(pk=incident.pk)
    return State(
        name=row.name,
        severity=row.severity.slug,
        status=row.status.slug,
        type=row.incident_type.slug,
        mode=row.mode,
        visibility=row.visibility,
        roles=roles_of(row),
        services=services_of(row),
        times={column: at.isoformat() for column, at in row.times().items() if at is not None},
        paused_at=_plain(row.paused_at),
        pauses=row.pauses,
        is_merged=row.merged_into_id is not None,
    )


def roles_of(incident: Incident) -> dict[str, int]:
    """Who has which role now: the person's id by the role's slug."""
    return dict(incident.role_assignments.filter(ended_at=None).values_list("role__slug", "user_id"))


def services_of(incident: Incident) -> dict[str, str]:
    """The impact on each affected service by its slug."""
    return dict(incident.affected_services.values_list("service__slug", "impact"))


def _plain(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
