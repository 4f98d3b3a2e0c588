"""The board, one's own on call, and reports in the REST API: what is computed, not stored."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team, User
from accounts.rest import ActionViewSet
from events.errors import NotFound, require
from oncall import permissions
from oncall.api.cover import LeaveSerializer
from oncall.api.duty import ShiftSurveySerializer
from oncall.api.instants import AT, asked_instant
from oncall.api.reaching import ContactMethodSerializer, NotificationRuleSerializer
from oncall.api.schedules import OnCallPersonSerializer
from oncall.board import add_board_address, board, board_link, remove_board_address
from oncall.duty_filters import BoardAddressFilter
from oncall.forms.duty import ReportForm
from oncall.hours import Hours, Kind
from oncall.mine import my_on_call
from oncall.models import BoardAddress, Escalation, Schedule
from oncall.reports import report
from oncall.roster import zone_of

REACH = ["proved", "unproved", "unreachable"]


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
class HoursField(serializers.Field[Hours, Any, dict[str, float], Any]):
    """Hours by kind."""

    def to_representation(self, value: Hours) -> dict[str, float]:
        return {str(kind): round(value.of(kind) / timedelta(hours=1), 2) for kind in Kind}


# --- The board --------------------------------------------------------------------------------------------------------


class OnDutySerializer(serializers.Serializer[Any]):
    """Somebody on call, and whether it is known that pages reach them."""

    person = OnCallPersonSerializer()
    reach = serializers.ChoiceField(choices=REACH)


class BoardRowSerializer(serializers.Serializer[Any]):
    """A schedule on the board; times are null beyond four weeks."""

    schedule = serializers.SlugField(source="schedule.slug")
    name = serializers.CharField(source="schedule.name")
    on_duty = OnDutySerializer(many=True)
    is_override = serializers.BooleanField(source="standing.is_override")
    until = serializers.DateTimeField(source="standing.until", allow_null=True)
    next_people = OnCallPersonSerializer(source="standing.next_people", many=True)
    next_at = serializers.DateTimeField(source="standing.next_at", allow_null=True)


class BoardTeamSerializer(serializers.Serializer[Any]):
    """A team's schedules; without a team, those that belong to none."""

    team = serializers.SlugField(source="team.slug", default=None, allow_null=True)
    schedules = BoardRowSerializer(many=True, source="rows")


class BoardViewSet(ActionViewSet):
    """The board: who is on call by team, now or at another instant; `reach` is always as it is known now."""

    queryset = Schedule.objects.none()
    serializer_class = BoardTeamSerializer
    write_scope = Scope.ONCALL
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(
        parameters=[AT, OpenApiParameter("team", str, description="A team's slug.")],
        responses=BoardTeamSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        slug = request.query_params.get("team", "")
        team = Team.objects.filter(slug=slug).first() if slug else None
        if slug and team is None:
            raise NotFound("There is no such team.", field="team", remedy="Give its slug.")
        return Response(BoardTeamSerializer(board(timezone.now(), team, at=asked_instant(request)), many=True).data)


class BoardAddressSerializer(serializers.ModelSerializer[BoardAddress]):
    """A secret address that shows the board without signing in: treat `link` like a key."""

    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    link = serializers.SerializerMethodField()

    class Meta:
        model = BoardAddress
        fields = ["id", "name", "team", "link", "created_by", "created_at"]
        read_only_fields = ["created_by", "created_at"]
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}

    def get_link(self, address: BoardAddress) -> str:
        return board_link(address)


class BoardAddressViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Secret addresses of boards. For managers."""

    queryset = BoardAddress.objects.select_related("team").order_by("-id")
    serializer_class = BoardAddressSerializer
    filterset_class = BoardAddressFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name"]

    def get_queryset(self) -> Any:
        if not getattr(self, "swagger_fake_view", False):
            require(permissions.can_configure(self.actor), "Only managers may show the board outside.")
        return super().get_queryset()

    def create(self, request: Request) -> Response:
        made = add_board_address(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        remove_board_address(actor=self.actor, address=self.get_object())
        return Response(status=204)


# --- My on call -------------------------------------------------------------------------------------------------------


class MyShiftSerializer(serializers.Serializer[Any]):
    """A stretch of one's own on call."""

    schedule = serializers.SlugField(source="schedule.slug")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True)
    is_now = serializers.BooleanField()


