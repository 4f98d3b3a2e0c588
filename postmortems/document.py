"""A postmortem as it is read: its sections with the text of this moment, and its action items."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from incidents.models import Incident, RoleAssignment
from postmortems.draft import generated_text
from postmortems.models import ActionItem, Postmortem, PostmortemSection


@dataclass(frozen=True)
class Part:
    """A section and its text: a generated one follows the incident until the postmortem is published."""

    section: PostmortemSection
    text: str


def current_text(section: PostmortemSection, postmortem: Postmortem) -> str:
    """The section's text as a reader should see it now."""
    if section.is_generated and postmortem.status != Postmortem.Status.PUBLISHED:
        return generated_text(section.source, postmortem.incident)
    return section.text


def parts_of(postmortem: Postmortem) -> list[Part]:
    """All sections in their order."""
    sections = postmortem.sections.select_related("updated_by", "owner_role")
    return [Part(section, current_text(section, postmortem)) for section in sections]


def roles_of(incident: Incident) -> Sequence[RoleAssignment]:
    """Who played which role to the end."""
    held = incident.role_assignments.filter(ended_at=None).select_related("role", "user")
    return list(held.order_by("role__position"))


def action_items_of(incident: Incident) -> Sequence[ActionItem]:
    """The incident's action items, the most urgent first."""
    items = incident.action_items.select_related("owner", "incident")
    return list(items.order_by("priority", F("due_on").asc(nulls_last=True), "id"))
