"""Incidents as the REST API shows them."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from catalog.models import Service
from incidents.models import (
    Incident,
    IncidentRole,
    IncidentService,
    IncidentStatus,
    IncidentType,
    IncidentUpdate,
    RoleAssignment,
    Severity,
    TimelineEntry,
)
from incidents.roles import missing_roles


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person, in short."""

    class Meta:
        model = User
        fields = ["id", "name", "email"]


class CurrentRoleSerializer(serializers.ModelSerializer[RoleAssignment]):
    """Who plays a role now."""

    role = serializers.SlugRelatedField[IncidentRole](slug_field="slug", read_only=True)
    user = PersonSerializer(read_only=True)

    class Meta:
        model = RoleAssignment
        fields = ["role", "user", "started_at"]


class AffectedServiceSerializer(serializers.ModelSerializer[IncidentService]):
    """A service that the incident affects."""

    service = serializers.SlugRelatedField[Service](slug_field="slug", read_only=True)

    class Meta:
        model = IncidentService
        fields = ["service", "impact"]


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident as lists and its own address show it."""

    severity = serializers.SlugRelatedField[Severity](slug_field="slug", read_only=True)
    status = serializers.SlugRelatedField[IncidentStatus](slug_field="slug", read_only=True)
    status_category = serializers.CharField(source="status.category", read_only=True)
    incident_type = serializers.SlugRelatedField[IncidentType](slug_field="slug", read_only=True)
    roles = CurrentRoleSerializer(source="current_roles", many=True, read_only=True)
    services = AffectedServiceSerializer(source="current_services", many=True, read_only=True)
    missing_roles = serializers.SerializerMethodField(help_text="Slugs of the roles that the severity requires still.")
    url = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = [
            "id",
            "number",
            "reference",
            "url",
            "name",
            "summary",
            "mode",
            "visibility",
            "incident_type",
            "severity",
            "status",
            "status_category",
            "roles",
            "missing_roles",
            "services",
            "fields",
            "users_affected",
            "declared_by_name",
            "started_at",
            "detected_at",
            "declared_at",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "closed_at",
            "last_update_at",
            "next_update_due_at",
        ]

    @extend_schema_field(serializers.ListField(child=serializers.SlugField()))
    def get_missing_roles(self, incident: Incident) -> list[str]:
        return [role.slug for role in missing_roles(incident)]

    @extend_schema_field(serializers.CharField())
    def get_url(self, incident: Incident) -> str:
        return incident.get_absolute_url()


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    """One line of the timeline."""

    class Meta:
        model = TimelineEntry
        fields = [
            "sequence",
            "kind",
            "text",
            "data",
            "actor_kind",
            "actor_name",
            "user",
            "via",
            "occurred_at",
            "is_key",
        ]


class IncidentUpdateSerializer(serializers.ModelSerializer[IncidentUpdate]):
    """An internal update as it was posted."""

    severity = serializers.SlugRelatedField[Severity](slug_field="slug", read_only=True)
    status = serializers.SlugRelatedField[IncidentStatus](slug_field="slug", read_only=True)

    class Meta:
        model = IncidentUpdate
        fields = [
            "id",
            "text",
            "doing",
            "severity",
            "status",
            "author",
            "author_name",
            "created_at",
            "next_update_due_at",
        ]
