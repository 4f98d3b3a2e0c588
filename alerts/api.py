"""Alerts, sources, routes and raw events in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team
from accounts.rest import ActionViewSet
from alerts import actions
from alerts.addresses import receive_address
from alerts.dialects import DIALECTS
from alerts.filters import AlertFilter, AlertSourceFilter, RawEventFilter
from alerts.models import Alert, AlertRoute, AlertSource, RawEvent
from alerts.permissions import can_configure
from catalog.models import Service
from events.errors import require
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A deduplicated signal."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )
    service = serializers.SlugRelatedField[Service](slug_field="slug", read_only=True)
    incident = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = [
            "id",
            "source",
            "dedup_key",
            "status",
            "title",
            "description",
            "severity",
            "service",
            "service_named",
            "attributes",
            "source_url",
            "count",
            "started_at",
            "first_event_at",
            "last_event_at",
            "resolved_at",
            "route",
            "routing_note",
            "escalation",
            "incident",
        ]

    @extend_schema_field(serializers.IntegerField(allow_null=True, help_text="The number of the incident."))
    def get_incident(self, alert: Alert) -> int | None:
        return alert.incident.number if alert.incident else None


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Alerts; those of private incidents only for their members."""

    write_scope = Scope.ALERTS
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    ordering_fields = ["id", "last_event_at", "first_event_at", "count"]

    def get_queryset(self) -> QuerySet[Alert]:
        if getattr(self, "swagger_fake_view", False):
            return Alert.objects.none()
        return Alert.objects.visible_to(self.actor).for_lists()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """A person has it: acknowledges the alert's escalation."""
        return self.answer(actions.acknowledge_alert(actor=self.actor, alert=self.get_object(), now=timezone.now()))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """A person says that the signal is over."""
        return self.answer(actions.resolve_alert(actor=self.actor, alert=self.get_object(), now=timezone.now()))


class AlertSourceSerializer(serializers.ModelSerializer[AlertSource]):
    """A place where alerts enter. Its address and token are shown to managers only."""

    team = serializers.SlugRelatedField[Team](
        slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True
    )
    slug = serializers.SlugField(required=False)
    dialect = serializers.ChoiceField(choices=[(name, dialect.label) for name, dialect in DIALECTS.items()])
    address = serializers.SerializerMethodField()
    token = serializers.SerializerMethodField()
    signing_secret = serializers.CharField(write_only=True, required=False, allow_blank=True)
    is_signed = serializers.SerializerMethodField()

    class Meta:
        model = AlertSource
        fields = [
            "id",
            "name",
            "slug",
            "dialect",
            "description",
            "team",
            "is_enabled",
            "signing_secret",
            "is_signed",
            "address",
            "token",
            "created_at",
            "last_event_at",
        ]
        read_only_fields = ["created_at", "last_event_at"]

    def get_is_signed(self, source: AlertSource) -> bool:
        """Whether only what is signed is believed."""
        return bool(source.signing_secret)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_address(self, source: AlertSource) -> str | None:
        view = self.context["view"]
        return receive_address(source) if can_configure(view.actor) else None

    def get_token(self, source: AlertSource) -> str | None:
        """What the sender proves itself with: routing key, bearer token, or a part of the address."""
        return source.token if can_configure(self.context["view"].actor) else None


class AlertSourceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Alert sources, by slug."""

    write_scope = Scope.ALERTS
    serializer_class = AlertSourceSerializer
    filterset_class = AlertSourceFilter
    ordering_fields = ["id", "name", "last_event_at"]
    lookup_field = "slug"
    queryset = AlertSource.objects.select_related("team")

    @extend_schema(responses={201: AlertSourceSerializer})
    def create(self, request: Request) -> Response:
        data = self.validated()
        data.setdefault("slug", slugify(data["name"]))
        return self.answer(actions.save_source(actor=self.actor, now=timezone.now(), **data), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        source = self.get_object()
        serializer = self.get_serializer(source, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = ("name", "slug", "dialect", "description", "team", "is_enabled", "signing_secret")
        data = {name: serializer.validated_data.get(name, getattr(source, name)) for name in names}
        return self.answer(actions.save_source(actor=self.actor, source=source, now=timezone.now(), **data))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, slug: str) -> Response:
        """Gives the source a new address; the old one stops working at once."""
        return self.answer(actions.rotate_token(actor=self.actor, source=self.get_object()))


class AlertRouteSerializer(serializers.ModelSerializer[AlertRoute]):
    """One rule of the ordered list."""

    escalation_policy = serializers.SlugRelatedField[EscalationPolicy](
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )
    severity = serializers.SlugRelatedField[Severity](
        slug_field="slug", queryset=Severity.objects.all(), required=False, allow_null=True
    )
    incident_type = serializers.SlugRelatedField[IncidentType](
        slug_field="slug", queryset=IncidentType.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = AlertRoute
        fields = [
            "id",
            "name",
            "position",
            "is_enabled",
            "conditions",
            "paging",
            "escalation_policy",
            "urgency",
            "declares_incident",
            "severity",
            "incident_type",
        ]
        read_only_fields = ["position"]
        # The database's own checks are answered by the action, in words that say what to do.
        validators: list[Any] = []


class OrderSerializer(serializers.Serializer[Any]):
    """The routes in their new order."""

    routes = serializers.PrimaryKeyRelatedField(queryset=AlertRoute.objects.all(), many=True)


class AlertRouteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """The ordered list of routes; the first that matches decides."""

    write_scope = Scope.ALERTS
    serializer_class = AlertRouteSerializer
    pagination_class = None
    filter_backends: list[Any] = []
    queryset = AlertRoute.objects.select_related("escalation_policy", "severity", "incident_type").order_by(
        "position", "id"
    )

    @extend_schema(responses={201: AlertRouteSerializer})
    def create(self, request: Request) -> Response:
        data = {"conditions": {}, "paging": AlertRoute.Paging.SERVICE, **self.validated()}
        return self.answer(actions.save_route(actor=self.actor, **data), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        route = self.get_object()
        serializer = self.get_serializer(route, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = set(AlertRouteSerializer.Meta.fields) - {"id", "position"}
        data = {name: serializer.validated_data.get(name, getattr(route, name)) for name in names}
        return self.answer(actions.save_route(actor=self.actor, route=route, **data))

    def destroy(self, request: Request, pk: str) -> Response:
        actions.remove_route(actor=self.actor, route=self.get_object())
        return Response(status=204)

    @extend_schema(request=OrderSerializer, responses=AlertRouteSerializer(many=True))
    @action(detail=False, methods=["post"])
    def order(self, request: Request) -> Response:
        """Puts the routes in this order."""
        actions.order_routes(actor=self.actor, **self.validated(OrderSerializer))
        return Response(self.get_serializer(self.get_queryset(), many=True).data)


class RawEventSerializer(serializers.ModelSerializer[RawEvent]):
    """What a source sent and what became of it."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )

    class Meta:
        model = RawEvent
        fields = [
            "id",
            "source",
            "received_at",
            "content_type",
            "state",
            "outcomes",
            "attempts",
            "error",
            "processed_at",
        ]


class RawEventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Raw events, for managers."""

    write_scope = Scope.ALERTS
    serializer_class = RawEventSerializer
    filterset_class = RawEventFilter
    ordering_fields = ["id", "received_at"]

    def get_queryset(self) -> QuerySet[RawEvent]:
        if getattr(self, "swagger_fake_view", False):
            return RawEvent.objects.none()
        require(can_configure(self.actor), "Only managers may read raw events.")
        return RawEvent.objects.select_related("source").defer("body", "headers")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Makes a failed event due again."""
        return self.answer(actions.retry_raw_event(actor=self.actor, raw_event=self.get_object(), now=timezone.now()))


routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("alerts", AlertViewSet, "alert"),
    ("alert-sources", AlertSourceViewSet, "alert-source"),
    ("alert-routes", AlertRouteViewSet, "alert-route"),
    ("raw-events", RawEventViewSet, "raw-event"),
]
