"""Cover requests, swaps, leave and shadows in the REST API."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team, User
from accounts.rest import ActionViewSet
from oncall import absences, covering, swaps
from oncall.filters import CoverRequestFilter, LeaveFilter, ShadowFilter, SwapFilter
from oncall.models import CoverRequest, Leave, Schedule, Shadow, Substitution

Schedules = serializers.SlugRelatedField[Schedule]
People = serializers.PrimaryKeyRelatedField[User]


class CoverRequestSerializer(serializers.ModelSerializer[CoverRequest]):
    """A request for cover. Without `asked` and `team` anybody who can be on call is asked."""

    schedule = Schedules(slug_field="slug", queryset=Schedule.objects.all())
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    asked = serializers.PrimaryKeyRelatedField(many=True, queryset=User.objects.all(), required=False)

    class Meta:
        model = CoverRequest
        fields = ["id", "schedule", "user", "starts_at", "ends_at", "asked", "team", "note", "status", "covered_by"]
        fields += ["override", "created_by", "created_at", "closed_at"]
        read_only_fields = ["status", "covered_by", "override", "created_by", "created_at", "closed_at"]


class CoverRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Cover requests: ask, accept, decline, withdraw."""

    queryset = CoverRequest.objects.select_related("schedule", "team").prefetch_related("asked").order_by("-id")
    serializer_class = CoverRequestSerializer
    filterset_class = CoverRequestFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]

    def create(self, request: Request) -> Response:
        made = covering.ask_for_cover(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    @extend_schema(request=None, responses=CoverRequestSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Takes the stretch: an override in which the key's person replaces whoever asks."""
        return self.answer(covering.accept_cover(actor=self.actor, request=self.get_object(), now=timezone.now()))

    @extend_schema(request=None, responses=CoverRequestSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Says that the key's person can't."""
        return self.answer(covering.decline_cover(actor=self.actor, request=self.get_object(), now=timezone.now()))

    @extend_schema(request=None, responses=CoverRequestSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Says that nobody needs to cover any more."""
        return self.answer(covering.withdraw_cover(actor=self.actor, request=self.get_object(), now=timezone.now()))


class SubstitutionSerializer(serializers.ModelSerializer[Substitution]):
    """Half of a swap: in the turn that holds `anchor`, `coming` takes the place of `going`."""

    schedule = serializers.SlugField(source="schedule.slug", read_only=True)

    class Meta:
        model = Substitution
        fields = ["id", "schedule", "series", "anchor", "going", "coming", "swap", "reason", "created_by", "created_at"]
        read_only_fields = fields


class SwapSerializer(serializers.Serializer[Any]):
    """The turn of `user` that holds `at` for the turn of `other` that holds `other_at`."""

    schedule = Schedules(slug_field="slug", queryset=Schedule.objects.all())
    user = People(queryset=User.objects.all())
    at = serializers.DateTimeField()
    other = People(queryset=User.objects.all())
    other_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class SwapViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Turns that have changed hands; each swap is two of them."""

    queryset = Substitution.objects.select_related("schedule").order_by("-id")
    serializer_class = SubstitutionSerializer
    filterset_class = SwapFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "anchor"]

    @extend_schema(request=SwapSerializer, responses={201: SubstitutionSerializer(many=True)})
    def create(self, request: Request) -> Response:
        halves = swaps.swap_turns(actor=self.actor, now=timezone.now(), **self.validated(SwapSerializer))
        found = self.get_queryset().filter(pk__in=[half.pk for half in halves]).order_by("id")
        return Response(self.get_serializer(found, many=True).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Undoes the swap that this half belongs to: both turns go back."""
        half = self.get_object()
        swap = half.swap or uuid.uuid4()
        swaps.undo_swap(actor=self.actor, schedule=half.schedule, swap=swap, now=timezone.now())
        return Response(status=204)


class LeaveSerializer(serializers.ModelSerializer[Leave]):
    """A time in which a person is away. It changes nobody's duty."""

    class Meta:
        model = Leave
        fields = ["id", "user", "starts_at", "ends_at", "reason"]


class LeaveViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Leave."""

    queryset = Leave.objects.select_related("user").order_by("-id")
    serializer_class = LeaveSerializer
    filterset_class = LeaveFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]

    def create(self, request: Request) -> Response:
        return self.answer(absences.add_leave(actor=self.actor, now=timezone.now(), **self.validated()), status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        absences.remove_leave(actor=self.actor, leave=self.get_object())
        return Response(status=204)


class ShadowSerializer(serializers.ModelSerializer[Shadow]):
    """Somebody who is told what a schedule (or one person on it) is paged for, and never paged."""

    schedule = Schedules(slug_field="slug", queryset=Schedule.objects.all())

    class Meta:
        model = Shadow
        fields = ["id", "schedule", "user", "follows", "starts_at", "ends_at"]


class ShadowViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Shadows."""

    queryset = Shadow.objects.select_related("schedule").order_by("-id")
    serializer_class = ShadowSerializer
    filterset_class = ShadowFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]

    def create(self, request: Request) -> Response:
        return self.answer(absences.add_shadow(actor=self.actor, now=timezone.now(), **self.validated()), status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Ends it; one that has begun ends now."""
        absences.remove_shadow(actor=self.actor, shadow=self.get_object(), now=timezone.now())
        return Response(status=204)
