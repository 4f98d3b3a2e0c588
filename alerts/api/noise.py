"""The report of noise in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.rest import ActionViewSet
from alerts.models import Alert
from alerts.noise import Question, Row, report
from oncall.forms.duty import DaysForm
from oncall.roster import zone_of


class TallySerializer(serializers.Serializer[Any]):
    """How it went with alerts; shares are 0 to 1, the unanswered one of those that paged somebody."""

    alerts = serializers.IntegerField()
    paged = serializers.IntegerField()
    pages = serializers.IntegerField()
    noise = serializers.IntegerField()
    false_positives = serializers.IntegerField()
    noise_share = serializers.FloatField()
    unanswered = serializers.IntegerField()
    unanswered_share = serializers.FloatField()
    flapping = serializers.IntegerField()


class NoiseRowSerializer(serializers.Serializer[Any]):
    """The tally of a source, route or service; nulls stand for alerts without one."""

    id = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    tally = TallySerializer()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_id(self, row: Row) -> int | None:
        return row.about.pk if row.about else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_name(self, row: Row) -> str | None:
        return row.about.name if row.about else None


class NoiseReportSerializer(serializers.Serializer[Any]):
    """What alerts between `start` and `end` cost; `hours` are seven days from Monday on, of 24 numbers each."""

    start = serializers.DateTimeField(source="question.start")
    end = serializers.DateTimeField(source="question.end")
    total = TallySerializer()
    sources = NoiseRowSerializer(many=True)
    routes = NoiseRowSerializer(many=True)
    services = NoiseRowSerializer(many=True)
    hours = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class NoiseViewSet(ActionViewSet):
    """Alerts, pages, and how many of them were noise, by source, route, service and hour."""

    queryset = Alert.objects.none()
    serializer_class = NoiseReportSerializer
    write_scope = Scope.ALERTS
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(
        parameters=[
            OpenApiParameter("first", str, description="The first day, 2026-03-01; thirty days before the last."),
            OpenApiParameter("last", str, description="The last day; today. At most 366 days at once."),
        ],
        responses={200: NoiseReportSerializer(many=False)},
        operation_id="noise_report",
    )
    def list(self, request: Request) -> Response:
        zone = zone_of(User.objects.get(pk=self.actor.person_id).time_zone)
        form = DaysForm(request.query_params, today=timezone.now().astimezone(zone).date())
        if not form.is_valid():
            raise serializers.ValidationError(
                {name: [str(each) for each in errors] for name, errors in form.errors.items()}
            )
        return Response(NoiseReportSerializer(report(Question(self.actor, *form.stretch(zone), zone))).data)
