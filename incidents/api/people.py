"""Roles in the REST API: who has which, who had, what is missing; given, taken, left."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import ActionViewSet
from incidents import roles, writing
from incidents.api.naming import by_slug, person
from incidents.api.reading import IncidentSerializer, PersonSerializer
from incidents.models import Incident, IncidentRole, RoleAssignment


class RoleAssignmentSerializer(serializers.ModelSerializer[RoleAssignment]):
    """Who has or had a role, from when until when, and what they were told as they got it."""

    role = serializers.SlugRelatedField[IncidentRole](slug_field="slug", read_only=True)
    user = PersonSerializer(read_only=True)

    class Meta:
        model = RoleAssignment
        fields = ["role", "user", "started_at", "ended_at", "assigned_by_name", "note"]


class AssignRoleSerializer(serializers.Serializer[Any]):
    """Gives a role to a person; `user: null` leaves it open. The note is what the next one should know."""

    role = by_slug(IncidentRole)
    user = person(allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=writing.LONGEST_TEXT)


class OwnRoleSerializer(serializers.Serializer[Any]):
    """Names a role that the caller takes or leaves."""

    role = by_slug(IncidentRole)
    note = serializers.CharField(required=False, allow_blank=True, max_length=writing.LONGEST_TEXT)


class RoleChangedSerializer(IncidentSerializer):
    """The incident, and what speaks against whom the role was given to."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(IncidentSerializer.Meta):
        fields = [*IncidentSerializer.Meta.fields, "warnings"]


class PeopleMixin(ActionViewSet):
    """The roles of an incident."""

    @extend_schema(responses=RoleAssignmentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="roles", pagination_class=None)
    def role_history(self, request: Request, number: str) -> Response:
        """Who has and had which role, the latest first."""
        rows = self.get_object().role_assignments.select_related("role", "user").order_by("-started_at", "-pk")
        return Response(RoleAssignmentSerializer(rows, many=True).data)

    @extend_schema(request=AssignRoleSerializer, responses=RoleChangedSerializer)
    @role_history.mapping.post
    def assign_role(self, request: Request, number: str) -> Response:
        """Gives a role to somebody, or leaves it open; `warnings` say what speaks against it."""
        data = self.validated(AssignRoleSerializer)
        incident = roles.assign_role(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return self._role_changed(incident, roles.role_warnings(data["role"], data["user"]))

    @extend_schema(request=OwnRoleSerializer, responses=RoleChangedSerializer)
    @action(detail=True, methods=["post"], url_path="roles/take")
    def take_role(self, request: Request, number: str) -> Response:
        """The caller takes a role."""
        data = self.validated(OwnRoleSerializer)
        incident = roles.take_role(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return self._role_changed(incident, roles.role_warnings(data["role"], roles.holder(incident, data["role"])))

    @extend_schema(request=OwnRoleSerializer, responses=RoleChangedSerializer)
    @action(detail=True, methods=["post"], url_path="roles/leave")
    def leave_role(self, request: Request, number: str) -> Response:
        """The caller leaves a role that they have."""
        data = self.validated(OwnRoleSerializer)
        incident = roles.leave_role(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return self._role_changed(incident, [])

    def _role_changed(self, incident: Incident, warnings: list[str]) -> Response:
        shown = self.get_queryset().filter(pk=incident.pk).first()
        if shown is None:
            return Response(status=204)
        return Response(self.get_serializer(shown).data | {"warnings": warnings})
