"""Incidents and all that belongs to them in the REST API: a module per subject, joined here."""

from typing import Any

from rest_framework import viewsets

from incidents.api.configuration import (
    AnnouncementRuleViewSet,
    ChecklistItemViewSet,
    CustomFieldViewSet,
    IncidentRoleViewSet,
    IncidentStatusViewSet,
    IncidentTypeViewSet,
    QualificationViewSet,
    SeverityViewSet,
    UpdateTemplateViewSet,
)
from incidents.api.incidents import IncidentViewSet

routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("incidents", IncidentViewSet, "incident"),
    ("severities", SeverityViewSet, "severity"),
    ("incident-statuses", IncidentStatusViewSet, "incident-status"),
    ("incident-roles", IncidentRoleViewSet, "incident-role"),
    ("incident-types", IncidentTypeViewSet, "incident-type"),
    ("qualifications", QualificationViewSet, "qualification"),
    ("custom-fields", CustomFieldViewSet, "custom-field"),
    ("checklist-items", ChecklistItemViewSet, "checklist-item"),
    ("update-templates", UpdateTemplateViewSet, "update-template"),
    ("announcement-rules", AnnouncementRuleViewSet, "announcement-rule"),
]
