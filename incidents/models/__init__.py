"""Everything that incidents store, by subject; the rest of the house takes it from here."""

from incidents.models.configuration import (
    OPEN_CATEGORIES,
    AnnouncementRule,
    ChecklistItem,
    CustomField,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    PersonQualification,
    Qualification,
    Severity,
    StatusCategory,
    UpdateTemplate,
)
from incidents.models.incidents import Incident, IncidentMerge, IncidentQuerySet, IncidentService
from incidents.models.people import IncidentFollower, IncidentMember, RoleAssignment
from incidents.models.timeline import (
    MARKDOWN_KINDS,
    WRITTEN_KINDS,
    IncidentFile,
    IncidentUpdate,
    Reaction,
    ReactionGroup,
    TimelineEntry,
    TimelineEntryQuerySet,
    TimelineRevision,
)
from incidents.models.work import ChecklistTick, IncidentAction, IncidentLink

__all__ = [
    "MARKDOWN_KINDS",
    "OPEN_CATEGORIES",
    "WRITTEN_KINDS",
    "AnnouncementRule",
    "ChecklistItem",
    "ChecklistTick",
    "CustomField",
    "Incident",
    "IncidentAction",
    "IncidentFile",
    "IncidentFollower",
    "IncidentLink",
    "IncidentMember",
    "IncidentMerge",
    "IncidentQuerySet",
    "IncidentRole",
    "IncidentService",
    "IncidentStatus",
    "IncidentType",
    "IncidentUpdate",
    "PersonQualification",
    "Qualification",
    "Reaction",
    "ReactionGroup",
    "RoleAssignment",
    "Severity",
    "StatusCategory",
    "TimelineEntry",
    "TimelineEntryQuerySet",
    "TimelineRevision",
    "UpdateTemplate",
]
