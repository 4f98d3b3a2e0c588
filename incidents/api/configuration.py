"""The configuration of incidents in the REST API: everybody reads it, administrators change it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.lists import ListFilter
from accounts.models import Scope, Team, User
from accounts.rest import ActionViewSet
from events.errors import require
from incidents import configuring
from incidents.announcements import MOMENTS, Audience, audiences
from incidents.api.naming import by_slug, person
from incidents.api.reading import PersonSerializer
from incidents.configurable import KINDS, Kind
from incidents.filters import (
    AnnouncementRuleFilter,
    ChecklistFilter,
    ConfiguredFilter,
    QualificationFilter,
    UpdateTemplateFilter,
)
from incidents.models import (
    AnnouncementRule,
    ChecklistItem,
    CustomField,
    Incident,
    IncidentRole,
    IncidentStatus,
    IncidentType,
    PersonQualification,
    Qualification,
    Severity,
    UpdateTemplate,
)
from incidents.permissions import can_configure

# A slug is made of the name where none is given, and the action says what is wrong with a value.
MADE = {"slug": {"required": False, "validators": []}, "position": {"required": False}}


class SeveritySerializer(serializers.ModelSerializer[Severity]):
    """How bad; a higher rank is worse."""

    class Meta:
        model = Severity
        fields = [
            *("slug", "name", "rank", "description", "response", "acknowledge_target", "resolve_target"),
            *("update_interval", "pages", "requires_postmortem", "first_minutes", "is_active"),
        ]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE
        # (the action says whose a rank is)
        validators: ClassVar[list[Any]] = []


class IncidentStatusSerializer(serializers.ModelSerializer[IncidentStatus]):
    """A step of the response, in a category."""

    class Meta:
        model = IncidentStatus
        fields = ["slug", "name", "category", "position", "description", "is_active"]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    """A rung of a responder's ladder; a higher rank includes those below."""

    class Meta:
        model = Qualification
        fields = ["slug", "name", "rank", "description"]
        extra_kwargs = MADE


class IncidentRoleSerializer(serializers.ModelSerializer[IncidentRole]):
    """A part that somebody plays."""

    required_for = by_slug(Severity, many=True, required=False)
    qualification = by_slug(Qualification, required=False, allow_null=True)

    class Meta:
        model = IncidentRole
        fields = [
            *("slug", "name", "short_name", "description", "required_for", "qualification", "position", "is_active"),
        ]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE


class IncidentTypeSerializer(serializers.ModelSerializer[IncidentType]):
    """A kind of incident; no severities or roles means all."""

    severities = by_slug(Severity, many=True, required=False)
    roles = by_slug(IncidentRole, many=True, required=False)

    class Meta:
        model = IncidentType
        fields = [
            *("slug", "name", "description", "is_default", "private_by_default", "severities", "roles", "is_active"),
        ]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE
        # (which is the usual one is put right by the action)
        validators: ClassVar[list[Any]] = []


class CustomFieldSerializer(serializers.ModelSerializer[CustomField]):
    """A fact that a site wants to know of its incidents; no types means all."""

    options = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    types = by_slug(IncidentType, many=True, required=False)

    class Meta:
        model = CustomField
        fields = [
            *("slug", "name", "description", "kind", "options", "required_at", "types", "position", "is_active"),
        ]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE


class ChecklistItemSerializer(serializers.ModelSerializer[ChecklistItem]):
    """A line of the first-five-minutes checklist."""

    class Meta:
        model = ChecklistItem
        fields = ["slug", "title", "done_by", "position", "is_active"]
        read_only_fields = ["is_active"]
        extra_kwargs = MADE


class UpdateTemplateSerializer(serializers.ModelSerializer[UpdateTemplate]):
    """Words to start an update with, one for each moment and language."""

    class Meta:
        model = UpdateTemplate
        fields = ["id", "moment", "locale", "text"]
        # (the action says that there is one already)
        validators: ClassVar[list[Any]] = []


