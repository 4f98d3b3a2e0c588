"""Schedules and their overrides in the REST API."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team, User
from accounts.rest import ActionViewSet, WholeMixin
from oncall import scheduling
from oncall.api.instants import AT, asked_instant
from oncall.coverage import Load
from oncall.filters import OverrideFilter, ScheduleFilter
from oncall.hours import Kind, holidays_between
from oncall.models import Override, Rotation, RotationMember, Schedule
from oncall.roster import zone_of
from oncall.rota import layers, shifts
from oncall.rotations import RotationDraft, draft_of, last_versions
from oncall.soundness import soundness_of
from oncall.standings import spec_of, standings

LONGEST_STRETCH = timedelta(days=400)
PREVIEW = timedelta(weeks=6)


class OnCallPersonSerializer(serializers.ModelSerializer[User]):
    """A person, in short."""

    name = serializers.CharField(source="display_name")

    class Meta:
        model = User
        fields = ["id", "name"]
        read_only_fields = fields


class HandoverTimeSerializer(WholeMixin, serializers.Serializer[Any]):
    """A wall-clock time, and for weeks its weekday (0 is Monday)."""

    weekday = serializers.IntegerField(min_value=0, max_value=6, required=False, allow_null=True, default=None)
    time = serializers.TimeField(format="%H:%M")

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        return given["weekday"], given["time"]


class RotationSerializer(WholeMixin, serializers.ModelSerializer[Rotation]):
    """A rotation; `members` are ids of people in the order of their turns. `id` keeps one that is there."""

    id = serializers.IntegerField(required=False)
    members = serializers.ListField(child=serializers.IntegerField(), allow_empty=False)
    handovers = HandoverTimeSerializer(many=True, required=False)
    active_weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, allow_empty=True
    )

    class Meta:
        model = Rotation
        fields = ["id", "series", "name", "layer", "period", "interval", "handovers", "starts_on", "people_at_once"]
        fields += ["active_from", "active_until", "active_weekdays", "effective_from", "effective_until", "members"]
        read_only_fields = ["series", "effective_from"]

    def to_representation(self, instance: Rotation) -> dict[str, Any]:
        # The field of that name is a list of ids; the model's is a manager.
        members = [member.user_id for member in instance.rotation_members.all()]
        plain = {name: field for name, field in self.fields.items() if name != "members"}
        shown = {}
        for name, field in plain.items():
            value = field.get_attribute(instance)
            shown[name] = None if value is None else field.to_representation(value)
        return {**shown, "members": members}

    def validate_members(self, ids: list[int]) -> list[User]:
        found = User.objects.in_bulk(ids)
        missing = [str(pk) for pk in ids if pk not in found]
        if missing:
            raise serializers.ValidationError(f"There is nobody with the id {', '.join(missing)}.")
        return [found[pk] for pk in ids]

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        rotation_id = given.pop("id", None)
        return RotationDraft(rotation_id=rotation_id, **given)


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    """A schedule; its `rotations` become exactly those that are given.

    They hold from `effective_from` on (now, unless given; null corrects them as if they had always been so). What
    makes coverage worse in the next 90 days needs `confirm`. With the `version` that was read, a change that somebody
    else made meanwhile is not overwritten.
    """

    slug = serializers.SlugField(max_length=100, required=False)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    working_days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), required=False, allow_empty=True
    )
    rotations = RotationSerializer(many=True)
    effective_from = serializers.DateTimeField(required=False, allow_null=True, write_only=True)
    confirm = serializers.BooleanField(required=False, write_only=True)
    override_reason = serializers.CharField(
        required=False, allow_blank=True, write_only=True, max_length=500, help_text="Why a paging test may break."
    )
    version = serializers.CharField(required=False, source="stamp", max_length=64)

    class Meta:
        model = Schedule
        fields = ["id", "slug", "name", "description", "time_zone", "team", "country", "working_days", "working_from"]
        fields += ["working_until", "rotations", "effective_from", "confirm", "override_reason", "version"]
        # The action answers what is taken, in words that say what to do.
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}, "time_zone": {"required": True}}

    def to_representation(self, instance: Schedule) -> dict[str, Any]:
        fields = {name: field for name, field in self.fields.items() if not field.write_only}
        rotations = fields.pop("rotations")
        fields.pop("version")
        shown: dict[str, Any] = {}
        for name, field in fields.items():
            value = field.get_attribute(instance)
            shown[name] = None if value is None else field.to_representation(value)
        shown["rotations"] = rotations.to_representation(last_versions(instance.rotations.all(), timezone.now()))
        if not isinstance(self.parent, serializers.ListSerializer):
            shown["version"] = scheduling.stamp_of(instance)
        return shown


class StandingSerializer(serializers.Serializer[Any]):
    """Who is on call on a schedule at an instant, until when, and who is next."""

    schedule = serializers.SlugField(source="schedule.slug")
    name = serializers.CharField(source="schedule.name")
    people = OnCallPersonSerializer(many=True)
    is_override = serializers.BooleanField()
    until = serializers.DateTimeField(allow_null=True)
    next_people = OnCallPersonSerializer(many=True)
    next_at = serializers.DateTimeField(allow_null=True)


class ShiftSerializer(serializers.Serializer[Any]):
    """The same people on call from `start` until `end`; nobody when `users` is empty."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    users = serializers.ListField(child=serializers.IntegerField(), source="user_ids")
    is_override = serializers.BooleanField()


