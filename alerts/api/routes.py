"""Alert routes in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from alerts import routes
from alerts.api.previews import PreviewMixin
from alerts.api.route_fields import AlertRouteSerializer, route_fields
from alerts.models import AlertRoute
from alerts.route_words import routes_in_order


class OrderSerializer(serializers.Serializer[Any]):
    """The routes in their new order; those left out follow in the order they had."""

    routes = serializers.PrimaryKeyRelatedField(queryset=AlertRoute.objects.all(), many=True)
    override_reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Why a paging test may break."
    )


class AlertRouteViewSet(PreviewMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin):
    """The ordered list of routes; the first that matches decides.

    What breaks a paging test is refused (409) unless an `override_reason` is given.
    """

    write_scope = Scope.ALERTS
    serializer_class = AlertRouteSerializer
    pagination_class = None
    filter_backends: list[Any] = []
    queryset = routes_in_order()

    @extend_schema(responses={201: AlertRouteSerializer})
    def create(self, request: Request) -> Response:
        data = {"conditions": {}, "paging": AlertRoute.Paging.SERVICE, **self.validated()}
        return self.answer(routes.save_route(actor=self.actor, now=timezone.now(), **data), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        route = self.get_object()
        serializer = self.get_serializer(route, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        data = {**route_fields(route), **serializer.validated_data}
        return self.answer(routes.save_route(actor=self.actor, route=route, now=timezone.now(), **data))

    @extend_schema(
        parameters=[OpenApiParameter("override_reason", str, description="Why a paging test may break.")],
        responses={204: None},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        reason = request.query_params.get("override_reason", "")
        routes.remove_route(actor=self.actor, route=self.get_object(), now=timezone.now(), override_reason=reason)
        return Response(status=204)

    @extend_schema(request=OrderSerializer, responses=AlertRouteSerializer(many=True))
    @action(detail=False, methods=["post"])
    def order(self, request: Request) -> Response:
        """Puts the routes in this order."""
        routes.order_routes(actor=self.actor, now=timezone.now(), **self.validated(OrderSerializer))
        return Response(self.get_serializer(self.get_queryset(), many=True).data)
