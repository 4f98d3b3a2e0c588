"""What can start a workflow: the events with their names for people, and how each kind of trigger reads."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Happening:
    """An event that workflows can wait for. `words` completes "When …"; `about` is what its facts stand under."""

    name: str
    label: Any
    words: Any
    about: str = "incident"


HAPPENINGS: dict[str, Happening] = {
    each.name: each
    for each in (
        Happening("incident.declared", _("Incident declared"), _("an incident is declared")),
        Happening("incident.accepted", _("Incident accepted in triage"), _("an incident is accepted in triage")),
        Happening("incident.declined", _("Incident declined"), _("an incident is declined")),
        Happening("incident.canceled", _("Incident canceled"), _("an incident is canceled")),
        Happening("incident.merged", _("Incident merged"), _("an incident is merged")),
        Happening("incident.severity_changed", _("Severity changed"), _("the severity changes")),
        Happening("incident.status_changed", _("Status changed"), _("the status changes")),
        Happening("incident.mitigated", _("Incident mitigated"), _("an incident is mitigated")),
        Happening("incident.resolved", _("Incident resolved"), _("an incident is resolved")),
        Happening("incident.reopened", _("Incident reopened"), _("an incident is reopened")),
        Happening("incident.closed", _("Incident closed"), _("an incident is closed")),
        Happening("incident.updated", _("Update posted"), _("an update is posted")),
        Happening("incident.update_overdue", _("Update timer ran out"), _("the update timer runs out")),
        Happening("incident.role_assigned", _("Role assigned"), _("a role is assigned")),
        Happening("incident.service_changed", _("Affected service changed"), _("an affected service changes")),
        Happening("incident.fields_changed", _("Field changed"), _("a field changes")),
        Happening("alert.fired", _("Alert fired"), _("an alert fires"), "alert"),
        Happening("alert.joined", _("Alert joined an incident"), _("an alert joins an incident"), "alert"),
        Happening("alert.resolved", _("Alert resolved"), _("an alert resolves"), "alert"),
        Happening("escalation.started", _("Paging started"), _("paging starts"), "escalation"),
        Happening("escalation.acknowledged", _("Page acknowledged"), _("a page is acknowledged"), "escalation"),
        Happening("escalation.exhausted", _("Nobody answered"), _("nobody answers a page"), "escalation"),
        Happening("postmortem.started", _("Postmortem started"), _("a postmortem is started"), "postmortem"),
        Happening(
            "postmortem.status_changed",
            _("Postmortem published or in review"),
            _("a postmortem changes its status"),
            "postmortem",
        ),
        Happening("action_item.created", _("Action item created"), _("an action item is created"), "action_item"),
        Happening("action_item.changed", _("Action item changed"), _("an action item changes"), "action_item"),
        Happening("action_item.overdue", _("Action item overdue"), _("an action item is overdue"), "action_item"),
        Happening(
            "maintenance_window.started", _("Maintenance window began"), _("a maintenance window begins"), "window"
        ),
        Happening("maintenance_window.ended", _("Maintenance window ended"), _("a maintenance window ends"), "window"),
        Happening("schedule.changed", _("Schedule changed"), _("a schedule changes"), "schedule"),
        Happening("handover.happened", _("Shift handed over"), _("a shift is handed over"), "schedule"),
        Happening(
            "status_page.incident_published",
            _("Public incident published"),
            _("a public incident is published"),
            "public_incident",
        ),
        Happening(
            "status_page.incident_resolved",
            _("Public incident resolved"),
            _("a public incident is resolved"),
            "public_incident",
        ),
    )
}