class LayerSerializer(serializers.Serializer[Any]):
    """A rotation (all its versions), or a layer of imported shifts without a series."""

    series = serializers.CharField()
    name = serializers.CharField()
    layer = serializers.IntegerField()
    shifts = ShiftSerializer(many=True)


class HolidaySerializer(serializers.Serializer[Any]):
    """A public holiday in the schedule's country, by its English name."""

    date = serializers.DateField()
    name = serializers.CharField()


class DifferenceSerializer(serializers.Serializer[Any]):
    """A stretch in which others would be on call than are now.

    `missing` are those for whom somebody would come in who is on call anyway: one fewer than wanted. Where it
    `is_worse` (a new gap, or somebody missing) saving needs `confirm`.
    """

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    before = serializers.ListField(child=serializers.IntegerField(), source="before_ids")
    after = serializers.ListField(child=serializers.IntegerField(), source="after_ids")
    before_names = serializers.CharField(source="before")
    missing = serializers.ListField(child=serializers.IntegerField(), source="missing_ids")
    after_names = serializers.CharField(source="after")
    missing_names = serializers.CharField(source="missing")
    is_new_gap = serializers.BooleanField()
    is_worse = serializers.BooleanField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What a save would make: the final shifts of six weeks, and what changes in the next 90 days."""

    shifts = ShiftSerializer(many=True)
    changes = DifferenceSerializer(many=True)
    is_worse = serializers.BooleanField()


class FindingSerializer(serializers.Serializer[Any]):
    """What lowers a schedule's score, by how many of 100 points."""

    flaw = serializers.CharField()
    points = serializers.FloatField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    user = serializers.IntegerField(source="user_id", allow_null=True)
    other_schedule = serializers.IntegerField(source="other_schedule_id", allow_null=True)


class QualitySerializer(serializers.Serializer[Any]):
    """How a schedule does in the next six weeks. `hours` are by kind and person; `unreachable` can't be paged."""

    score = serializers.IntegerField()
    findings = FindingSerializer(many=True)
    hours = serializers.DictField(child=serializers.DictField())
    unreachable = serializers.ListField(child=serializers.IntegerField())
    unproved = serializers.ListField(child=serializers.IntegerField())


