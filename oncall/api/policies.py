"""Escalation policies in the REST API."""

from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team, User
from accounts.rest import ActionViewSet, WholeMixin
from oncall import policies
from oncall.api.simulation import SimulateMixin
from oncall.filters import PolicyFilter
from oncall.models import EscalationLevel, EscalationPolicy, EscalationTarget, Schedule
from oncall.policies import LevelDraft, TargetDraft


class TargetSerializer(WholeMixin, serializers.Serializer[Any]):
    """Whom a level pages, or where it tells.

    `schedule` and `team` are slugs, `user` is an id. A chat's `address` is an Apprise address, a webhook's an https one
    with a `secret` that signs what it is sent; both are written and never read: `id` keeps the one that is there.
    """

    id = serializers.IntegerField(required=False)
    kind = serializers.ChoiceField(choices=EscalationTarget.Kind.choices)
    schedule = serializers.SlugRelatedField(
        slug_field="slug", queryset=Schedule.objects.all(), required=False, allow_null=True
    )
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False, allow_null=True)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    address = serializers.CharField(required=False, write_only=True, max_length=1000)
    secret = serializers.CharField(required=False, write_only=True, max_length=200)

    def to_representation(self, instance: EscalationTarget) -> dict[str, Any]:
        return {
            "id": instance.pk,
            "kind": instance.kind,
            "schedule": instance.schedule.slug if instance.schedule else None,
            "user": instance.user_id,
            "team": instance.team.slug if instance.team else None,
            "name": str(instance),
        }

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        target_id = given.pop("id", None)
        told = given["kind"] in {EscalationTarget.Kind.CHAT, EscalationTarget.Kind.WEBHOOK}
        return TargetDraft(**given, target_id=target_id if told and not given.get("address") else None)


class LevelSerializer(WholeMixin, serializers.Serializer[Any]):
    """A level: whom it pages, on which condition, what answers it, and how many minutes it waits.

    `answers_needed` is 1 for anyone, 0 for everyone, n for n people.
    """

    timeout_minutes = serializers.IntegerField(min_value=0, max_value=policies.LONGEST_TIMEOUT_MINUTES)
    targets = TargetSerializer(many=True)
    condition = serializers.DictField(required=False)
    answers_needed = serializers.IntegerField(min_value=0, max_value=100, required=False)
    is_round_robin = serializers.BooleanField(required=False)

    def to_representation(self, instance: EscalationLevel) -> dict[str, Any]:
        shown = self.fields["targets"].child
        return {
            "timeout_minutes": instance.timeout_minutes,
            "targets": [shown.to_representation(target) for target in instance.targets.all()],
            "condition": instance.condition,
            "answers_needed": instance.answers_needed,
            "is_round_robin": instance.is_round_robin,
        }

    def to_internal_value(self, data: Any) -> Any:
        return LevelDraft(**super().to_internal_value(data))


class EscalationPolicySerializer(serializers.ModelSerializer[EscalationPolicy]):
    """An escalation policy; its `levels` become exactly those that are given, the first is paged at once."""

    slug = serializers.SlugField(max_length=100, required=False)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    next_policy = serializers.SlugRelatedField(
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )
    levels = LevelSerializer(many=True)
    confirm = serializers.BooleanField(
        required=False, write_only=True, help_text="Save it although there would be hours with nobody."
    )
    override_reason = serializers.CharField(
        required=False, allow_blank=True, write_only=True, max_length=500, help_text="Why a paging test may break."
    )

    class Meta:
        model = EscalationPolicy
        fields = [
            *("id", "slug", "name", "description", "team", "repeats", "on_exhausted", "next_policy"),
            *("acknowledgement_timeout_minutes", "auto_resolve_minutes", "low_urgency", "levels"),
            *("confirm", "override_reason"),
        ]
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}
        # The action says which of them go together, and how to mend it.
        validators: list[Any] = []


class LevelChangeSerializer(serializers.Serializer[Any]):
    """A stretch in which a level (counted from 1) would reach others, by name and id."""

    level = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    before = serializers.CharField()
    after = serializers.CharField()
    before_ids = serializers.ListField(child=serializers.IntegerField())
    after_ids = serializers.ListField(child=serializers.IntegerField())
    is_new_gap = serializers.BooleanField()


class PolicyPreviewSerializer(serializers.Serializer[Any]):
    """What a save would change; `is_worse` when there would be hours in which the policy reaches nobody."""

    is_worse = serializers.BooleanField()
    changes = LevelChangeSerializer(many=True)


KEPT = (
    *("name", "slug", "description", "team", "repeats", "on_exhausted", "next_policy"),
    *("acknowledgement_timeout_minutes", "auto_resolve_minutes", "low_urgency"),
)


class EscalationPolicyViewSet(SimulateMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Escalation policies, by slug."""

    queryset = (
        EscalationPolicy.objects.select_related("team", "next_policy")
        .prefetch_related(
            Prefetch("levels", EscalationLevel.objects.order_by("position")),
            Prefetch(
                "levels__targets", EscalationTarget.objects.select_related("schedule", "user", "team").order_by("id")
            ),
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
        return self.answer(policies.save_policy(actor=self.actor, now=timezone.now(), **given), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        """Changes a policy. What leaves hours with nobody in the next 90 days needs `confirm` (else 409)."""
        policy = self.get_object()
        given = self._changed(policy)
        return self.answer(policies.save_policy(actor=self.actor, policy=policy, now=timezone.now(), **given))

    @extend_schema(responses=PolicyPreviewSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, slug: str) -> Response:
        """What a change would make of the next 90 days, level by level; nothing is stored."""
        policy = self.get_object()
        given = self._changed(policy)
        preview = policies.preview_policy(actor=self.actor, policy=policy, now=timezone.now(), **given)
        shown = {
            "is_worse": preview.is_worse,
            "changes": [{"level": each.level, **vars(each.difference)} for each in preview.differences],
        }
        return Response(PolicyPreviewSerializer(shown).data)

    def _changed(self, policy: EscalationPolicy) -> dict[str, Any]:
        """What is stored, with what is given instead."""
        serializer = self.get_serializer(policy, data=self.request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        kept: dict[str, Any] = {name: getattr(policy, name) for name in KEPT}
        kept["levels"] = policies.drafts_of(policy)
        return {**kept, **serializer.validated_data}

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str) -> Response:
        policies.remove_policy(actor=self.actor, policy=self.get_object())
        return Response(status=204)
