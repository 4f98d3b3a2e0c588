"""Handovers, surveys after a shift, hours and pay in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from events.errors import NotFound
from oncall import duty, pay, surveys
from oncall.api.schedules import OnCallPersonSerializer
from oncall.duty_filters import HandoverFilter, RateTableFilter, StatementFilter, SurveyFilter
from oncall.models import DutyStatement, Handover, RateTable, Schedule, ShiftSurvey


class HandoverLineSerializer(serializers.Serializer[Any]):
    """One thing that those who come should know; `path` leads to it on this site."""

    text = serializers.CharField()
    path = serializers.CharField()
    detail = serializers.CharField()


class HandoverSectionSerializer(serializers.Serializer[Any]):
    """A part of a summary."""

    title = serializers.CharField()
    lines = HandoverLineSerializer(many=True)


class HandoverSerializer(serializers.ModelSerializer[Handover]):
    """A change of shift; before it happens only its note is there, and nobody in `going` and `coming`."""

    schedule = serializers.SlugRelatedField[Schedule](slug_field="slug", read_only=True)
    going = OnCallPersonSerializer(many=True, read_only=True)
    coming = OnCallPersonSerializer(many=True, read_only=True)
    sections = HandoverSectionSerializer(many=True, source="summary.sections", default=[], read_only=True)

    class Meta:
        model = Handover
        fields = ["id", "schedule", "at", "going", "coming", "note", "note_by", "sections", "mailed_at"]
        read_only_fields = fields


class HandoverNoteSerializer(serializers.Serializer[Any]):
    """A note for whoever comes next; `before` is the note as the writer saw it, if that matters."""

    schedule = serializers.SlugRelatedField(slug_field="slug", queryset=Schedule.objects.all())
    note = serializers.CharField(max_length=duty.LONGEST_NOTE, allow_blank=True)
    before = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)


class HandoverViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Changes of shift, the newest first, and the notes that wait for theirs."""

    queryset = Handover.objects.select_related("schedule").prefetch_related("going", "coming").order_by("-id")
    serializer_class = HandoverSerializer
    filterset_class = HandoverFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "at"]

    @extend_schema(request=HandoverNoteSerializer, responses={201: HandoverSerializer, 204: None})
    def create(self, request: Request) -> Response:
        """Writes the note for the next handover of a schedule; an empty one takes it away."""
        given = self.validated(HandoverNoteSerializer)
        written = duty.write_handover_note(actor=self.actor, now=timezone.now(), **given)
        return Response(status=204) if written is None else self.answer(written, status=201)


class ShiftSurveySerializer(serializers.ModelSerializer[ShiftSurvey]):
    """Two questions about a shift, and one's own answer: `score` from 1 (bad) to 5 (good)."""

    schedule = serializers.SlugRelatedField[Schedule](slug_field="slug", read_only=True)

    class Meta:
        model = ShiftSurvey
        fields = ["id", "schedule", "shift_start", "shift_end", "score", "what_hurt", "asked_at", "answered_at"]
        read_only_fields = fields


class SurveyAnswerSerializer(serializers.Serializer[Any]):
    """An answer to a survey."""

    score = serializers.IntegerField(min_value=1, max_value=5)
    what_hurt = serializers.CharField(required=False, allow_blank=True, max_length=surveys.LONGEST_ANSWER)


class SurveyMonthSerializer(serializers.Serializer[Any]):
    """The answers about the shifts that ended in a month (UTC)."""

    start = serializers.DateTimeField()
    average = serializers.FloatField(allow_null=True)
    answers = serializers.IntegerField()


class SurveyRemarkSerializer(serializers.ModelSerializer[ShiftSurvey]):
    """What somebody said, without their name."""

    class Meta:
        model = ShiftSurvey
        fields = ["shift_end", "score", "what_hurt"]
        read_only_fields = fields


class SurveyResultsSerializer(serializers.Serializer[Any]):
    """What people said of a schedule in the last year."""

    schedule = serializers.SlugField(source="schedule.slug")
    average = serializers.FloatField(allow_null=True)
    answers = serializers.IntegerField()
    asked = serializers.IntegerField()
    months = SurveyMonthSerializer(many=True)
    what_hurt = SurveyRemarkSerializer(many=True)


class SurveyAverageSerializer(serializers.Serializer[Any]):
    """A schedule's answers of the last year in one line; `average` is null without an answer."""

    schedule = serializers.SlugField(source="schedule.slug")
    average = serializers.FloatField(allow_null=True)
    answers = serializers.IntegerField()
    asked = serializers.IntegerField()


class ShiftSurveyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own surveys after a shift."""

    queryset = ShiftSurvey.objects.none()
    serializer_class = ShiftSurveySerializer
    filterset_class = SurveyFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "shift_end"]

    def get_queryset(self) -> QuerySet[ShiftSurvey]:
        if getattr(self, "swagger_fake_view", False):
            return ShiftSurvey.objects.none()
        return ShiftSurvey.objects.filter(user_id=self.actor.person_id).select_related("schedule").order_by("-id")

    @extend_schema(request=SurveyAnswerSerializer, responses=ShiftSurveySerializer)
    @action(detail=True, methods=["post"], url_path="answer")
    def give_answer(self, request: Request, pk: str) -> Response:
        """Answers it; a later answer takes the place of an earlier one."""
        given = self.validated(SurveyAnswerSerializer)
        asked = surveys.answer_survey(actor=self.actor, survey=self.get_object(), now=timezone.now(), **given)
        return self.answer(asked)

    @extend_schema(
        parameters=[OpenApiParameter("schedule", str, required=True, description="The schedule's slug.")],
        responses=SurveyResultsSerializer,
        filters=False,
    )
    @action(detail=False, pagination_class=None, filter_backends=[])
    def results(self, request: Request) -> Response:
        """What people said of a schedule in the last year, without their names. For managers."""
        schedule = Schedule.objects.filter(slug=request.query_params.get("schedule", "")).first()
        if schedule is None:
            raise NotFound("There is no such schedule.", field="schedule", remedy="Give its slug.")
        return Response(SurveyResultsSerializer(surveys.results_of(schedule, self.actor, timezone.now())).data)

    @extend_schema(responses=SurveyAverageSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None, filter_backends=[])
    def averages(self, request: Request) -> Response:
        """Every schedule about which somebody was asked in the last year. For managers."""
        return Response(SurveyAverageSerializer(surveys.averages(self.actor, timezone.now()), many=True).data)


class RateTableSerializer(serializers.ModelSerializer[RateTable]):
    """What an hour on call is worth, by kind, and what a page adds; `schedules` become exactly those given."""

    schedules = serializers.SlugRelatedField(
        slug_field="slug", queryset=Schedule.objects.all(), many=True, required=False
    )

    class Meta:
        model = RateTable
        fields = [
            *("id", "name", "currency", "weekday", "night", "weekend", "holiday", "per_page"),
            *("night_from", "night_until", "rest_hours", "schedules"),
        ]
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}, "currency": {"required": True}}


class RateTableViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Rates of hours on call."""

    queryset = RateTable.objects.prefetch_related("schedules").order_by("-id")
    serializer_class = RateTableSerializer
    filterset_class = RateTableFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name"]

    def create(self, request: Request) -> Response:
        return self.answer(pay.save_rate_table(actor=self.actor, **self.validated()), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        table = self.get_object()
        serializer = self.get_serializer(table, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = ("name", "currency", "night_from", "night_until", "rest_hours", *pay.RATES)
        kept = {name: getattr(table, name) for name in names}
        return self.answer(pay.save_rate_table(actor=self.actor, table=table, **{**kept, **serializer.validated_data}))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        pay.remove_rate_table(actor=self.actor, table=self.get_object())
        return Response(status=204)


class DutyHoursSerializer(serializers.Serializer[Any]):
    """Hours by what they weigh as."""

    weekday = serializers.FloatField()
    night = serializers.FloatField()
    weekend = serializers.FloatField()
    holiday = serializers.FloatField()


class DutyStatementSerializer(serializers.ModelSerializer[DutyStatement]):
    """A person's month on a schedule; once approved it does not change."""

    schedule = serializers.SlugRelatedField[Schedule](slug_field="slug", read_only=True)
    name = serializers.CharField(source="user.display_name", read_only=True)
    hours = DutyHoursSerializer(read_only=True)

    class Meta:
        model = DutyStatement
        fields = [
            *("id", "schedule", "user", "name", "starts_on", "ends_on", "hours", "pages", "broken_rests"),
            *("amount", "currency", "status", "approved_by", "approved_at"),
        ]
        read_only_fields = fields


class ComputeMonthSerializer(serializers.Serializer[Any]):
    """Which month to compute, and of which schedules; of all that have rates unless given."""

    month = serializers.DateField(input_formats=["%Y-%m"], help_text="Such as 2026-03.")
    schedules = serializers.SlugRelatedField(
        slug_field="slug", queryset=Schedule.objects.all(), many=True, required=False
    )


class ApproveStatementsSerializer(serializers.Serializer[Any]):
    """Which statements to approve, all or none."""

    statements = serializers.PrimaryKeyRelatedField(queryset=DutyStatement.objects.all(), many=True)


class DutyStatementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Hours and pay by month: everybody's for managers, else one's own."""

    queryset = DutyStatement.objects.none()
    serializer_class = DutyStatementSerializer
    filterset_class = StatementFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_on", "amount", "pages"]

    def get_queryset(self) -> QuerySet[DutyStatement]:
        if getattr(self, "swagger_fake_view", False):
            return DutyStatement.objects.none()
        return pay.visible_statements(self.actor).order_by("-id")

    @extend_schema(request=ComputeMonthSerializer, responses=DutyStatementSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def compute(self, request: Request) -> Response:
        """Computes a month anew. What is approved stays as it is."""
        made = pay.draft_statements(actor=self.actor, now=timezone.now(), **self.validated(ComputeMonthSerializer))
        return Response(self.get_serializer(made, many=True).data)

    @extend_schema(request=ApproveStatementsSerializer, responses=DutyStatementSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def approve(self, request: Request) -> Response:
        """Freezes statements of months that are over, all or none."""
        given = self.validated(ApproveStatementsSerializer)
        done = pay.approve_statements(actor=self.actor, now=timezone.now(), **given)
        found = self.get_queryset().filter(pk__in=[row.pk for row in done])
        return Response(self.get_serializer(found, many=True).data)
