"""Alerts in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team
from accounts.rest import ActionViewSet
from alerts import actions, marking
from alerts.alert_filters import AlertFilter
from alerts.history import history_of
from alerts.models import Alert, AlertSource
from catalog.models import Service


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A deduplicated signal."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )
    service = serializers.SlugRelatedField[Service](slug_field="slug", read_only=True)
    team = serializers.SlugRelatedField[Team](slug_field="slug", read_only=True)
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
            "priority",
            "team",
            "service",
            "service_named",
            "attributes",
            "tags",
            "unresolved",
            "source_url",
            "count",
            "started_at",
            "first_event_at",
            "last_event_at",
            "resolved_at",
            "ended_at",
            "expires_at",
            "route",
            "routing_note",
            "outcome",
            "held",
            "due_at",
            "muted_by",
            "group",
            "escalation",
            "incident",
            "assigned_to",
            "noise",
            "noise_by",
            "noise_at",
        ]

    @extend_schema_field(serializers.IntegerField(allow_null=True, help_text="The number of the incident."))
    def get_incident(self, alert: Alert) -> int | None:
        return alert.incident.number if alert.incident else None


class MarkSerializer(serializers.Serializer[Any]):
    """What an alert is marked as; nothing takes the mark away."""

    noise = serializers.ChoiceField(choices=Alert.Noise.choices, allow_blank=True)


class BulkSerializer(serializers.Serializer[Any]):
    """One verb, and the ids of the alerts to which it is done."""

    verb = serializers.ChoiceField(choices=marking.Handling.choices)
    alerts = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=marking.MOST_AT_ONCE
    )


class RefusedSerializer(serializers.Serializer[Any]):
    """An alert to which it could not be done, and why."""

    alert = serializers.IntegerField(source="alert.pk")
    reason = serializers.CharField()


class BulkResultSerializer(serializers.Serializer[Any]):
    """To how many it was done, and which refused it."""

    done = serializers.IntegerField()
    refused = RefusedSerializer(many=True)


class MomentSerializer(serializers.Serializer[Any]):
    """Something that happened to an alert."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    text = serializers.CharField()
    by = serializers.CharField()


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Alerts; those of private incidents only for their members."""

    write_scope = Scope.ALERTS
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    ordering_fields = ["id", "last_event_at", "first_event_at", "count"]

    def get_queryset(self) -> QuerySet[Alert]:
        if getattr(self, "swagger_fake_view", False):
            return Alert.objects.none()
        return Alert.objects.visible_to(self.actor).for_lists().select_related("team")

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

    @extend_schema(request=MarkSerializer)
    @action(detail=True, methods=["post"])
    def mark(self, request: Request, pk: str) -> Response:
        """Says that it told nothing (noise) or something wrong (false_positive), or takes that back."""
        data = self.validated(MarkSerializer)
        return self.answer(
            marking.mark_alert(actor=self.actor, alert=self.get_object(), now=timezone.now(), noise=data["noise"])
        )

    @extend_schema(request=BulkSerializer, responses=BulkResultSerializer)
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Does one verb to many alerts, each for itself; those that one may not see are passed over."""
        data = self.validated(BulkSerializer)
        chosen = list(self.get_queryset().filter(pk__in=data["alerts"]))
        refused = marking.handle_many(actor=self.actor, alerts=chosen, verb=data["verb"], now=timezone.now())
        done = len(chosen) - len(refused)
        return Response(BulkResultSerializer({"done": done, "refused": refused}).data)

    @extend_schema(responses=MomentSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """What happened to it, the oldest first."""
        return Response(MomentSerializer(history_of(self.get_object()), many=True).data)
