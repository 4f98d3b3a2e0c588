"""Trying payloads and drafts of routes in the REST API."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actor import Actor
from accounts.rest import ActionViewSet
from alerts import routes
from alerts.actions import NOT_A_MANAGER
from alerts.api.route_fields import AlertRouteSerializer, route_fields
from alerts.dialects import DialectError
from alerts.mapping import check, with_mapping
from alerts.models import AlertRoute, AlertSource, RawEvent
from alerts.permissions import can_configure
from alerts.preview import backtest, preview, with_draft
from alerts.reading import readable_raw_events
from alerts.trying import unsent
from events.errors import Invalid, require
from oncall.api.simulation import SimulationSerializer


class RouteDraftSerializer(AlertRouteSerializer):
    """A route as it would be: a new one, or with `id` a stored one in which what is given is changed."""

    id = serializers.PrimaryKeyRelatedField(queryset=AlertRoute.objects.all(), required=False)
    name = serializers.CharField(max_length=100, required=False)

    class Meta(AlertRouteSerializer.Meta):
        read_only_fields = ("position",)


class PreviewRequestSerializer(serializers.Serializer[Any]):
    """A source (its slug) and what it sends: a `body`, JSON or text, or the id of a stored `raw_event`.

    `route` stands for the stored route of its id, or comes after all others; `mapping` for that of the source.
    """

    source = serializers.SlugRelatedField(  # type: ignore[assignment]  # the wire name; Field.source is not used
        slug_field="slug", queryset=AlertSource.objects.exclude(dialect="heartbeat")
    )
    raw_event = serializers.PrimaryKeyRelatedField[RawEvent](queryset=RawEvent.objects.all(), required=False)
    body = serializers.JSONField(required=False)
    route = RouteDraftSerializer(required=False)
    mapping = serializers.ListField(child=serializers.DictField(), required=False)


class RouteSeenSerializer(serializers.Serializer[Any]):
    """A route that is looked at: what it asks in words, whether that holds, and whether it takes the alert.

    `id` is 0 for a draft that is not stored.
    """

    id = serializers.IntegerField(source="route.pk")
    name = serializers.CharField(source="route.name")
    words = serializers.CharField()
    holds = serializers.BooleanField()
    decides = serializers.BooleanField()


class NotKnownSerializer(serializers.Serializer[Any]):
    """What an event names and nobody knows: the field, and what stands there."""

    field = serializers.CharField()
    text = serializers.CharField()


class ForeseenSerializer(serializers.Serializer[Any]):
    """What would become of one event; `simulation` tells who would be paged when, null where nobody is."""

    status = serializers.CharField(source="event.status")
    title = serializers.CharField(source="event.title")
    dedup_key = serializers.CharField(source="event.dedup_key")
    facts = serializers.DictField()
    unresolved = NotKnownSerializer(source="alert.unresolved", many=True)
    routes = RouteSeenSerializer(many=True)
    words = serializers.ListField(child=serializers.CharField())
    policy = serializers.CharField(source="policy.slug", default=None, allow_null=True)
    simulation = SimulationSerializer(allow_null=True)


class RouteDifferenceSerializer(serializers.Serializer[Any]):
    """An alert that would be decided otherwise: the route that takes it now, and with the draft, and whom they page."""

    alert = serializers.IntegerField(source="alert.pk")
    title = serializers.CharField(source="alert.title")
    fired_at = serializers.DateTimeField(source="alert.first_event_at")
    before = serializers.CharField(source="before.name", default=None, allow_null=True)
    after = serializers.CharField(source="after.name", default=None, allow_null=True)
    paging_before = serializers.CharField(source="before.paging", default=None, allow_null=True)
    paging_after = serializers.CharField(source="after.paging", default=None, allow_null=True)


class BacktestSerializer(serializers.Serializer[Any]):
    """What the draft would have made of the alerts since `since`, the newest 50 differences first.

    `is_cut` when there were more alerts than are looked at; `paging_before` and `paging_after` are how many alerts a
    route that pages took, and would take.
    """

    since = serializers.DateTimeField()
    looked_at = serializers.IntegerField()
    is_cut = serializers.BooleanField()
    changed = serializers.IntegerField()
    paging_before = serializers.IntegerField()
    paging_after = serializers.IntegerField()
    differences = RouteDifferenceSerializer(many=True)


class PreviewMixin(ActionViewSet):
    """What the viewset of routes does beside storing them. Nothing is written."""

    @extend_schema(request=PreviewRequestSerializer, responses=ForeseenSerializer(many=True))
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What would become of a payload: attributes, routes, group, incident, and who would be paged when."""
        require(can_configure(self.actor), NOT_A_MANAGER)
        given = self.validated(PreviewRequestSerializer)
        raw = _raw_of(given, self.actor)
        if "mapping" in given:
            check(given["mapping"])
            raw = with_mapping(raw, given["mapping"])
        drafted = with_draft(_draft(given["route"])) if "route" in given else None
        try:
            found = preview(raw, timezone.now(), routes=drafted, viewer=self.actor)
        except DialectError as error:
            where = f"{error.field_name}: " if error.field_name else ""
            raise Invalid(f"{where}{error.message}", field="body", remedy=error.remedy) from error
        return Response(ForeseenSerializer(found, many=True).data)

    @extend_schema(request=RouteDraftSerializer, responses=BacktestSerializer)
    @action(detail=False, methods=["post"])
    def backtest(self, request: Request) -> Response:
        """What a draft would have made of the alerts of the last 30 days that the caller may see."""
        require(can_configure(self.actor), NOT_A_MANAGER)
        draft = _draft(self.validated(RouteDraftSerializer))
        return Response(BacktestSerializer(backtest(with_draft(draft), timezone.now(), viewer=self.actor)).data)


def _raw_of(given: Mapping[str, Any], viewer: Actor) -> RawEvent:
    """What is to be tried; raises Invalid unless there is a body, or an event of the source that is the viewer's."""
    source, like = given["source"], given.get("raw_event")
    if like is not None and not readable_raw_events(viewer).filter(pk=like.pk, source=source).exists():
        raise Invalid("This event is not of this source.", field="raw_event", remedy="Choose one that it sent.")
    if like is None and "body" not in given:
        raise Invalid("There is nothing to try.", field="body", remedy="Give a body or a raw event.")
    body = bytes(like.body) if like is not None else b""
    if "body" in given:
        body = (given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])).encode()
    if len(body) > settings.MAX_EVENT_BYTES:
        most = settings.MAX_EVENT_BYTES // 1024
        raise Invalid("The body is too large.", field="body", remedy=f"Send at most {most} KB.")
    return unsent(source, body, timezone.now(), like=like)


def _draft(given: Mapping[str, Any]) -> AlertRoute:
    """The route as it would be: what is stored, with what is given instead."""
    fields = {key: value for key, value in given.items() if key not in {"id", "notices", "override_reason"}}
    route: AlertRoute | None = given.get("id")
    usual = route_fields(route) if route else {"name": "Draft", "conditions": {}, "paging": AlertRoute.Paging.SERVICE}
    return routes.draft_route(route=route, **{**usual, **fields})
