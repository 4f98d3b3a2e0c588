"""Services and functionalities in the REST API."""

from typing import Any, ClassVar

from django.utils.text import slugify
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team
from accounts.rest import ActionViewSet, WholeMixin
from catalog import actions
from catalog.blast import Reached, blast_radius
from catalog.filters import FunctionalityFilter, ServiceFilter
from catalog.mitigations import MitigationDraft
from catalog.models import Functionality, Mitigation, Service, ServiceLink
from oncall.models import EscalationPolicy


def by_slug(model: Any, **more: Any) -> Any:
    """A field that names a row by its slug."""
    return serializers.SlugRelatedField(slug_field="slug", queryset=model.objects.all(), **more)


class ServiceLinkSerializer(WholeMixin, serializers.ModelSerializer[ServiceLink]):
    """A runbook, a dashboard, a repository."""

    class Meta:
        model = ServiceLink
        fields = ["kind", "label", "url"]


class MitigationSerializer(WholeMixin, serializers.ModelSerializer[Mitigation]):
    """What helps when the service is broken: a command to copy, a link to follow, or words alone."""

    class Meta:
        model = Mitigation
        fields = ["label", "command", "url"]


class ServiceSerializer(serializers.ModelSerializer[Service]):
    """A service, named by its slug."""

    slug = serializers.SlugField(required=False)
    team = by_slug(Team, required=False, allow_null=True)
    escalation_policy = by_slug(EscalationPolicy, required=False, allow_null=True)
    functionalities = by_slug(Functionality, many=True, required=False)
    links = ServiceLinkSerializer(many=True, required=False)
    mitigations = MitigationSerializer(many=True, required=False)
    needs = serializers.ListField(
        child=serializers.SlugField(), required=False, help_text="Slugs of the services that it needs."
    )

    class Meta:
        model = Service
        fields = [
            "id",
            "slug",
            "name",
            "description",
            "tier",
            "lifecycle",
            "team",
            "escalation_policy",
            "urgency",
            "functionalities",
            "needs",
            "links",
            "mitigations",
        ]
        # The action answers what is taken, in words that say what to do.
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    def to_representation(self, instance: Service) -> dict[str, Any]:
        slugs = [row.needs.slug for row in instance.dependencies.all()]
        instance.needs = slugs  # type: ignore[attr-defined]  # for the field of that name
        return super().to_representation(instance)

    def validate_needs(self, slugs: list[str]) -> list[Service]:
        services = list(Service.objects.filter(slug__in=slugs))
        missing = sorted(set(slugs) - {service.slug for service in services})
        if missing:
            raise serializers.ValidationError(f"There is no service {', '.join(missing)}.")
        return services

    def validate_links(self, links: list[dict[str, str]]) -> list[actions.LinkDraft]:
        return [
            actions.LinkDraft(link.get("kind", ServiceLink.Kind.RUNBOOK), link["label"], link["url"]) for link in links
        ]

    def validate_mitigations(self, mitigations: list[dict[str, str]]) -> list[MitigationDraft]:
        return [MitigationDraft(**mitigation) for mitigation in mitigations]


class ReachedSerializer(serializers.Serializer[Reached]):
    """A service, and how many steps away it is."""

    service = serializers.SlugField(source="service.slug")
    name = serializers.CharField(source="service.name")
    tier = serializers.IntegerField(source="service.tier")
    depth = serializers.IntegerField()


class BlastRadiusSerializer(serializers.Serializer[Any]):
    """What is hit when services are broken, what they need themselves, and what users can't do then."""

    hit = ReachedSerializer(many=True)
    needed = ReachedSerializer(many=True)
    functionalities = by_slug(Functionality, many=True)


class ServiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Services, by slug."""

    write_scope = Scope.CATALOG
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilter
    ordering_fields = ["id", "name", "tier"]
    lookup_field = "slug"
    queryset = Service.objects.select_related("team", "escalation_policy").prefetch_related(
        "functionalities", "links", "mitigations", "dependencies__needs"
    )

    @extend_schema(responses={201: ServiceSerializer})
    def create(self, request: Request) -> Response:
        data = self.validated()
        data.setdefault("slug", slugify(data["name"]))
        return self.answer(actions.save_service(actor=self.actor, **data), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        service = self.get_object()
        serializer = self.get_serializer(service, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = ("name", "slug", "description", "tier", "lifecycle", "team", "escalation_policy", "urgency")
        data = {name: getattr(service, name) for name in names} | serializer.validated_data
        return self.answer(actions.save_service(actor=self.actor, service=service, **data))

    @extend_schema(responses=BlastRadiusSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def radius(self, request: Request, slug: str) -> Response:
        """What is hit when the service is broken, what it needs itself, and what users can't do then."""
        return Response(BlastRadiusSerializer(blast_radius([self.get_object()])).data)

    def destroy(self, request: Request, slug: str) -> Response:
        actions.remove_service(actor=self.actor, service=self.get_object())
        return Response(status=204)


class FunctionalitySerializer(serializers.ModelSerializer[Functionality]):
    """Something that a user does with the product."""

    slug = serializers.SlugField(required=False)
    services = serializers.SlugRelatedField[Service](slug_field="slug", many=True, read_only=True)

    class Meta:
        model = Functionality
        fields = ["id", "slug", "name", "description", "services"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class FunctionalityViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Functionalities, by slug."""

    write_scope = Scope.CATALOG
    serializer_class = FunctionalitySerializer
    filterset_class = FunctionalityFilter
    ordering_fields = ["id", "name"]
    lookup_field = "slug"
    queryset = Functionality.objects.prefetch_related("services")

    @extend_schema(responses={201: FunctionalitySerializer})
    def create(self, request: Request) -> Response:
        data = self.validated()
        data.setdefault("slug", slugify(data["name"]))
        return self.answer(actions.save_functionality(actor=self.actor, **data), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        functionality = self.get_object()
        serializer = self.get_serializer(functionality, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        data = {name: getattr(functionality, name) for name in ("name", "slug", "description")}
        data |= serializer.validated_data
        return self.answer(actions.save_functionality(actor=self.actor, functionality=functionality, **data))


routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("services", ServiceViewSet, "service"),
    ("functionalities", FunctionalityViewSet, "functionality"),
]
