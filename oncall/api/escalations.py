"""Running escalations and their pages in the REST API."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from oncall import actions
from oncall.filters import EscalationFilter, PageFilter
from oncall.models import Escalation, EscalationEntry, EscalationPolicy, Page, PageAttempt


class PageAttemptSerializer(serializers.ModelSerializer[PageAttempt]):
    """One try to send a page."""

    class Meta:
        model = PageAttempt
        fields = ["number", "started_at", "finished_at", "outcome", "detail"]
        read_only_fields = fields


class PageSerializer(serializers.ModelSerializer[Page]):
    """A page: one person, one contact method, one level; levels count from 1."""

    name = serializers.CharField(source="user.display_name", read_only=True)
    level = serializers.SerializerMethodField()
    attempts = PageAttemptSerializer(many=True, read_only=True)

    class Meta:
        model = Page
        fields = [
            *("id", "escalation", "user", "name", "level", "round", "channel", "state"),
            *("created_at", "sent_at", "attempts"),
        ]
        read_only_fields = fields

    def get_level(self, page: Page) -> int:
        return page.level + 1


class EntrySerializer(serializers.ModelSerializer[EscalationEntry]):
    """A line of the ledger."""

    class Meta:
        model = EscalationEntry
        fields = ["number", "kind", "at", "text", "actor_name", "via", "hash"]
        read_only_fields = fields


class EscalationSerializer(serializers.ModelSerializer[Escalation]):
    """An escalation; `due_at` is when the engine looks at it next."""

    policy = serializers.SlugRelatedField[EscalationPolicy](slug_field="slug", read_only=True)
    facts = serializers.DictField(child=serializers.CharField(), read_only=True)
    seconds_to_acknowledge = serializers.SerializerMethodField()

    class Meta:
        model = Escalation
        fields = [
            *("id", "policy", "title", "detail", "facts", "is_private", "status", "round", "due_at", "started_at"),
            *("acknowledged_at", "acknowledged_by", "seconds_to_acknowledge", "ended_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_seconds_to_acknowledge(self, escalation: Escalation) -> int | None:
        length = escalation.time_to_acknowledge
        return int(length.total_seconds()) if length is not None else None


class EscalationDetailSerializer(EscalationSerializer):
    """An escalation with its frozen path, its pages and its ledger."""

    path = serializers.JSONField(read_only=True)
    pages = PageSerializer(many=True, read_only=True)
    entries = EntrySerializer(many=True, read_only=True)

    class Meta(EscalationSerializer.Meta):
        fields = [*EscalationSerializer.Meta.fields, "path", "pages", "entries"]
        read_only_fields = fields


class NewEscalationSerializer(serializers.Serializer[Any]):
    """Whom to page, and about what."""

    policy = serializers.SlugRelatedField(slug_field="slug", queryset=EscalationPolicy.objects.all())
    title = serializers.CharField(max_length=300)
    detail = serializers.CharField(required=False, allow_blank=True, max_length=20_000)


class EndSerializer(serializers.Serializer[Any]):
    """Why it is over."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


ATTEMPTS = Prefetch("attempts", PageAttempt.objects.order_by("number"))


class EscalationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Escalations. A private one is there only for those whom it pages."""

    queryset = Escalation.objects.none()
    serializer_class = EscalationSerializer
    filterset_class = EscalationFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "title", "status", "started_at"]

    def get_queryset(self) -> QuerySet[Escalation]:
        if getattr(self, "swagger_fake_view", False):
            return Escalation.objects.none()
        found = Escalation.objects.visible_to(self.actor).select_related("policy").order_by("-id")
        if self.action == "list":
            return found
        pages = Page.objects.select_related("user").prefetch_related(ATTEMPTS).order_by("id")
        entries = EscalationEntry.objects.order_by("number")
        return found.prefetch_related(Prefetch("pages", pages), Prefetch("entries", entries))

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return EscalationSerializer if self.action == "list" else EscalationDetailSerializer

    @extend_schema(request=NewEscalationSerializer, responses={201: EscalationDetailSerializer})
    def create(self, request: Request) -> Response:
        """Starts paging along a policy."""
        given = self.validated(NewEscalationSerializer)
        return self.answer(actions.start_escalation(actor=self.actor, now=timezone.now(), **given), status=201)

    @extend_schema(request=None, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """The person behind the request has it; paging stops."""
        escalation = self.get_object()
        actions.acknowledge_escalation(actor=self.actor, escalation=escalation, now=timezone.now())
        return self.answer(escalation)

    @extend_schema(request=EndSerializer, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """It is over; paging stops for good."""
        given = self.validated(EndSerializer)
        escalation = self.get_object()
        actions.resolve_escalation(actor=self.actor, escalation=escalation, now=timezone.now(), **given)
        return self.answer(escalation)


class PageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Pages of the escalations that the actor may see; `?user=` and `?status=triggered` find one's open ones."""

    queryset = Page.objects.none()
    serializer_class = PageSerializer
    filterset_class = PageFilter
    write_scope = Scope.ONCALL
    ordering_fields = ["id", "created_at"]

    def get_queryset(self) -> QuerySet[Page]:
        if getattr(self, "swagger_fake_view", False):
            return Page.objects.none()
        visible = Escalation.objects.visible_to(self.actor).values("pk")
        found = Page.objects.filter(escalation_id__in=visible).select_related("user")
        return found.prefetch_related(ATTEMPTS).order_by("-id")
