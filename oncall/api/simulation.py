"""Time travel, paging tests and the roster in the REST API."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, Scope
from accounts.rest import ActionViewSet
from events.errors import require
from oncall import paging_tests, roster_copy
from oncall.filters import PagingTestFilter
from oncall.models import PagingTest, Urgency
from oncall.simulation import simulate

MOST_DAYS = 31


class SimulationRequestSerializer(serializers.Serializer[Any]):
    """When it would happen (now, unless given), how urgent it would be, and its facts."""

    at = serializers.DateTimeField(required=False)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)
    facts = serializers.DictField(child=serializers.CharField(max_length=500), required=False)


class SimulatedPageSerializer(serializers.Serializer[Any]):
    """One person through one contact method; `seconds` after the start."""

    at = serializers.DateTimeField()
    seconds = serializers.IntegerField()
    level = serializers.IntegerField()
    round = serializers.IntegerField()
    user = serializers.IntegerField(source="user_id")
    name = serializers.CharField()
    channel = serializers.CharField()


class HappeningSerializer(serializers.Serializer[Any]):
    """One thing that would happen: waits, paged, skipped, missed, told, exhausted, ended or goes_on."""

    at = serializers.DateTimeField()
    seconds = serializers.IntegerField()
    kind = serializers.CharField()
    level = serializers.IntegerField()
    round = serializers.IntegerField()
    text = serializers.CharField()


class SimulationSerializer(serializers.Serializer[Any]):
    """What would happen; `outcome` is exhausted, auto_resolved or goes_on."""

    policy = serializers.CharField()
    at = serializers.DateTimeField()
    urgency = serializers.CharField()
    outcome = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)
    pages = SimulatedPageSerializer(many=True)
    happenings = HappeningSerializer(many=True)


class SimulateMixin(ActionViewSet):
    """What the viewset of policies does beside storing them."""

    @extend_schema(request=SimulationRequestSerializer, responses=SimulationSerializer)
    @action(detail=True, methods=["post"])
    def simulate(self, request: Request, slug: str) -> Response:
        """Who would be paged, by what, at which second, if nobody answered; nothing is written."""
        given = self.validated(SimulationRequestSerializer)
        at = given.pop("at", None) or timezone.now()
        return Response(SimulationSerializer(simulate(self.get_object(), at, **given)).data)


class PagingTestSerializer(serializers.ModelSerializer[PagingTest]):
    """A stored paging test; `spec` is an entry of a paging tests file. While it is active no save may break it.

    `outcome` (unchecked, holds, broken, unknown) and `broken` are as of `checked_at`; `looks_at` is the instant that
    was simulated then. `author` hears when it begins to fail.
    """

    spec = serializers.DictField()
    broken = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_active = serializers.BooleanField(required=False)

    class Meta:
        model = PagingTest
        fields = [
            "id",
            "name",
            "spec",
            "is_active",
            "outcome",
            "broken",
            "checked_at",
            "looks_at",
            "author",
            "created_at",
        ]
        read_only_fields = ["id", "outcome", "checked_at", "looks_at", "author", "created_at"]
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}


class OutcomeSerializer(serializers.Serializer[Any]):
    """What comes of a paging test now; `broken` has a line for each promise that does not hold."""

    name = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    holds = serializers.BooleanField()
    outcome = serializers.CharField(source="kind")
    broken = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_broken(self, outcome: paging_tests.Outcome) -> list[str]:
        return list(outcome.broken)


class PagingTestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Paging tests: promises about who is paged when."""

    queryset = PagingTest.objects.order_by("-id")
    serializer_class = PagingTestSerializer
    filterset_class = PagingTestFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name", "outcome", "checked_at"]

    def create(self, request: Request) -> Response:
        return self.answer(
            paging_tests.save_paging_test(actor=self.actor, now=timezone.now(), **self.validated()), status=201
        )

    def partial_update(self, request: Request, pk: str) -> Response:
        test = self.get_object()
        serializer = self.get_serializer(test, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        kept = {"name": test.name, "spec": test.spec, "is_active": test.is_active}
        given = {**kept, **serializer.validated_data}
        return self.answer(paging_tests.save_paging_test(actor=self.actor, now=timezone.now(), test=test, **given))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        paging_tests.remove_paging_test(actor=self.actor, test=self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=OutcomeSerializer)
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Checks it now, and keeps what comes of it."""
        (outcome,) = self._run([self.get_object()])
        return Response(OutcomeSerializer(outcome).data)

    @extend_schema(
        operation_id="paging_tests_run_all", request=None, responses=OutcomeSerializer(many=True), filters=False
    )
    @action(detail=False, methods=["post"], url_path="run", pagination_class=None, filter_backends=[])
    def run_all(self, request: Request) -> Response:
        """Checks every test now, and keeps what comes of each."""
        return Response(OutcomeSerializer(self._run(PagingTest.objects.all()), many=True).data)

    def _run(self, tests: Iterable[PagingTest]) -> list[paging_tests.Outcome]:
        return paging_tests.run_paging_tests(actor=self.actor, tests=tests, now=timezone.now())


class RosterViewSet(ActionViewSet):
    """A copy of who is on call in the next days, with addresses: for the watchdog on another host."""

    queryset = PagingTest.objects.none()
    write_scope = Scope.ONCALL
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(parameters=[OpenApiParameter("days", int)], responses={200: {"type": "object"}})
    def list(self, request: Request) -> Response:
        """The roster of the next `?days=` (at most 31); for administrators: it holds telephone numbers."""
        require(self.actor.has_role(Role.ADMINISTRATOR), "Only administrators may copy everybody's addresses.")
        text = request.query_params.get("days", "7")
        days = min(max(int(text), 1), MOST_DAYS) if text.isdecimal() else 7
        return Response(roster_copy.copy_roster(timezone.now(), timedelta(days=days)))
