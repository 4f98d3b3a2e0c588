"""Schedules, overrides, escalation policies and contact methods in the REST API."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, Scope, Team, User
from accounts.rest import ActionViewSet, WholeMixin
from oncall import configuration
from oncall.configuration import LevelDraft, RotationDraft, handovers_of
from oncall.filters import ContactMethodFilter, OverrideFilter, PolicyFilter, ScheduleFilter
from oncall.models import (
    ContactMethod,
    EscalationLevel,
    EscalationPolicy,
    EscalationTarget,
    Override,
    Rotation,
    RotationMember,
    Schedule,
)
from oncall.rota import shifts
from oncall.sending import send_test
from oncall.standings import spec_of, standings

LONGEST_STRETCH = timedelta(days=400)


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

    class Meta:
        model = Rotation
        fields = ["id", "name", "layer", "period", "interval", "handovers", "starts_on", "members"]

    def to_representation(self, instance: Rotation) -> dict[str, Any]:
        # The field of that name is a list of ids; the model's is a manager.
        members = [member.user_id for member in instance.rotation_members.all()]
        plain = {name: field for name, field in self.fields.items() if name != "members"}
        shown = {name: field.to_representation(field.get_attribute(instance)) for name, field in plain.items()}
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
    """A schedule; its `rotations` become exactly those that are given."""

    slug = serializers.SlugField(max_length=100, required=False)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    rotations = RotationSerializer(many=True)

    class Meta:
        model = Schedule
        fields = ["id", "slug", "name", "description", "time_zone", "team", "rotations"]
        # The action answers what is taken, in words that say what to do.
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}, "time_zone": {"required": True}}


class StandingSerializer(serializers.Serializer[Any]):
    """Who is on call on a schedule now, until when, and who is next."""

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


MEMBERS = Prefetch("rotation_members", RotationMember.objects.order_by("position"))


class ScheduleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Schedules, by slug."""

    queryset = (
        Schedule.objects.select_related("team")
        .prefetch_related(Prefetch("rotations", Rotation.objects.prefetch_related(MEMBERS).order_by("-layer", "id")))
        .order_by("-id")
    )
    serializer_class = ScheduleSerializer
    filterset_class = ScheduleFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name"]
    lookup_field = "slug"

    def create(self, request: Request) -> Response:
        given = self.validated()
        given.setdefault("slug", slugify(given["name"]))
        return self.answer(configuration.save_schedule(actor=self.actor, **given), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        schedule = self.get_object()
        serializer = self.get_serializer(schedule, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        kept = {name: getattr(schedule, name) for name in ("name", "slug", "description", "time_zone", "team")}
        kept["rotations"] = [draft_of(rotation) for rotation in schedule.rotations.all()]
        given = {**kept, **serializer.validated_data}
        return self.answer(configuration.save_schedule(actor=self.actor, schedule=schedule, **given))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str) -> Response:
        configuration.remove_schedule(actor=self.actor, schedule=self.get_object())
        return Response(status=204)

    @extend_schema(responses=StandingSerializer(many=True), filters=False)
    @action(detail=False, url_path="on-call", pagination_class=None, filter_backends=[])
    def on_call(self, request: Request) -> Response:
        """Who is on call now on every schedule, until when, and who is next."""
        return Response(StandingSerializer(standings(timezone.now()), many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("start", datetime), OpenApiParameter("end", datetime)],
        responses=ShiftSerializer(many=True),
    )
    @action(detail=True, pagination_class=None, filter_backends=[])
    def shifts(self, request: Request, slug: str) -> Response:
        """The final shifts between `start` (now) and `end` (two weeks later), without gap or overlap."""
        stretch = StretchSerializer(data=request.query_params)
        stretch.is_valid(raise_exception=True)
        start, end = stretch.validated_data["start"], stretch.validated_data["end"]
        found = shifts(spec_of(self.get_object(), start, end), start, end)
        return Response(ShiftSerializer(found, many=True).data)


def draft_of(rotation: Rotation) -> RotationDraft:
    """A stored rotation as it is."""
    members = rotation.rotation_members.select_related("user").order_by("position")
    names = ("name", "layer", "period", "interval", "starts_on")
    return RotationDraft(
        rotation_id=rotation.pk,
        handovers=handovers_of(rotation),
        members=[member.user for member in members],
        **{name: getattr(rotation, name) for name in names},
    )


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """A person on call instead of the rotations for a while."""

    schedule = serializers.SlugRelatedField(slug_field="slug", queryset=Schedule.objects.all())
    name = serializers.CharField(source="user.display_name", read_only=True)

    class Meta:
        model = Override
        fields = ["id", "schedule", "user", "name", "starts_at", "ends_at", "reason", "created_by"]
        read_only_fields = ["created_by"]


class OverrideViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Overrides of schedules."""

    queryset = Override.objects.select_related("schedule", "user").order_by("-id")
    serializer_class = OverrideSerializer
    filterset_class = OverrideFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "starts_at", "ends_at"]

    def create(self, request: Request) -> Response:
        made = configuration.add_override(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(made, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Takes it away; one that has begun ends now."""
        configuration.remove_override(actor=self.actor, override=self.get_object(), now=timezone.now())
        return Response(status=204)


class LevelSerializer(WholeMixin, serializers.Serializer[Any]):
    """A level: whom it pages, and how many minutes it waits for an answer."""

    timeout_minutes = serializers.IntegerField(min_value=0, max_value=configuration.LONGEST_TIMEOUT_MINUTES)
    schedules = serializers.SlugRelatedField(
        slug_field="slug", queryset=Schedule.objects.all(), many=True, required=False
    )
    users = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), many=True, required=False)

    def to_representation(self, instance: EscalationLevel) -> dict[str, Any]:
        targets = instance.targets.all()
        return {
            "timeout_minutes": instance.timeout_minutes,
            "schedules": [target.schedule.slug for target in targets if target.schedule],
            "users": [target.user_id for target in targets if target.user_id],
        }

    def to_internal_value(self, data: Any) -> Any:
        return LevelDraft(**super().to_internal_value(data))


