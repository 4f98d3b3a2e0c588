"""Who stands by for the services that an incident affects: their owners, who is on call now, what pages already."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Service
from incidents.models import Incident, IncidentService
from oncall.ladder import on_call_now
from oncall.models import Escalation


@dataclass(frozen=True)
class Standby:
    """An affected service: whom its policy would page first now, and what pages along it for the incident already."""

    service: Service
    impact: str
    on_call: list[User]
    escalation: Escalation | None

    @property
    def words(self) -> str:
        """Who is on call, or why nobody is."""
        if self.on_call:
            return _("on call: %(names)s") % {"names": ", ".join(user.display_name for user in self.on_call)}
        return _("nobody is on call") if self.service.escalation_policy else _("no escalation policy")

    @property
    def tone(self) -> str:
        """How bad that is."""
        return "neutral" if self.on_call else "down" if self.service.escalation_policy else "warn"


def standby_of(incident: Incident, now: datetime) -> list[Standby]:
    """The affected services, the most critical first, with whoever stands by for each at `now`."""
    affected = list(
        IncidentService.objects.filter(incident=incident).select_related("service__team", "service__escalation_policy")
    )
    policies = {row.service.escalation_policy for row in affected if row.service.escalation_policy}
    on_call = on_call_now(sorted(policies, key=lambda policy: policy.pk), now)
    running = {each.policy_id: each for each in incident.escalations.filter(ended_at=None).order_by("-pk")}
    return [
        Standby(
            row.service,
            row.impact,
            on_call.get(row.service.escalation_policy_id or 0, []),
            running.get(row.service.escalation_policy_id) if row.service.escalation_policy_id else None,
        )
        for row in affected
    ]