class MyCoverRequestSerializer(serializers.Serializer[Any]):
    """An open request for cover: one's own, or one that one could accept."""

    id = serializers.IntegerField()
    schedule = serializers.SlugField(source="schedule.slug")
    user = serializers.IntegerField(source="user_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    note = serializers.CharField()


class MyEscalationSerializer(serializers.ModelSerializer[Escalation]):
    """An escalation that has paged one and that nobody has acknowledged."""

    class Meta:
        model = Escalation
        fields = ["id", "title", "urgency", "status", "started_at"]
        read_only_fields = fields


class MyOnCallSerializer(serializers.Serializer[Any]):
    """One's own on call: now and next, what waits, how and whether pages reach one, leave, and this month so far.

    Without `rules` every usable contact method is used at once.
    """

    is_on_call = serializers.BooleanField()
    reach = serializers.ChoiceField(choices=REACH)
    shifts = MyShiftSerializer(many=True)
    escalations = MyEscalationSerializer(many=True)
    cover_requests = MyCoverRequestSerializer(many=True)
    asked_to_cover = MyCoverRequestSerializer(many=True)
    surveys = ShiftSurveySerializer(many=True)
    rules = NotificationRuleSerializer(many=True)
    contact_methods = ContactMethodSerializer(source="methods", many=True)
    leaves = LeaveSerializer(many=True)
    hours = HoursField()
    pages = serializers.IntegerField()


class MyOnCallViewSet(ActionViewSet):
    """One's own on call."""

    queryset = Schedule.objects.none()
    serializer_class = MyOnCallSerializer
    write_scope = Scope.ONCALL
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(responses={200: MyOnCallSerializer(many=False)}, operation_id="my_on_call")
    def list(self, request: Request) -> Response:
        user = User.objects.get(pk=self.actor.person_id)
        return Response(MyOnCallSerializer(my_on_call(user, timezone.now())).data)


# --- Reports ----------------------------------------------------------------------------------------------------------


class PersonReportSerializer(serializers.Serializer[Any]):
    """A person's pages: `hours` are the 24 hours of their own day, nights are from 22:00 to 06:00 of it."""

    person = OnCallPersonSerializer()
    pages = serializers.IntegerField()
    hours = serializers.ListField(child=serializers.IntegerField())
    at_night = serializers.IntegerField()
    nights = serializers.IntegerField()


class PolicyReportSerializer(serializers.Serializer[Any]):
    """How escalations went; `median` and `p90` are seconds until acknowledged, `escalation_rate` is 0 to 1."""

    policy = serializers.SlugField(source="policy.slug", default=None, allow_null=True)
    escalations = serializers.IntegerField()
    acknowledged = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    escalated = serializers.IntegerField()
    escalation_rate = serializers.FloatField()


class ReportSerializer(serializers.Serializer[Any]):
    """What paging cost people between `start` and `end`."""

    start = serializers.DateTimeField(source="question.start")
    end = serializers.DateTimeField(source="question.end")
    pages = serializers.IntegerField()
    at_night = serializers.IntegerField()
    people = PersonReportSerializer(many=True)
    policies = PolicyReportSerializer(many=True)
    total = PolicyReportSerializer()


class ReportViewSet(ActionViewSet):
    """Pages by person and hour, nights, time to acknowledge, how often the next level was needed."""

    queryset = Schedule.objects.none()
    serializer_class = ReportSerializer
    write_scope = Scope.ONCALL
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(
        parameters=[
            OpenApiParameter("first", str, description="The first day, 2026-03-01; thirty days before the last."),
            OpenApiParameter("last", str, description="The last day; today. At most 366 days at once."),
            OpenApiParameter("schedule", str, many=True, description="Slugs: policies that page these schedules."),
            OpenApiParameter("policy", str, many=True, description="Slugs of policies."),
            OpenApiParameter("team", str, many=True, description="Slugs of the policies' teams."),
        ],
        responses={200: ReportSerializer(many=False)},
        operation_id="on_call_report",
    )
    def list(self, request: Request) -> Response:
        zone = zone_of(User.objects.get(pk=self.actor.person_id).time_zone)
        form = ReportForm(request.query_params, today=timezone.now().astimezone(zone).date())
        if not form.is_valid():
            raise serializers.ValidationError(
                {name: [str(each) for each in errors] for name, errors in form.errors.items()}
            )
        return Response(ReportSerializer(report(form.question(zone))).data)