class EscalationPolicySerializer(serializers.ModelSerializer[EscalationPolicy]):
    """An escalation policy; its `levels` become exactly those that are given, the first is paged at once."""

    slug = serializers.SlugField(max_length=100, required=False)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    levels = LevelSerializer(many=True)

    class Meta:
        model = EscalationPolicy
        fields = ["id", "slug", "name", "description", "team", "repeats", "levels"]
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}


class EscalationPolicyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Escalation policies, by slug."""

    queryset = (
        EscalationPolicy.objects.select_related("team")
        .prefetch_related(
            Prefetch("levels", EscalationLevel.objects.order_by("position")),
            Prefetch("levels__targets", EscalationTarget.objects.select_related("schedule").order_by("id")),
        )
        .order_by("-id")
    )
    serializer_class = EscalationPolicySerializer
    filterset_class = PolicyFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "name"]
    lookup_field = "slug"

    def create(self, request: Request) -> Response:
        given = self.validated()
        given.setdefault("slug", slugify(given["name"]))
        return self.answer(configuration.save_policy(actor=self.actor, **given), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        policy = self.get_object()
        serializer = self.get_serializer(policy, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        kept = {name: getattr(policy, name) for name in ("name", "slug", "description", "team", "repeats")}
        kept["levels"] = [level_draft_of(level) for level in policy.levels.all()]
        given = {**kept, **serializer.validated_data}
        return self.answer(configuration.save_policy(actor=self.actor, policy=policy, **given))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str) -> Response:
        configuration.remove_policy(actor=self.actor, policy=self.get_object())
        return Response(status=204)


def level_draft_of(level: EscalationLevel) -> LevelDraft:
    """A stored level as it is."""
    targets = level.targets.select_related("schedule", "user").order_by("id")
    return LevelDraft(
        timeout_minutes=level.timeout_minutes,
        schedules=[target.schedule for target in targets if target.schedule],
        users=[target.user for target in targets if target.user],
    )


class ContactMethodSerializer(serializers.ModelSerializer[ContactMethod]):
    """A way to reach a person; oneself unless `user` is given. The signing secret stands on the profile page only."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)

    class Meta:
        model = ContactMethod
        fields = ["id", "user", "kind", "address", "is_enabled", "is_usable", "broken_reason", "created_at"]
        read_only_fields = ["is_enabled", "is_usable", "broken_reason", "created_at"]
        validators: list[Any] = []


class ContactMethodChangeSerializer(serializers.Serializer[Any]):
    """Switching off or on."""

    is_enabled = serializers.BooleanField()


class TestResultSerializer(serializers.Serializer[Any]):
    """What came of a test page."""

    outcome = serializers.ChoiceField(choices=["accepted", "failed", "refused"])
    detail = serializers.CharField()


class ContactMethodViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """One's own contact methods; administrators see everybody's."""

    queryset = ContactMethod.objects.none()
    serializer_class = ContactMethodSerializer
    filterset_class = ContactMethodFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "created_at"]

    def get_queryset(self) -> QuerySet[ContactMethod]:
        if getattr(self, "swagger_fake_view", False):
            return ContactMethod.objects.none()
        found = ContactMethod.objects.select_related("user").order_by("-id")
        return found if self.actor.has_role(Role.ADMINISTRATOR) else found.filter(user_id=self.actor.user_id or 0)

    def create(self, request: Request) -> Response:
        given = self.validated()
        user = given.pop("user", None) or User.objects.get(pk=self.actor.user_id or 0)
        made = configuration.add_contact_method(actor=self.actor, user=user, now=timezone.now(), **given)
        return self.answer(made, status=201)

    @extend_schema(request=ContactMethodChangeSerializer, responses=ContactMethodSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        given = self.validated(ContactMethodChangeSerializer)
        method = self.get_object()
        configuration.set_contact_method_enabled(actor=self.actor, method=method, **given)
        return self.answer(method)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        configuration.remove_contact_method(actor=self.actor, method=self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=TestResultSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Sends a test page and says what came of it."""
        result = send_test(actor=self.actor, method=self.get_object(), now=timezone.now())
        return Response(TestResultSerializer(result).data)
