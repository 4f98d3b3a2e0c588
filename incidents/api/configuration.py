"""The configuration of incidents in the REST API."""

from typing import Any

from rest_framework import mixins, serializers, viewsets

from incidents.models import (
    IncidentRole,
    IncidentStatus,
    IncidentType,
    Severity,
)


class SeveritySerializer(serializers.ModelSerializer[Severity]):
    """How bad; a higher rank is worse."""

    class Meta:
        model = Severity
        fields = [
            "slug",
            "name",
            "rank",
            "description",
            "response",
            "acknowledge_target",
            "resolve_target",
            "update_interval",
            "pages",
            "requires_postmortem",
        ]


class IncidentStatusSerializer(serializers.ModelSerializer[IncidentStatus]):
    """A step of the response, in a category."""

    class Meta:
        model = IncidentStatus
        fields = ["slug", "name", "category", "position", "description"]


class IncidentRoleSerializer(serializers.ModelSerializer[IncidentRole]):
    """A part that somebody plays."""

    class Meta:
        model = IncidentRole
        fields = ["slug", "name", "short_name", "description", "position"]


class IncidentTypeSerializer(serializers.ModelSerializer[IncidentType]):
    """A kind of incident."""

    class Meta:
        model = IncidentType
        fields = ["slug", "name", "description", "is_default", "private_by_default"]


class ConfigurationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Rows of the configuration; they are changed in the admin."""

    lookup_field = "slug"
    pagination_class = None


class SeverityViewSet(ConfigurationViewSet):
    queryset = Severity.objects.all()
    serializer_class = SeveritySerializer


class IncidentStatusViewSet(ConfigurationViewSet):
    queryset = IncidentStatus.objects.all()
    serializer_class = IncidentStatusSerializer


class IncidentRoleViewSet(ConfigurationViewSet):
    queryset = IncidentRole.objects.all()
    serializer_class = IncidentRoleSerializer


class IncidentTypeViewSet(ConfigurationViewSet):
    queryset = IncidentType.objects.all()
    serializer_class = IncidentTypeSerializer
