"""Maintenance windows in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from alerts import windows
from alerts.models import AlertSource, MaintenanceWindow
from alerts.window_filters import MaintenanceWindowFilter
from catalog.models import Service

WRITABLE = [
    *("name", "reason", "services", "sources", "conditions", "matchers", "starts_at", "ends_at"),
    *("recurrence", "time_zone", "notice_minutes"),
]


class MatcherSerializer(serializers.Serializer[Any]):
    """A matcher of an Alertmanager silence, over the labels of an alert."""

    name = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    isRegex = serializers.BooleanField(default=False)  # noqa: N815 (the wire name)
    isEqual = serializers.BooleanField(default=True)  # noqa: N815 (the wire name)


class MaintenanceWindowSerializer(serializers.ModelSerializer[MaintenanceWindow]):
    """While it runs, what fits everything that it names pages nobody.

    `recurrence` is an RRULE (RFC 5545) on the clocks of `time_zone`; `from_at` and `until_at` are the occurrence that
    runs or comes next, null once it is over.
    """

    services = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), many=True, required=False
    )
    sources = serializers.SlugRelatedField(
        slug_field="slug", queryset=AlertSource.objects.all(), many=True, required=False
    )
    matchers = MatcherSerializer(many=True, required=False)
    state = serializers.SerializerMethodField()

    class Meta:
        model = MaintenanceWindow
        fields = ["id", "state", *WRITABLE, "from_at", "until_at", "canceled_at", "created_by", "author", "created_at"]
        read_only_fields = ["from_at", "until_at", "canceled_at", "created_by", "author", "created_at"]
        # The database's own checks are answered by the action, in words that say what to do.
        validators: list[Any] = []

    @extend_schema_field(serializers.ChoiceField(choices=MaintenanceWindow.State.choices))
    def get_state(self, window: MaintenanceWindow) -> str:
        return window.state_at(timezone.now())


class ExtensionSerializer(serializers.Serializer[Any]):
    """How much longer the occurrence that runs shall last."""

    minutes = serializers.IntegerField(min_value=1, max_value=windows.MOST_EXTENDED_MINUTES)


class TimingSerializer(serializers.Serializer[Any]):
    """When a window would take place."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    recurrence = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
    time_zone = serializers.CharField(required=False, default="UTC")


class OccurrenceSerializer(serializers.Serializer[Any]):
    """From when until when."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class MaintenanceWindowViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Maintenance windows: what is muted on purpose, once or again and again."""

    write_scope = Scope.ALERTS
    serializer_class = MaintenanceWindowSerializer
    filterset_class = MaintenanceWindowFilter
    ordering_fields = ["id", "name", "starts_at", "until_at"]
    queryset = MaintenanceWindow.objects.prefetch_related("services", "sources").order_by("-id")

    @extend_schema(responses={201: MaintenanceWindowSerializer})
    def create(self, request: Request) -> Response:
        made = windows.save_window(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        window = self.get_object()
        serializer = self.get_serializer(window, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        stored = {name: getattr(window, name) for name in WRITABLE if name not in {"services", "sources"}}
        stored |= {"services": list(window.services.all()), "sources": list(window.sources.all())}
        data = {name: given.get(name, stored[name]) for name in WRITABLE}
        return self.answer(windows.save_window(actor=self.actor, window=window, now=timezone.now(), **data))

    @extend_schema(request=ExtensionSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """Lets the occurrence that runs last longer."""
        data = self.validated(ExtensionSerializer)
        extended = windows.extend_window(actor=self.actor, window=self.get_object(), now=timezone.now(), **data)
        return self.answer(extended)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Ends the occurrence that runs; a recurring window comes again."""
        return self.answer(windows.end_occurrence(actor=self.actor, window=self.get_object(), now=timezone.now()))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Ends the window for good."""
        return self.answer(windows.cancel_window(actor=self.actor, window=self.get_object(), now=timezone.now()))

    @extend_schema(request=TimingSerializer, responses=OccurrenceSerializer(many=True))
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """The next five occurrences that a window like this would have; nothing is stored."""
        found = windows.preview(now=timezone.now(), **self.validated(TimingSerializer))
        return Response([{"starts_at": start, "ends_at": end} for start, end in found])
