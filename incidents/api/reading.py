"""Incidents as the REST API shows them."""

from typing import Any

from django.utils import timezone
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
)
from incidents.modes import update_interval
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


class DurationsSerializer(serializers.Serializer[Any]):
    """How long things took, in seconds: from the declaration, detecting from the beginning of the impact."""

    to_detect = serializers.IntegerField(allow_null=True)
    to_acknowledge = serializers.IntegerField(allow_null=True)
    to_mitigate = serializers.IntegerField(allow_null=True)
    to_resolve = serializers.IntegerField(allow_null=True)
    impact = serializers.IntegerField(allow_null=True)
    lasted = serializers.IntegerField()


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """An incident as lists and its own address show it."""

    severity = serializers.SlugRelatedField[Severity](slug_field="slug", read_only=True)
    status = serializers.SlugRelatedField[IncidentStatus](slug_field="slug", read_only=True)
    status_category = serializers.CharField(source="status.category", read_only=True)
    incident_type = serializers.SlugRelatedField[IncidentType](slug_field="slug", read_only=True)
    roles = CurrentRoleSerializer(source="current_roles", many=True, read_only=True)
    services = AffectedServiceSerializer(source="current_services", many=True, read_only=True)
    missing_roles = serializers.SerializerMethodField(help_text="Slugs of the roles that the severity requires still.")
    parent = serializers.IntegerField(  # type: ignore[assignment]  # the wire name; Serializer.parent is not used
        source="visible_parent.number", default=None, read_only=True, help_text="The incident of which it is a stream."
    )
    merged_into = serializers.IntegerField(source="visible_target.number", default=None, read_only=True)
    streams = serializers.SerializerMethodField(help_text="Numbers of its streams that you may see.")
    durations = serializers.SerializerMethodField(help_text="In seconds, without pauses; null where an end is unknown.")
    url = serializers.SerializerMethodField()
    update_interval_minutes = serializers.SerializerMethodField(
        help_text="How often updates are due: as the timer was set, else as the severity says; null for never."
    )

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
            "impact",
            "root_cause",
            "call_url",
            "users_affected",
            "revenue_lost",
            "tickets",
            "parent",
            "streams",
            "merged_into",
            "declared_by_name",
            "started_at",
            "detected_at",
            "declared_at",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "closed_at",
            "durations",
            "paused_at",
            "paused_seconds",
            "last_update_at",
            "next_update_due_at",
            "update_interval_minutes",
        ]

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_update_interval_minutes(self, incident: Incident) -> float | None:
        interval = update_interval(incident)
        return interval.total_seconds() / 60 if interval else None

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_streams(self, incident: Incident) -> list[int]:
        return [stream.number for stream in getattr(incident, "visible_streams", [])]

    @extend_schema_field(DurationsSerializer)
    def get_durations(self, incident: Incident) -> dict[str, int | None]:
        return incident.durations(timezone.now()).in_seconds()

    @extend_schema_field(serializers.ListField(child=serializers.SlugField()))
    def get_missing_roles(self, incident: Incident) -> list[str]:
        return [role.slug for role in missing_roles(incident)]

    @extend_schema_field(serializers.CharField())
    def get_url(self, incident: Incident) -> str:
        return incident.get_absolute_url()


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
