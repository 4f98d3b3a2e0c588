"""Status pages in the REST API."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from catalog.models import Service
from incidents.models import Incident
from statuspage import actions
from statuspage.filters import ComponentFilter, PublicIncidentFilter, StatusPageFilter
from statuspage.models import Component, ComponentStatus, PublicIncident, StatusPage, StatusUpdate
from statuspage.wire import absolute


class StatusPageSerializer(serializers.ModelSerializer[StatusPage]):
    """A status page; `url` is what the public opens."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = StatusPage
        fields = [
            *("id", "public_id", "name", "slug", "description", "time_zone", "support_url", "url"),
            *("created_at", "updated_at"),
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs: dict[str, Any] = {"slug": {"validators": []}}

    def get_url(self, page: StatusPage) -> str:
        return absolute(page.get_absolute_url())


class ComponentSerializer(serializers.ModelSerializer[Component]):
    """A component with the ids of the services behind it."""

    services = serializers.PrimaryKeyRelatedField(many=True, queryset=Service.objects.all(), required=False)
    position = serializers.IntegerField(min_value=1, max_value=1000, required=False)

    class Meta:
        model = Component
        fields = [
            *("id", "public_id", "page", "name", "description", "position", "status", "services"),
            *("created_at", "updated_at"),
        ]
        read_only_fields = ["status", "created_at", "updated_at"]
        validators: list[Any] = []


class ComponentStatusSerializer(serializers.Serializer[Any]):
    """The status that a component gets."""

    status = serializers.ChoiceField(choices=ComponentStatus.choices)


class StatusUpdateSerializer(serializers.ModelSerializer[StatusUpdate]):
    """One public message."""

    class Meta:
        model = StatusUpdate
        fields = ["id", "public_id", "status", "body", "affected", "author_name", "created_at"]
        read_only_fields = fields


class PublicIncidentSerializer(serializers.ModelSerializer[PublicIncident]):
    """A public incident; `incident` is the number of the internal one for those who may see it, else null."""

    incident = serializers.SerializerMethodField()
    updates = StatusUpdateSerializer(many=True, read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = PublicIncident
        fields = [
            *("id", "public_id", "page", "incident", "name", "status", "impact", "components", "updates", "url"),
            *("started_at", "monitoring_at", "resolved_at", "created_at", "updated_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_incident(self, public_incident: PublicIncident) -> int | None:
        number: int | None = public_incident.source_number  # type: ignore[attr-defined]  # by knowing_sources_of
        return number

    def get_url(self, public_incident: PublicIncident) -> str:
        return absolute(public_incident.get_absolute_url())


class ComponentChangeSerializer(serializers.Serializer[Any]):
    """A component and the status that the message gives it."""

    component = serializers.PrimaryKeyRelatedField(queryset=Component.objects.all())
    status = serializers.ChoiceField(choices=ComponentStatus.choices)


class NewUpdateSerializer(serializers.Serializer[Any]):
    """The next message; without a status it keeps the present one."""

    status = serializers.ChoiceField(choices=PublicIncident.Status.choices, required=False)
    body = serializers.CharField(max_length=actions.LONGEST_BODY)
    components = ComponentChangeSerializer(many=True, required=False)


class NewPublicIncidentSerializer(NewUpdateSerializer):
    """A new public incident with its first message."""

    page = serializers.PrimaryKeyRelatedField(queryset=StatusPage.objects.all())
    incident = serializers.SlugRelatedField(
        slug_field="number", queryset=Incident.objects.none(), required=False, allow_null=True
    )
    name = serializers.CharField(max_length=actions.LONGEST_NAME)
    impact = serializers.ChoiceField(choices=PublicIncident.Impact.choices, required=False)
    started_at = serializers.DateTimeField(required=False)
    confirm_private = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Knows only the incidents that the actor may see."""
        fields = super().get_fields()
        view = self.context.get("view")
        if view is not None and not getattr(view, "swagger_fake_view", False):
            fields["incident"].queryset = Incident.objects.visible_to(view.actor)  # type: ignore[attr-defined]
        return fields


def with_changes(data: dict[str, Any]) -> dict[str, Any]:
    """The body with its list of component changes as the mapping that the actions take."""
    return {**data, "components": {each["component"]: each["status"] for each in data.get("components", [])}}


class StatusPageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Status pages."""

    queryset = StatusPage.objects.all()
    serializer_class = StatusPageSerializer
    filterset_class = StatusPageFilter
    write_scope = Scope.STATUSPAGE
    ordering_fields = ["id", "name", "updated_at"]

    def create(self, request: Request) -> Response:
        saved = actions.save_page(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(saved, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        page = self.get_object()
        kept = {field: getattr(page, field) for field in ("name", "slug", "description", "time_zone", "support_url")}
        serializer = self.get_serializer(page, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        given = {**kept, **serializer.validated_data}
        return self.answer(actions.save_page(actor=self.actor, page=page, now=timezone.now(), **given))


class ComponentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Components of status pages."""

    queryset = Component.objects.prefetch_related("services").order_by("-id")
    serializer_class = ComponentSerializer
    filterset_class = ComponentFilter
    write_scope = Scope.STATUSPAGE
    ordering_fields = ["id", "name", "position", "updated_at"]

    def create(self, request: Request) -> Response:
        saved = actions.save_component(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(saved, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        component = self.get_object()
        serializer = self.get_serializer(component, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        given = {"name": component.name, "description": component.description, **serializer.validated_data}
        given["page"] = component.page
        return self.answer(actions.save_component(actor=self.actor, component=component, now=timezone.now(), **given))

    def destroy(self, request: Request, pk: str) -> Response:
        actions.remove_component(actor=self.actor, component=self.get_object(), now=timezone.now())
        return Response(status=204)

    @extend_schema(request=ComponentStatusSerializer, responses=ComponentSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def set_status(self, request: Request, pk: str) -> Response:
        """Changes what the page says of the component."""
        given = self.validated(ComponentStatusSerializer)
        component = self.get_object()
        actions.set_component_status(actor=self.actor, component=component, now=timezone.now(), **given)
        return self.answer(component)


class PublicIncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Public incidents and their updates."""

    queryset = PublicIncident.objects.none()
    serializer_class = PublicIncidentSerializer
    filterset_class = PublicIncidentFilter
    write_scope = Scope.STATUSPAGE
    ordering_fields = ["id", "name", "started_at", "updated_at"]

    def get_queryset(self) -> QuerySet[PublicIncident]:
        if getattr(self, "swagger_fake_view", False):
            return PublicIncident.objects.none()
        updates = Prefetch("updates", StatusUpdate.objects.order_by("-id"))
        found = PublicIncident.objects.knowing_sources_of(self.actor)
        return found.select_related("page").prefetch_related(updates, "components")

    @extend_schema(request=NewPublicIncidentSerializer, responses={201: PublicIncidentSerializer})
    def create(self, request: Request) -> Response:
        given = with_changes(self.validated(NewPublicIncidentSerializer))
        return self.answer(actions.publish_incident(actor=self.actor, now=timezone.now(), **given), status=201)

    @extend_schema(request=NewUpdateSerializer, responses={201: PublicIncidentSerializer})
    @action(detail=True, methods=["post"])
    def updates(self, request: Request, pk: str) -> Response:
        """Publishes the next message."""
        given = with_changes(self.validated(NewUpdateSerializer))
        public_incident = self.get_object()
        actions.publish_update(actor=self.actor, public_incident=public_incident, now=timezone.now(), **given)
        return self.answer(public_incident, status=201)


routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("status-pages", StatusPageViewSet, "status-page"),
    ("components", ComponentViewSet, "component"),
    ("public-incidents", PublicIncidentViewSet, "public-incident"),
]
