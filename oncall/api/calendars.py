"""Calendars in and out in the REST API: feeds, and calendars that a schedule reads."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.rest import ActionViewSet
from oncall import calendars, feeds
from oncall.filters import CalendarFeedFilter, ImportedCalendarFilter, ImportedShiftFilter
from oncall.models import CalendarFeed, ImportedCalendar, ImportedShift, Schedule


class CalendarFeedSerializer(serializers.ModelSerializer[CalendarFeed]):
    """A feed of a schedule, or without one of one's own shifts. Whoever knows `address` can read it."""

    schedule = serializers.SlugRelatedField(
        slug_field="slug", queryset=Schedule.objects.all(), required=False, allow_null=True
    )
    address = serializers.SerializerMethodField()

    class Meta:
        model = CalendarFeed
        fields = ["id", "schedule", "address", "created_at"]
        read_only_fields = ["created_at"]

    def get_address(self, feed: CalendarFeed) -> str:
        return feeds.address_of(feed)


class CalendarFeedViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own calendar feeds."""

    queryset = CalendarFeed.objects.none()
    serializer_class = CalendarFeedSerializer
    filterset_class = CalendarFeedFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "created_at"]

    def get_queryset(self) -> QuerySet[CalendarFeed]:
        if getattr(self, "swagger_fake_view", False):
            return CalendarFeed.objects.none()
        own = CalendarFeed.objects.filter(user_id=self.actor.person_id)
        return own.select_related("schedule", "user").order_by("-id")

    def create(self, request: Request) -> Response:
        """The feed; made if it is not there yet."""
        user = User.objects.get(pk=self.actor.person_id)
        return self.answer(
            feeds.open_feed(actor=self.actor, user=user, now=timezone.now(), **self.validated()), status=201
        )

    @extend_schema(request=None, responses=CalendarFeedSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Gives it another address; the old one stops at once."""
        return self.answer(feeds.rotate_feed(actor=self.actor, feed=self.get_object(), now=timezone.now()))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        feeds.close_feed(actor=self.actor, feed=self.get_object())
        return Response(status=204)


class ImportedCalendarSerializer(serializers.ModelSerializer[ImportedCalendar]):
    """A calendar that a schedule reads. Its address is a secret and never told again."""

    schedule = serializers.SlugRelatedField(slug_field="slug", queryset=Schedule.objects.all())
    address = serializers.CharField(max_length=2000, write_only=True)

    class Meta:
        model = ImportedCalendar
        fields = ["id", "schedule", "kind", "address", "fetched_at", "due_at", "error"]
        read_only_fields = ["fetched_at", "due_at", "error"]
        validators: list[Any] = []


class ImportedCalendarViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """The calendars that schedules read; setting one of a kind that is there replaces its address."""

    queryset = ImportedCalendar.objects.select_related("schedule").order_by("-id")
    serializer_class = ImportedCalendarSerializer
    filterset_class = ImportedCalendarFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "fetched_at"]

    def create(self, request: Request) -> Response:
        made = calendars.set_calendar(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    @extend_schema(request=None, responses=ImportedCalendarSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Reads it again within a minute."""
        return self.answer(calendars.read_again(actor=self.actor, calendar=self.get_object(), now=timezone.now()))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Takes it away with its shifts."""
        calendars.remove_calendar(actor=self.actor, calendar=self.get_object())
        return Response(status=204)


class ImportedShiftSerializer(serializers.ModelSerializer[ImportedShift]):
    """One event of an imported calendar; without a user nobody here has its name."""

    schedule = serializers.SlugField(source="calendar.schedule.slug", read_only=True)
    kind = serializers.CharField(source="calendar.kind", read_only=True)

    class Meta:
        model = ImportedShift
        fields = ["id", "schedule", "kind", "uid", "user", "name", "layer", "starts_at", "ends_at"]
        read_only_fields = fields


class ImportedShiftViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """The shifts that imported calendars say."""

    queryset = ImportedShift.objects.select_related("calendar__schedule").order_by("-id")
    serializer_class = ImportedShiftSerializer
    filterset_class = ImportedShiftFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]
