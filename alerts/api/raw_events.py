"""What sources sent, what of it was refused, and what became of all that was accepted, in the REST API."""

import base64
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from alerts.audit import Ledger, audit_alerts
from alerts.failed_events import retry_failed, retry_raw_event, set_aside_raw_event
from alerts.filters import RawEventFilter, RejectionFilter
from alerts.models import AlertSource, RawEvent, Rejection
from alerts.permissions import can_configure
from alerts.reading import readable_raw_events
from alerts.receive import pretty_body
from alerts.trying import is_test, resolve_test_event
from events.errors import require

NOT_FOR_YOU = "Only managers may look at what sources sent."
LONGEST_PERIOD = timedelta(days=31)


class RawEventSerializer(serializers.ModelSerializer[RawEvent]):
    """What a source sent and what became of it."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )
    is_test = serializers.SerializerMethodField()

    class Meta:
        model = RawEvent
        fields = [
            "id",
            "source",
            "received_at",
            "request_id",
            "content_type",
            "event_count",
            "state",
            "outcomes",
            "attempts",
            "error",
            "processed_at",
            "is_test",
        ]

    def get_is_test(self, raw: RawEvent) -> bool:
        """Whether Sitrep has sent it to itself."""
        return is_test(raw)


class WholeRawEventSerializer(RawEventSerializer):
    """The same with all that was sent: the body as text, without the token, and its bytes in base64."""

    text = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()

    class Meta(RawEventSerializer.Meta):
        fields = [*RawEventSerializer.Meta.fields, "method", "address", "query", "headers", "text", "body"]

    def get_text(self, raw: RawEvent) -> str:
        return pretty_body(raw)

    def get_body(self, raw: RawEvent) -> str:
        return base64.b64encode(bytes(raw.body)).decode()


class RetryFailedSerializer(serializers.Serializer[Any]):
    """Of which source; of all of them without one."""

    source = serializers.SlugRelatedField(  # type: ignore[assignment]  # the wire name
        slug_field="slug", queryset=AlertSource.objects.all(), required=False
    )


class NumberSerializer(serializers.Serializer[Any]):
    """How many."""

    number = serializers.IntegerField()


class RawEventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Raw events, for managers."""

    write_scope = Scope.ALERTS
    serializer_class = RawEventSerializer
    filterset_class = RawEventFilter
    ordering_fields = ["id", "received_at"]

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return WholeRawEventSerializer if self.action == "retrieve" else RawEventSerializer

    def get_queryset(self) -> QuerySet[RawEvent]:
        if getattr(self, "swagger_fake_view", False):
            return RawEvent.objects.none()
        require(can_configure(self.actor), NOT_FOR_YOU)
        found = readable_raw_events(self.actor).select_related("source")
        return found if self.action == "retrieve" else found.defer("body")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Makes a failed event due again."""
        return self.answer(retry_raw_event(actor=self.actor, raw_event=self.get_object(), now=timezone.now()))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="set-aside")
    def set_aside(self, request: Request, pk: str) -> Response:
        """Says that a failed event needs no more looking at."""
        return self.answer(set_aside_raw_event(actor=self.actor, raw_event=self.get_object()))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="resolve-test")
    def resolve_test(self, request: Request, pk: str) -> Response:
        """Ends what a test event has opened."""
        raw = self.get_object()
        resolve_test_event(actor=self.actor, raw_event=raw, now=timezone.now())
        return self.answer(raw)

    @extend_schema(request=RetryFailedSerializer, responses=NumberSerializer)
    @action(detail=False, methods=["post"], url_path="retry-failed")
    def retry_failed(self, request: Request) -> Response:
        """Makes all failed events due again, at most a thousand at once, and tells how many they were."""
        source = self.validated(RetryFailedSerializer).get("source")
        number = retry_failed(actor=self.actor, now=timezone.now(), source_id=source.pk if source else None)
        return Response({"number": number})


class RejectionSerializer(serializers.ModelSerializer[Rejection]):
    """What a source sent and nobody could read, counted by its reason."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )
    sample = serializers.SerializerMethodField()

    class Meta:
        model = Rejection
        fields = [
            "id",
            "source",
            "reason",
            "message",
            "field_name",
            "remedy",
            "count",
            "first_at",
            "last_at",
            "content_type",
            "sample",
        ]

    def get_sample(self, rejection: Rejection) -> str:
        """How the newest body began, as far as it is text."""
        return bytes(rejection.sample).decode("utf-8", "replace")


class RejectionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """What was refused, for managers."""

    write_scope = Scope.ALERTS
    serializer_class = RejectionSerializer
    filterset_class = RejectionFilter
    ordering_fields = ["id", "last_at", "count"]

    def get_queryset(self) -> QuerySet[Rejection]:
        if getattr(self, "swagger_fake_view", False):
            return Rejection.objects.none()
        require(can_configure(self.actor), NOT_FOR_YOU)
        return Rejection.objects.select_related("source")


class PeriodSerializer(serializers.Serializer[Any]):
    """From `since` until just before `until`: the last 24 hours unless given, a month at most; of one source or all."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    source = serializers.SlugRelatedField(  # type: ignore[assignment]  # the wire name
        slug_field="slug", queryset=AlertSource.objects.all(), required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until = attrs.setdefault("until", timezone.now())
        since = attrs.setdefault("since", until - timedelta(days=1))
        if not timedelta() < until - since <= LONGEST_PERIOD:
            raise serializers.ValidationError({"since": ["It must lie before until, by 31 days at most."]})
        return attrs


class LedgerSerializer(serializers.Serializer[Ledger]):
    """What became of all that was accepted in a period. `holds`: each event has one outcome, and a true one."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    requests = serializers.IntegerField(source="bodies")
    accepted = serializers.IntegerField(help_text="Events, not requests.")
    outcomes = serializers.DictField(source="by_outcome", child=serializers.IntegerField())
    failed = serializers.SerializerMethodField()
    set_aside = serializers.SerializerMethodField()
    waiting_to_be_processed = serializers.SerializerMethodField()
    holds = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())

    @extend_schema_field(serializers.IntegerField())
    def get_failed(self, ledger: Ledger) -> int:
        return ledger.without_outcome["failed"]

    @extend_schema_field(serializers.IntegerField())
    def get_set_aside(self, ledger: Ledger) -> int:
        return ledger.without_outcome["set_aside"]

    @extend_schema_field(serializers.IntegerField())
    def get_waiting_to_be_processed(self, ledger: Ledger) -> int:
        return ledger.without_outcome["waiting_to_be_processed"]


class OutcomeViewSet(ActionViewSet):
    """The ledger of outcomes, for managers."""

    write_scope = Scope.ALERTS
    serializer_class = LedgerSerializer
    queryset = RawEvent.objects.none()
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(parameters=[PeriodSerializer], responses=LedgerSerializer)
    def list(self, request: Request) -> Response:
        """What became of all that was accepted in a period, and whether nothing of it is lost."""
        require(can_configure(self.actor), NOT_FOR_YOU)
        period = PeriodSerializer(data=request.query_params)
        period.is_valid(raise_exception=True)
        asked = period.validated_data
        source = asked.get("source")
        ledger = audit_alerts(asked["since"], asked["until"], timezone.now(), source_id=source.pk if source else None)
        return Response(LedgerSerializer(ledger).data)


raw_event_routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("raw-events", RawEventViewSet, "raw-event"),
    ("alert-rejections", RejectionViewSet, "alert-rejection"),
    ("alert-outcomes", OutcomeViewSet, "alert-outcome"),
]