class StretchSerializer(serializers.Serializer[Any]):
    """From when until when."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, datetime]) -> dict[str, datetime]:
        start = attrs.get("start") or timezone.now()
        end = attrs.get("end") or start + timedelta(days=14)
        if not start < end <= start + LONGEST_STRETCH:
            raise serializers.ValidationError({"end": "The end must come after the start, at most 400 days later."})
        return {"start": start, "end": end}


STRETCH = [OpenApiParameter("start", datetime), OpenApiParameter("end", datetime)]
KEPT = ("name", "slug", "description", "time_zone", "team", "country", "working_days", "working_from", "working_until")


class ScheduleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Schedules, by slug."""

    queryset = Schedule.objects.order_by("-id")
    serializer_class = ScheduleSerializer
    filterset_class = ScheduleFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name"]
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Schedule]:
        members = RotationMember.objects.select_related("user").order_by("position")
        lasting = Rotation.objects.filter(Q(effective_until=None) | Q(effective_until__gt=timezone.now()))
        rotations = Prefetch("rotations", lasting.prefetch_related(Prefetch("rotation_members", members)))
        found: QuerySet[Schedule] = super().get_queryset()
        return found.select_related("team").prefetch_related(rotations)

    def create(self, request: Request) -> Response:
        given = self.validated()
        given.setdefault("slug", slugify(given["name"]))
        return self.answer(scheduling.save_schedule(actor=self.actor, now=timezone.now(), **given), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        schedule = self.get_object()
        given = self._changed(schedule)
        saved = scheduling.save_schedule(actor=self.actor, schedule=schedule, now=timezone.now(), **given)
        return self.answer(saved)

    def _changed(self, schedule: Schedule) -> dict[str, Any]:
        """What a save takes: the body over what is there; what changes in the rotations holds from now on."""
        serializer = self.get_serializer(schedule, data=self.request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        kept: dict[str, Any] = {name: getattr(schedule, name) for name in KEPT}
        kept["rotations"] = [draft_of(rotation) for rotation in last_versions(schedule.rotations.all(), now)]
        return {**kept, "effective_from": now, **serializer.validated_data}

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str) -> Response:
        scheduling.remove_schedule(actor=self.actor, schedule=self.get_object())
        return Response(status=204)

    @extend_schema(parameters=[AT], responses=StandingSerializer(many=True), filters=False)
    @action(detail=False, url_path="on-call", pagination_class=None, filter_backends=[])
    def on_call(self, request: Request) -> Response:
        """Who is on call on every schedule, now or at another instant, until when, and who is next."""
        return Response(StandingSerializer(standings(asked_instant(request)), many=True).data)

    @extend_schema(responses=PreviewSerializer, filters=False, operation_id="schedules_preview_new")
    @action(detail=False, methods=["post"], url_path="preview", pagination_class=None, filter_backends=[])
    def preview_new(self, request: Request) -> Response:
        """What a new schedule would be; nothing is stored."""
        given = self.validated()
        given.setdefault("slug", slugify(given["name"]))
        return self._preview(None, given)

    @extend_schema(responses=PreviewSerializer, filters=False)
    @action(detail=True, methods=["post"], pagination_class=None, filter_backends=[])
    def preview(self, request: Request, slug: str) -> Response:
        """What a change would make of the schedule; nothing is stored."""
        schedule = self.get_object()
        return self._preview(schedule, self._changed(schedule))

    def _preview(self, schedule: Schedule | None, given: dict[str, Any]) -> Response:
        now = timezone.now()
        preview = scheduling.preview_schedule(actor=self.actor, now=now, schedule=schedule, **given)
        shown = {
            "shifts": shifts(preview.after, now, now + PREVIEW),
            "changes": preview.differences,
            "is_worse": preview.is_worse,
        }
        return Response(PreviewSerializer(shown).data)

    @extend_schema(parameters=STRETCH, responses=ShiftSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def shifts(self, request: Request, slug: str) -> Response:
        """The final shifts between `start` (now) and `end` (two weeks later), without gap or overlap."""
        start, end = self._stretch()
        found = shifts(spec_of(self.get_object(), start, end), start, end)
        return Response(ShiftSerializer(found, many=True).data)

    @extend_schema(parameters=STRETCH, responses=LayerSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def layers(self, request: Request, slug: str) -> Response:
        """What each rotation says between `start` (now) and `end` (two weeks later), before layers and overrides."""
        start, end = self._stretch()
        found = layers(spec_of(self.get_object(), start, end), start, end)
        return Response(LayerSerializer(found, many=True).data)

    @extend_schema(parameters=STRETCH, responses=HolidaySerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def holidays(self, request: Request, slug: str) -> Response:
        """The public holidays in the schedule's country on the days from `start` (now) to `end` (two weeks later)."""
        start, end = self._stretch()
        schedule = self.get_object()
        zone = zone_of(schedule.time_zone)
        found = holidays_between(schedule.country, start.astimezone(zone).date(), end.astimezone(zone).date())
        return Response(HolidaySerializer([{"date": day, "name": name} for day, name in found], many=True).data)

    @extend_schema(responses=QualitySerializer, filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def quality(self, request: Request, slug: str) -> Response:
        """How the schedule does in the next six weeks: gaps, double bookings, leave, fair shares, reach."""
        sound = soundness_of(self.get_object(), timezone.now())
        shown = {
            "score": sound.quality.score,
            "findings": sound.quality.findings,
            "hours": {pk: _hours_of(load) for pk, load in sound.quality.loads.items()},
            "unreachable": [user.pk for user, reach in sound.weak if reach == "unreachable"],
            "unproved": [user.pk for user, reach in sound.weak if reach == "unproved"],
        }
        return Response(QualitySerializer(shown).data)

    def _stretch(self) -> tuple[datetime, datetime]:
        stretch = StretchSerializer(data=self.request.query_params)
        stretch.is_valid(raise_exception=True)
        return stretch.validated_data["start"], stretch.validated_data["end"]


def _hours_of(load: Load) -> dict[str, float]:
    by_kind = {kind.value: round(load.hours.of(kind) / timedelta(hours=1), 2) for kind in Kind}
    return {**by_kind, "pages": load.pages}


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """A person on call for a while: instead of everybody, or only of the person whom they replace."""

    schedule = serializers.SlugRelatedField(slug_field="slug", queryset=Schedule.objects.all())
    name = serializers.CharField(source="user.display_name", read_only=True)

    class Meta:
        model = Override
        fields = ["id", "schedule", "user", "name", "replaces", "starts_at", "ends_at", "reason", "created_by"]
        read_only_fields = ["created_by"]


class OverrideViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Overrides of schedules."""

    queryset = Override.objects.select_related("schedule", "user").order_by("-id")
    serializer_class = OverrideSerializer
    filterset_class = OverrideFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]

    def create(self, request: Request) -> Response:
        made = scheduling.add_override(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    @extend_schema(responses={204: None}, parameters=[OpenApiParameter("confirm", bool)])
    def destroy(self, request: Request, pk: str) -> Response:
        """Takes it away; one that has begun ends now. What makes coverage worse needs `?confirm=true`."""
        confirm = request.query_params.get("confirm") == "true"
        scheduling.remove_override(actor=self.actor, override=self.get_object(), now=timezone.now(), confirm=confirm)
        return Response(status=204)
