"""An incident for those who do not work on it: what is wrong, how bad, since when, what is done, what comes next."""

from dataclasses import dataclass, field
from datetime import datetime

from incidents.models import Incident, IncidentAction, IncidentService, IncidentUpdate, RoleAssignment

UPDATES_SHOWN = 5


@dataclass(frozen=True)
class Brief:
    """What is told of an incident in plain words, without its chatter."""

    incident: Incident
    what: str
    impact: str
    services: list[IncidentService]
    since: datetime
    lead: str
    doing: str
    left: list[str] = field(default_factory=list)
    updates: list[IncidentUpdate] = field(default_factory=list)

    @property
    def latest(self) -> IncidentUpdate | None:
        return self.updates[0] if self.updates else None


def brief_of(incident: Incident) -> Brief:
    """The brief of an incident, in five queries. What is done is what the newest update with such words says."""
    updates = list(
        IncidentUpdate.objects.filter(incident=incident).select_related("severity", "status")[:UPDATES_SHOWN]
    )
    left = list(IncidentAction.objects.filter(incident=incident, done_at=None).values_list("title", flat=True))
    leading = RoleAssignment.objects.filter(incident=incident, role__slug="lead", ended_at=None).select_related("user")
    lead = leading.first()
    return Brief(
        incident=incident,
        what=incident.summary,
        impact=incident.impact,
        services=list(IncidentService.objects.filter(incident=incident).select_related("service")),
        since=incident.started_at or incident.declared_at,
        lead=lead.user.display_name if lead else "",
        doing=next((update.doing for update in updates if update.doing), ""),
        left=left,
        updates=updates,
    )
