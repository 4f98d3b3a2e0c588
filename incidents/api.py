"""Incidents and their configuration in the REST API."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.rest import ActionViewSet
from catalog.models import Service
from incidents import actions, paging
from incidents.filters import IncidentFilter
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
from oncall.models import Escalation, EscalationPolicy, Urgency


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
            "services",
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

    @extend_schema_field(serializers.CharField())
    def get_url(self, incident: Incident) -> str:
        return incident.get_absolute_url()


def by_slug(model: Any, **more: Any) -> Any:
    """A field that names a row of the configuration by its slug."""
    return serializers.SlugRelatedField(slug_field="slug", queryset=model.objects.all(), **more)


def person(**more: Any) -> Any:
    """A field that names an active person by id."""
    return serializers.PrimaryKeyRelatedField(queryset=User.objects.filter(is_active=True), **more)


class DeclareSerializer(serializers.Serializer[Any]):
    """Declares an incident."""

    name = serializers.CharField(max_length=200)
    severity = by_slug(Severity)
    summary = serializers.CharField(required=False, allow_blank=True)
    incident_type = by_slug(IncidentType, required=False)
    status = by_slug(IncidentStatus, required=False)
    mode = serializers.ChoiceField(choices=Incident.Mode.choices, required=False)
    visibility = serializers.ChoiceField(choices=Incident.Visibility.choices, required=False)
    services = by_slug(Service, many=True, required=False)
    lead = person(required=False)
    started_at = serializers.DateTimeField(required=False)
    detected_at = serializers.DateTimeField(required=False)
    users_affected = serializers.IntegerField(min_value=0, required=False)


class EditSerializer(serializers.Serializer[Any]):
    """Changes name, summary or reach."""

    name = serializers.CharField(max_length=200, required=False)
    summary = serializers.CharField(required=False, allow_blank=True)
    users_affected = serializers.IntegerField(min_value=0, required=False, allow_null=True)


class UpdateSerializer(serializers.Serializer[Any]):
    """Posts an internal update."""

    text = serializers.CharField(max_length=actions.LONGEST_TEXT)
    severity = by_slug(Severity, required=False)
    status = by_slug(IncidentStatus, required=False)
    next_update_minutes = serializers.IntegerField(min_value=1, max_value=10_080, required=False)


class NoteSerializer(serializers.Serializer[Any]):
    """Writes Markdown into the timeline."""

    text = serializers.CharField(max_length=actions.LONGEST_TEXT)


class ChangeStatusSerializer(serializers.Serializer[Any]):
    status = by_slug(IncidentStatus)


class ChangeSeveritySerializer(serializers.Serializer[Any]):
    severity = by_slug(Severity)


class AssignRoleSerializer(serializers.Serializer[Any]):
    """Gives a role to a person; `user: null` leaves it open."""

    role = by_slug(IncidentRole)
    user = person(allow_null=True)


class AffectServiceSerializer(serializers.Serializer[Any]):
    """Says how much a service is affected; `impact: null` takes it off."""

    service = by_slug(Service)
    impact = serializers.ChoiceField(choices=IncidentService.Impact.choices, allow_null=True)


class PageSerializer(serializers.Serializer[Any]):
    """Pages along a policy for the incident."""

    policy = by_slug(EscalationPolicy)
    message = serializers.CharField(required=False, allow_blank=True)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)


class StartedEscalationSerializer(serializers.ModelSerializer[Escalation]):
    """The escalation that was started; more at its own address."""

    class Meta:
        model = Escalation
        fields = ["id", "title", "status", "started_at"]


class MemberSerializer(serializers.Serializer[Any]):
    user = person()


class VisibilitySerializer(serializers.Serializer[Any]):
    visibility = serializers.ChoiceField(choices=Incident.Visibility.choices)


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
        fields = ["id", "text", "severity", "status", "author", "author_name", "created_at", "next_update_due_at"]


class IncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Incidents, by number. Those that the caller may not see do not exist."""

    write_scope = Scope.INCIDENTS
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    ordering_fields = ["number", "declared_at", "resolved_at", "name"]
    lookup_field = "number"
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[Incident]:
        if getattr(self, "swagger_fake_view", False):
            return Incident.objects.none()
        return Incident.objects.visible_to(self.actor).for_lists()

    def changed(self, incident: Incident) -> Response:
        """What the API answers to a change: the incident, or 204 when the caller has just lost sight of it."""
        visible = self.get_queryset().filter(pk=incident.pk).first()
        return Response(self.get_serializer(visible).data) if visible else Response(status=204)

    @extend_schema(request=DeclareSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        incident = actions.declare_incident(actor=self.actor, now=timezone.now(), **self.validated(DeclareSerializer))
        return self.answer(incident, status=201)

    @extend_schema(request=EditSerializer)
    def partial_update(self, request: Request, number: str) -> Response:
        data = self.validated(EditSerializer)
        return self.changed(
            actions.edit_incident(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        )

    @extend_schema(request=UpdateSerializer, responses={201: IncidentUpdateSerializer})
    @action(detail=True, methods=["post"], url_path="updates")
    def post_update(self, request: Request, number: str) -> Response:
        data = self.validated(UpdateSerializer)
        minutes = data.pop("next_update_minutes", None)
        update = actions.post_update(
            actor=self.actor,
            incident=self.get_object(),
            now=timezone.now(),
            next_update_in=timedelta(minutes=minutes) if minutes else None,
            **data,
        )
        return Response(IncidentUpdateSerializer(update).data, status=201)

    @extend_schema(responses=IncidentUpdateSerializer(many=True), filters=False)
    @post_update.mapping.get
    def list_updates(self, request: Request, number: str) -> Response:
        page = self.paginate_queryset(self.get_object().updates.select_related("severity", "status"))
        return self.get_paginated_response(IncidentUpdateSerializer(page, many=True).data)

    @extend_schema(
        responses=TimelineEntrySerializer(many=True),
        filters=False,
        parameters=[OpenApiParameter("after", int, description="Only entries with a greater sequence.")],
    )
    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """The timeline, the newest entry first."""
        entries = self.get_object().timeline.all()
        after = request.query_params.get("after", "")
        if after.isdecimal():
            entries = entries.filter(sequence__gt=int(after))
        return self.get_paginated_response(TimelineEntrySerializer(self.paginate_queryset(entries), many=True).data)

    @extend_schema(request=NoteSerializer, responses={201: TimelineEntrySerializer})
    @timeline.mapping.post
    def add_note(self, request: Request, number: str) -> Response:
        """Adds a note."""
        entry = actions.add_note(
            actor=self.actor, incident=self.get_object(), now=timezone.now(), **self.validated(NoteSerializer)
        )
        return Response(TimelineEntrySerializer(entry).data, status=201)

    def _act(self, act: Any, serializer_class: type[serializers.Serializer[Any]] | None = None) -> Response:
        data = self.validated(serializer_class) if serializer_class else {}
        return self.changed(act(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data))

    @extend_schema(request=ChangeStatusSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def change_status(self, request: Request, number: str) -> Response:
        return self._act(actions.change_status, ChangeStatusSerializer)

    @extend_schema(request=ChangeSeveritySerializer)
    @action(detail=True, methods=["post"], url_path="severity")
    def change_severity(self, request: Request, number: str) -> Response:
        return self._act(actions.change_severity, ChangeSeveritySerializer)

    @extend_schema(request=AssignRoleSerializer)
    @action(detail=True, methods=["post"])
    def roles(self, request: Request, number: str) -> Response:
        return self._act(actions.assign_role, AssignRoleSerializer)

    @extend_schema(request=AffectServiceSerializer)
    @action(detail=True, methods=["post"])
    def services(self, request: Request, number: str) -> Response:
        return self._act(actions.set_affected_service, AffectServiceSerializer)

    @extend_schema(request=PageSerializer, responses={201: StartedEscalationSerializer})
    @action(detail=True, methods=["post"])
    def pages(self, request: Request, number: str) -> Response:
        """Pages people for the incident."""
        data = self.validated(PageSerializer)
        escalation = paging.page_for_incident(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return Response(StartedEscalationSerializer(escalation).data, status=201)

    @extend_schema(request=MemberSerializer)
    @action(detail=True, methods=["post"])
    def members(self, request: Request, number: str) -> Response:
        """Lets a person see a private incident."""
        return self._act(actions.add_member, MemberSerializer)

    @extend_schema(request=MemberSerializer)
    @action(detail=True, methods=["post"], url_path="members/remove")
    def remove_member(self, request: Request, number: str) -> Response:
        """Takes a person's access to a private incident away."""
        return self._act(actions.remove_member, MemberSerializer)

    @extend_schema(request=VisibilitySerializer)
    @action(detail=True, methods=["post"])
    def visibility(self, request: Request, number: str) -> Response:
        return self._act(actions.set_visibility, VisibilitySerializer)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def mitigate(self, request: Request, number: str) -> Response:
        """The impact is over."""
        return self._act(actions.mitigate_incident)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, number: str) -> Response:
        """The cause is fixed."""
        return self._act(actions.resolve_incident)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        return self._act(actions.reopen_incident)


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


routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("incidents", IncidentViewSet, "incident"),
    ("severities", SeverityViewSet, "severity"),
    ("incident-statuses", IncidentStatusViewSet, "incident-status"),
    ("incident-roles", IncidentRoleViewSet, "incident-role"),
    ("incident-types", IncidentTypeViewSet, "incident-type"),
]
