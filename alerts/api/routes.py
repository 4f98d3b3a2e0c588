"""Alert routes in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from alerts import routes
from alerts.models import AlertRoute
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy


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
        return self.answer(routes.save_route(actor=self.actor, now=timezone.now(), **data), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        route = self.get_object()
        serializer = self.get_serializer(route, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = set(AlertRouteSerializer.Meta.fields) - {"id", "position"}
        data = {name: serializer.validated_data.get(name, getattr(route, name)) for name in names}
        return self.answer(routes.save_route(actor=self.actor, route=route, now=timezone.now(), **data))

    def destroy(self, request: Request, pk: str) -> Response:
        routes.remove_route(actor=self.actor, route=self.get_object(), now=timezone.now())
        return Response(status=204)

    @extend_schema(request=OrderSerializer, responses=AlertRouteSerializer(many=True))
    @action(detail=False, methods=["post"])
    def order(self, request: Request) -> Response:
        """Puts the routes in this order."""
        routes.order_routes(actor=self.actor, now=timezone.now(), **self.validated(OrderSerializer))
        return Response(self.get_serializer(self.get_queryset(), many=True).data)
