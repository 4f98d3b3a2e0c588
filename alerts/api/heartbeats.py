"""Heartbeats in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team
from accounts.rest import ActionViewSet
from alerts import heartbeats
from alerts.addresses import mail_address, ping_address
from alerts.filters import HeartbeatFilter
from alerts.models import AlertSource, Heartbeat
from alerts.permissions import can_configure
from catalog.models import Service

CHANGED = (
    *("name", "description", "interval_seconds", "grace_seconds", "is_enabled", "severity", "message", "tags"),
    *("service", "team", "source"),
)


class HeartbeatSerializer(serializers.ModelSerializer[Heartbeat]):
    """Something that must be heard of. Its addresses are shown to managers only."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", queryset=AlertSource.objects.all(), required=False
    )
    service = serializers.SlugRelatedField[Service](
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    team = serializers.SlugRelatedField[Team](
        slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False)
    state = serializers.ChoiceField(choices=Heartbeat.State.choices, read_only=True)
    address = serializers.SerializerMethodField()
    mail_address = serializers.SerializerMethodField()

    class Meta:
        model = Heartbeat
        fields = [
            "id",
            "name",
            "description",
            "interval_seconds",
            "grace_seconds",
            "is_enabled",
            "severity",
            "message",
            "tags",
            "service",
            "team",
            "source",
            "state",
            "last_ping_at",
            "last_ping_from",
            "due_at",
            "late_since",
            "created_at",
            "address",
            "mail_address",
        ]
        read_only_fields = ["last_ping_at", "last_ping_from", "due_at", "late_since", "created_at"]
        # That a name is single within its source is answered by the action.
        validators: list[Any] = []

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_address(self, heartbeat: Heartbeat) -> str | None:
        """Where it is pinged."""
        return ping_address(heartbeat) if can_configure(self.context["view"].actor) else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_mail_address(self, heartbeat: Heartbeat) -> str | None:
        """Where it is pinged by mail, if Sitrep hears mail."""
        return mail_address(heartbeat.token) or None if can_configure(self.context["view"].actor) else None


class HeartbeatViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Heartbeats; they are pinged at their own addresses."""

    write_scope = Scope.ALERTS
    serializer_class = HeartbeatSerializer
    filterset_class = HeartbeatFilter
    ordering_fields = ["id", "name", "last_ping_at", "due_at", "interval_seconds"]
    queryset = Heartbeat.objects.select_related("source", "service", "team")

    @extend_schema(responses={201: HeartbeatSerializer})
    def create(self, request: Request) -> Response:
        data = self.validated()
        return self.answer(heartbeats.save_heartbeat(actor=self.actor, now=timezone.now(), **data), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        heartbeat = self.get_object()
        serializer = self.get_serializer(heartbeat, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        data = {name: serializer.validated_data.get(name, getattr(heartbeat, name)) for name in CHANGED}
        now = timezone.now()
        return self.answer(heartbeats.save_heartbeat(actor=self.actor, heartbeat=heartbeat, now=now, **data))

    def destroy(self, request: Request, pk: str) -> Response:
        heartbeats.remove_heartbeat(actor=self.actor, heartbeat=self.get_object(), now=timezone.now())
        return Response(status=204)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, pk: str) -> Response:
        """Gives it a new address; the old one stops working at once."""
        return self.answer(heartbeats.rotate_heartbeat_token(actor=self.actor, heartbeat=self.get_object()))
