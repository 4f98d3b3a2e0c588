"""Alerts in the REST API."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from alerts import actions
from alerts.filters import AlertFilter
from alerts.models import Alert, AlertSource
from catalog.models import Service


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
