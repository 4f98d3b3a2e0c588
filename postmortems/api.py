"""Postmortems and action items in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.rest import ActionViewSet
from incidents.models import Incident
from postmortems import actions
from postmortems.action_items import create_action_item, update_action_item
from postmortems.document import current_text
from postmortems.filters import ActionItemFilter, PostmortemFilter
from postmortems.models import ActionItem, Postmortem, PostmortemSection


class IncidentNumberField(serializers.SlugRelatedField[Incident]):
    """An incident by its number, among those that the caller may see."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="number", queryset=Incident.objects.all(), **kwargs)

    def get_queryset(self) -> QuerySet[Incident]:
        view = self.context.get("view")
        if view is None or getattr(view, "swagger_fake_view", False):
            return Incident.objects.none()
        return Incident.objects.visible_to(view.actor)


class SectionSerializer(serializers.ModelSerializer[PostmortemSection]):
    """A section with its text as it should be read now."""

    text = serializers.SerializerMethodField()

    class Meta:
        model = PostmortemSection
        fields = ["slug", "title", "position", "source", "is_generated", "text", "version", "updated_at", "updated_by"]
        read_only_fields = fields

    def get_text(self, section: PostmortemSection) -> str:
        return current_text(section, section.postmortem)


class PostmortemSerializer(serializers.ModelSerializer[Postmortem]):
    """A postmortem, in short; `incident` is a number."""

    incident = IncidentNumberField(read_only=False)
    authors = serializers.PrimaryKeyRelatedField(many=True, queryset=User.objects.all(), required=False)

    class Meta:
        model = Postmortem
        fields = ["id", "incident", "title", "status", "authors", "created_at", "updated_at", "published_at"]
        read_only_fields = ["status", "created_at", "updated_at", "published_at"]


class PostmortemDocumentSerializer(PostmortemSerializer):
    """A postmortem with its sections."""

    sections = serializers.SerializerMethodField()

    class Meta(PostmortemSerializer.Meta):
        fields = [*PostmortemSerializer.Meta.fields, "sections"]

    @extend_schema_field(SectionSerializer(many=True))
    def get_sections(self, postmortem: Postmortem) -> Any:
        sections = list(postmortem.sections.all())
        for section in sections:
            section.postmortem = postmortem
        return SectionSerializer(sections, many=True).data


class StartSerializer(serializers.Serializer[Any]):
    """The incident whose postmortem is started."""

    incident = IncidentNumberField()


class PostmortemStatusSerializer(serializers.Serializer[Any]):
    """Where the postmortem goes."""

    status = serializers.ChoiceField(choices=Postmortem.Status.choices)


class SaveSectionSerializer(serializers.Serializer[Any]):
    """A section's new text and the version that it replaces."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=actions.LONGEST_TEXT)
    version = serializers.IntegerField()


class RefreshSerializer(serializers.Serializer[Any]):
    """Whether the text of a person may be replaced."""

    overwrite = serializers.BooleanField(default=False)


class EditPostmortemSerializer(serializers.Serializer[Any]):
    """What can be changed of a postmortem itself."""

    title = serializers.CharField(max_length=250, required=False)
    authors = serializers.PrimaryKeyRelatedField(many=True, queryset=User.objects.all(), required=False)


class ActionItemSerializer(serializers.ModelSerializer[ActionItem]):
    """An action item; `incident` is a number."""

    incident = IncidentNumberField()
    owner = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.filter(is_active=True), allow_null=True, required=False
    )

    class Meta:
        model = ActionItem
        fields = [
            *("id", "incident", "title", "description", "owner", "due_on", "priority", "status", "ticket_url"),
            *("created_at", "created_by", "done_at"),
        ]
        read_only_fields = ["created_at", "created_by", "done_at"]


class PostmortemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Postmortems. Those of incidents that the caller may not see do not exist."""

    write_scope = Scope.POSTMORTEMS
    serializer_class = PostmortemDocumentSerializer
    filterset_class = PostmortemFilter
    ordering_fields = ["id", "title", "created_at", "published_at"]

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return PostmortemSerializer if self.action == "list" else PostmortemDocumentSerializer

    def get_queryset(self) -> QuerySet[Postmortem]:
        if getattr(self, "swagger_fake_view", False):
            return Postmortem.objects.none()
        visible = Postmortem.objects.visible_to(self.actor)
        return visible.select_related("incident__severity").prefetch_related("authors")

    @extend_schema(request=StartSerializer, responses={201: PostmortemDocumentSerializer})
    def create(self, request: Request) -> Response:
        """Starts the postmortem of an incident, or answers with the one that it has."""
        incident = self.validated(StartSerializer)["incident"]
        started = actions.start_postmortem(actor=self.actor, incident=incident, now=timezone.now())
        return self.answer(started, status=201)

    @extend_schema(request=EditPostmortemSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        given = self.validated(EditPostmortemSerializer)
        postmortem = self.get_object()
        actions.edit_postmortem(actor=self.actor, postmortem=postmortem, now=timezone.now(), **given)
        return self.answer(postmortem)

    @extend_schema(request=PostmortemStatusSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def change_status(self, request: Request, pk: str) -> Response:
        """Moves it to review, publishes it, or takes it back."""
        given = self.validated(PostmortemStatusSerializer)
        postmortem = self.get_object()
        actions.change_status(actor=self.actor, postmortem=postmortem, now=timezone.now(), **given)
        return self.answer(postmortem)

    @extend_schema(request=SaveSectionSerializer)
    @action(detail=True, methods=["put"], url_path=r"sections/(?P<slug>[-\w]+)")
    def save_section(self, request: Request, pk: str, slug: str) -> Response:
        """Saves a section; 409 `stale` when somebody else saved it since `version`."""
        given = self.validated(SaveSectionSerializer)
        postmortem = self.get_object()
        section = get_object_or_404(postmortem.sections.all(), slug=slug)
        actions.save_section(actor=self.actor, section=section, now=timezone.now(), **given)
        return self.answer(postmortem)

    @extend_schema(request=RefreshSerializer)
    @action(detail=True, methods=["post"], url_path=r"sections/(?P<slug>[-\w]+)/refresh")
    def refresh_section(self, request: Request, pk: str, slug: str) -> Response:
        """Fills a generated section in again from the incident."""
        given = self.validated(RefreshSerializer)
        postmortem = self.get_object()
        section = get_object_or_404(postmortem.sections.all(), slug=slug)
        actions.refresh_section(actor=self.actor, section=section, now=timezone.now(), **given)
        return self.answer(postmortem)


class ActionItemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Action items. Those of incidents that the caller may not see do not exist."""

    write_scope = Scope.POSTMORTEMS
    serializer_class = ActionItemSerializer
    filterset_class = ActionItemFilter
    ordering_fields = ["id", "due_on", "priority", "status", "title"]

    def get_queryset(self) -> QuerySet[ActionItem]:
        if getattr(self, "swagger_fake_view", False):
            return ActionItem.objects.none()
        return ActionItem.objects.visible_to(self.actor).select_related("incident", "owner")

    def create(self, request: Request) -> Response:
        made = create_action_item(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        action_item = self.get_object()
        serializer = self.get_serializer(action_item, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changes = {field: value for field, value in serializer.validated_data.items() if field != "incident"}
        update_action_item(actor=self.actor, action_item=action_item, now=timezone.now(), **changes)
        return self.answer(action_item)


routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("postmortems", PostmortemViewSet, "postmortem"),
    ("action-items", ActionItemViewSet, "action-item"),
]
