"""What an incident is part of, and what is part of it, as far as all may know who see it."""

from dataclasses import dataclass

from django.db.models import Q

from incidents.models import Incident, IncidentMember


@dataclass(frozen=True)
class Kin:
    """Its parent, the incident that it was merged into, its streams, and those that were merged into it."""

    parent: Incident | None
    target: Incident | None
    streams: list[Incident]
    sources: list[Incident]

    @property
    def open_streams(self) -> int:
        return sum(stream.is_open for stream in self.streams)

    def __bool__(self) -> bool:
        return bool(self.parent or self.target or self.streams or self.sources)


def kin_of(incident: Incident) -> Kin:
    """Found in one query, two where private ones are among them. One whose members are others is left out."""
    related = (
        Q(parent=incident) | Q(merged_into=incident) | Q(pk__in=[incident.parent_id or 0, incident.merged_into_id or 0])
    )
    rows = list(Incident.objects.filter(related).select_related("status", "severity").order_by("number"))
    private = [row.pk for row in rows if row.is_private]
    seen: dict[int, set[int]] = {}
    if private and incident.is_private:
        for pk, user_id in IncidentMember.objects.filter(incident__in=[*private, incident.pk]).values_list(
            "incident_id", "user_id"
        ):
            seen.setdefault(pk, set()).add(user_id)
    inside = seen.get(incident.pk, set())
    shown = {
        row.pk: row for row in rows if not row.is_private or (incident.is_private and inside <= seen.get(row.pk, set()))
    }
    return Kin(
        parent=shown.get(incident.parent_id or 0),
        target=shown.get(incident.merged_into_id or 0),
        streams=[row for row in shown.values() if row.parent_id == incident.pk],
        sources=[row for row in shown.values() if row.merged_into_id == incident.pk],
    )