class AnnouncementRuleSerializer(serializers.ModelSerializer[AnnouncementRule]):
    """Who hears of which incidents. The address of its place is never shown; left out it stays as it was."""

    conditions = serializers.DictField(required=False)
    moments = serializers.MultipleChoiceField(choices=[(moment, moment) for moment in MOMENTS])
    users = person(many=True, required=False)
    teams = by_slug(Team, many=True, required=False)
    emails = serializers.ListField(child=serializers.CharField(max_length=254), required=False)
    address = serializers.CharField(max_length=1000, required=False, allow_blank=True, write_only=True)

    class Meta:
        model = AnnouncementRule
        fields = [
            *("id", "name", "conditions", "moments", "users", "teams", "emails", "place", "address"),
            *("position", "is_enabled"),
        ]
        read_only_fields = ["is_enabled"]
        extra_kwargs = MADE

    def validate_moments(self, value: set[str]) -> list[str]:
        return [moment for moment in MOMENTS if moment in value]


class GrantSerializer(serializers.Serializer[Any]):
    """Whose qualification it is."""

    user = person()


class QualifiedSerializer(serializers.ModelSerializer[PersonQualification]):
    """Somebody who has a qualification."""

    user = PersonSerializer(read_only=True)

    class Meta:
        model = PersonQualification
        fields = ["user", "granted_at"]


class AudienceSerializer(serializers.Serializer[Any]):
    """Whom one rule would tell at one moment."""

    moment = serializers.CharField()
    rule = serializers.CharField()
    people = PersonSerializer(many=True)
    emails = serializers.ListField(child=serializers.CharField())
    place = serializers.CharField()


class ConfigurationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Rows of one kind: read by everybody, written by administrators; what is used is archived, not removed."""

    write_scope = Scope.INCIDENTS
    lookup_field = "slug"
    pagination_class = None
    filterset_class: type[ListFilter] = ConfiguredFilter
    ordering_fields: ClassVar[list[str]] = ["id", "name", "position"]
    kind: Kind

    def get_queryset(self) -> QuerySet[Any]:
        return self.kind.rows

    def create(self, request: Request) -> Response:
        values = self.validated()
        row = configuring.save_configured(actor=self.actor, kind=self.kind, values=values, now=timezone.now())
        return self.answer(row, status=201)

    def partial_update(self, request: Request, **named: str) -> Response:
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        now = timezone.now()
        return self.answer(
            configuring.save_configured(actor=self.actor, kind=self.kind, row=row, values=values, now=now)
        )

    def destroy(self, request: Request, **named: str) -> Response:
        """Removes a row that nothing uses."""
        configuring.remove_configured(actor=self.actor, row=self.get_object(), now=timezone.now())
        return Response(status=204)


class ArchivingViewSet(ConfigurationViewSet):
    """Rows that can be taken out of use."""

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **named: str) -> Response:
        """Takes it out of use: what has it keeps it, nothing new is given it."""
        return self.answer(configuring.archive_configured(actor=self.actor, row=self.get_object(), now=timezone.now()))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **named: str) -> Response:
        """Takes it back into use."""
        return self.answer(configuring.restore_configured(actor=self.actor, row=self.get_object(), now=timezone.now()))


class SeverityViewSet(ArchivingViewSet):
    kind = KINDS["severities"]
    queryset = Severity.objects.all()
    ordering_fields: ClassVar[list[str]] = ["id", "name", "rank"]
    serializer_class = SeveritySerializer


class IncidentStatusViewSet(ArchivingViewSet):
    kind = KINDS["statuses"]
    queryset = IncidentStatus.objects.all()
    serializer_class = IncidentStatusSerializer


class IncidentRoleViewSet(ArchivingViewSet):
    kind = KINDS["roles"]
    queryset = IncidentRole.objects.select_related("qualification").prefetch_related("required_for")
    serializer_class = IncidentRoleSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("qualification").prefetch_related("required_for")


class IncidentTypeViewSet(ArchivingViewSet):
    kind = KINDS["types"]
    queryset = IncidentType.objects.all()
    ordering_fields: ClassVar[list[str]] = ["id", "name"]
    serializer_class = IncidentTypeSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("severities", "roles")


class CustomFieldViewSet(ArchivingViewSet):
    kind = KINDS["fields"]
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("types")


class ChecklistItemViewSet(ArchivingViewSet):
    kind = KINDS["checklist"]
    queryset = ChecklistItem.objects.all()
    filterset_class = ChecklistFilter
    ordering_fields: ClassVar[list[str]] = ["id", "title", "position"]
    serializer_class = ChecklistItemSerializer


class UpdateTemplateViewSet(ConfigurationViewSet):
    kind = KINDS["templates"]
    queryset = UpdateTemplate.objects.all()
    filterset_class = UpdateTemplateFilter
    ordering_fields: ClassVar[list[str]] = ["id", "moment", "locale"]
    serializer_class = UpdateTemplateSerializer
    lookup_field = "pk"
    lookup_value_regex = r"\d+"


class QualificationViewSet(ConfigurationViewSet):
    kind = KINDS["qualifications"]
    queryset = Qualification.objects.all()
    filterset_class = QualificationFilter
    ordering_fields: ClassVar[list[str]] = ["id", "name", "rank"]
    serializer_class = QualificationSerializer

    @extend_schema(responses=QualifiedSerializer(many=True))
    @action(detail=True, methods=["get"], url_path="people")
    def list_people(self, request: Request, slug: str) -> Response:
        """Who has it."""
        people = self.get_object().people.select_related("user").order_by("user__name", "id")
        return Response(QualifiedSerializer(people, many=True).data)

    @extend_schema(request=GrantSerializer, responses={201: QualifiedSerializer})
    @list_people.mapping.post
    def grant(self, request: Request, slug: str) -> Response:
        """Says that a person is qualified."""
        granted = configuring.grant_qualification(
            actor=self.actor, qualification=self.get_object(), now=timezone.now(), **self.validated(GrantSerializer)
        )
        return Response(QualifiedSerializer(granted).data, status=201)

    @extend_schema(request=GrantSerializer, responses={204: None})
    @action(detail=True, methods=["post"], url_path="people/remove")
    def revoke(self, request: Request, slug: str) -> Response:
        """Says that a person is no longer qualified."""
        configuring.revoke_qualification(
            actor=self.actor, qualification=self.get_object(), now=timezone.now(), **self.validated(GrantSerializer)
        )
        return Response(status=204)


class AnnouncementRuleViewSet(ArchivingViewSet):
    """Rules of who is told; for administrators only."""

    kind = KINDS["announcements"]
    queryset = AnnouncementRule.objects.all()
    filterset_class = AnnouncementRuleFilter
    serializer_class = AnnouncementRuleSerializer
    lookup_field = "pk"
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return AnnouncementRule.objects.none()
        require(can_configure(self.actor), configuring.NOT_AN_ADMINISTRATOR)
        return super().get_queryset().prefetch_related("users", "teams")

    @extend_schema(
        responses=AudienceSerializer(many=True),
        parameters=[OpenApiParameter("incident", OpenApiTypes.INT, required=True, description="Its number.")],
    )
    @action(detail=False, methods=["get"])
    def preview(self, request: Request) -> Response:
        """Who would hear of an incident, at each moment: nobody is told."""
        require(can_configure(self.actor), configuring.NOT_AN_ADMINISTRATOR)
        asked = request.query_params.get("incident", "")
        visible = Incident.objects.visible_to(self.actor).select_related("severity", "status", "incident_type")
        incident = visible.filter(number=int(asked) if asked.isdecimal() and len(asked) < 10 else 0).first()
        heard = [(moment, each) for moment in MOMENTS if incident for each in audiences(incident, moment)]
        return Response(AudienceSerializer([_heard(*pair) for pair in heard], many=True).data)


def _heard(moment: str, audience: Audience) -> dict[str, Any]:
    people: list[User] = audience.people
    return {
        "moment": moment,
        "rule": audience.rule.name,
        "people": people,
        "emails": audience.emails,
        "place": audience.place,
    }
