"""Running escalations and their pages in the REST API."""

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.pagination import CursorPagination
from accounts.rest import ActionViewSet
from oncall import actions
from oncall.filters import EscalationFilter, LedgerRootFilter, PageFilter
from oncall.models import (
    Escalation,
    EscalationAnswer,
    EscalationEntry,
    EscalationPolicy,
    LedgerRoot,
    Page,
    PageAttempt,
    PageReceipt,
    Urgency,
)
from oncall.sealing import broken_chain


class PageReceiptSerializer(serializers.ModelSerializer[PageReceipt]):
    """What a provider said of an attempt afterwards."""

    class Meta:
        model = PageReceipt
        fields = ["kind", "at", "detail"]
        read_only_fields = fields


class PageAttemptSerializer(serializers.ModelSerializer[PageAttempt]):
    """One try to send a page, and what is known of it since."""

    receipts = PageReceiptSerializer(many=True, read_only=True)

    class Meta:
        model = PageAttempt
        fields = ["number", "started_at", "finished_at", "outcome", "detail", "provider", "receipts"]
        read_only_fields = fields


class PageSerializer(serializers.ModelSerializer[Page]):
    """A page: one person, one contact method, one level; levels count from 1."""

    name = serializers.CharField(source="user.display_name", read_only=True)
    level = serializers.SerializerMethodField()
    attempts = PageAttemptSerializer(many=True, read_only=True)

    class Meta:
        model = Page
        fields = [
            *("id", "escalation", "user", "name", "level", "round", "run", "step", "channel", "is_extra", "state"),
            *("due_at", "created_at", "sent_at", "carried_by", "attempts"),
        ]
        read_only_fields = fields

    def get_level(self, page: Page) -> int:
        return page.level + 1


class EntrySerializer(serializers.ModelSerializer[EscalationEntry]):
    """A line of the ledger; `hash` covers it and the hash of the line before."""

    data = serializers.JSONField(read_only=True)  # type: ignore[assignment]  # the wire name; Serializer.data stays

    class Meta:
        model = EscalationEntry
        fields = ["number", "kind", "at", "text", "actor_name", "via", "data", "hash"]
        read_only_fields = fields


class AnswerSerializer(serializers.ModelSerializer[EscalationAnswer]):
    """What a paged person said; levels count from 1."""

    name = serializers.CharField(source="user.display_name", read_only=True)
    level = serializers.SerializerMethodField()

    class Meta:
        model = EscalationAnswer
        fields = ["user", "name", "kind", "level", "round", "run", "at"]
        read_only_fields = fields

    def get_level(self, answer: EscalationAnswer) -> int:
        return answer.level + 1


class EscalationSerializer(serializers.ModelSerializer[Escalation]):
    """An escalation; `due_at` is when the engine looks at it next."""

    policy = serializers.SlugRelatedField[EscalationPolicy](slug_field="slug", read_only=True)
    facts = serializers.DictField(child=serializers.CharField(), read_only=True)
    seconds_to_acknowledge = serializers.SerializerMethodField()

    class Meta:
        model = Escalation
        fields = [
            *("id", "policy", "title", "detail", "facts", "urgency", "is_private", "status", "outcome", "round", "run"),
            *("due_at", "snoozed_until", "started_at"),
            *("acknowledged_at", "acknowledged_by", "seconds_to_acknowledge", "ended_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_seconds_to_acknowledge(self, escalation: Escalation) -> int | None:
        length = escalation.time_to_acknowledge
        return int(length.total_seconds()) if length is not None else None


class EscalationDetailSerializer(EscalationSerializer):
    """An escalation with its frozen path, its pages, the answers and its ledger; `is_verified` if that is unbroken."""

    path = serializers.JSONField(read_only=True)
    pages = PageSerializer(many=True, read_only=True)
    answers = AnswerSerializer(many=True, read_only=True)
    entries = EntrySerializer(many=True, read_only=True)
    is_verified = serializers.SerializerMethodField()

    class Meta(EscalationSerializer.Meta):
        fields = [*EscalationSerializer.Meta.fields, "path", "pages", "answers", "entries", "is_verified"]
        read_only_fields = fields

    def get_is_verified(self, escalation: Escalation) -> bool:
        entries = sorted(escalation.entries.all(), key=lambda entry: entry.number)
        return not list(broken_chain(entries, escalation.entry_count, escalation.entry_hash))


class NewEscalationSerializer(serializers.Serializer[Any]):
    """Whom to page, by a policy's slug or a person's id, and about what."""

    policy = serializers.SlugRelatedField(
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False, allow_null=True)
    title = serializers.CharField(max_length=300)
    detail = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)
    facts = serializers.DictField(child=serializers.CharField(max_length=500), required=False)


class EndSerializer(serializers.Serializer[Any]):
    """Why it is over."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class ReassignSerializer(serializers.Serializer[Any]):
    """To whom it is handed: a person's id or a policy's slug."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False, allow_null=True)
    policy = serializers.SlugRelatedField(
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )


class ResponderSerializer(serializers.Serializer[Any]):
    """Who is asked to help."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all())


class SnoozeSerializer(serializers.Serializer[Any]):
    """Until when it is still."""

    until = serializers.DateTimeField()


ATTEMPTS = Prefetch("attempts", PageAttempt.objects.order_by("number").prefetch_related("receipts"))


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
        answers = EscalationAnswer.objects.select_related("user").order_by("at")
        return found.prefetch_related(
            Prefetch("pages", pages), Prefetch("entries", entries), Prefetch("answers", answers)
        )

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return EscalationSerializer if self.action == "list" else EscalationDetailSerializer

    @extend_schema(request=NewEscalationSerializer, responses={201: EscalationDetailSerializer})
    def create(self, request: Request) -> Response:
        """Starts paging along a policy, or pages one person."""
        given = self.validated(NewEscalationSerializer)
        return self.answer(actions.start_escalation(actor=self.actor, now=timezone.now(), **given), status=201)

    def _do(self, verb: Callable[..., Escalation], **given: Any) -> Response:
        """Calls one verb on the escalation of the address."""
        escalation = self.get_object()
        verb(actor=self.actor, escalation=escalation, now=timezone.now(), **given)
        return self.answer(escalation)

    @extend_schema(request=None, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """The person behind the request has it; paging stops once as many have answered as the level needs."""
        return self._do(actions.acknowledge_escalation)

    @extend_schema(request=None, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """The person behind the request can't take it; once all of the level can't, the next level is paged."""
        return self._do(actions.decline_escalation)

    @extend_schema(request=None, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def escalate(self, request: Request, pk: str) -> Response:
        """Pages the next level now."""
        return self._do(actions.escalate_now)

    @extend_schema(request=ReassignSerializer, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: str) -> Response:
        """Hands it to a person or to another policy, who are paged at once."""
        return self._do(actions.reassign_escalation, **self.validated(ReassignSerializer))

    @extend_schema(request=ResponderSerializer, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def responders(self, request: Request, pk: str) -> Response:
        """Pages one more person beside whoever has it."""
        return self._do(actions.add_responder, **self.validated(ResponderSerializer))

    @extend_schema(request=SnoozeSerializer, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Acknowledges it, and pages again at `until`, at most seven days from now."""
        return self._do(actions.snooze_escalation, **self.validated(SnoozeSerializer))

    @extend_schema(request=None, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Takes the acknowledgement back: the level that was paged last is paged again."""
        return self._do(actions.page_again)

    @extend_schema(request=EndSerializer, responses=EscalationDetailSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """It is over; paging stops for good."""
        return self._do(actions.resolve_escalation, **self.validated(EndSerializer))


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


class LedgerRootSerializer(serializers.ModelSerializer[LedgerRoot]):
    """One hash over all ledger lines of a day (UTC) and the root before."""

    class Meta:
        model = LedgerRoot
        fields = ["day", "lines", "hash", "made_at"]
        read_only_fields = fields


class ByDay(CursorPagination):
    """A root's day is its key."""

    ordering = "-day"


class LedgerRootViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Daily roots of the ledger, by day: to be kept where Sitrep can't write."""

    queryset = LedgerRoot.objects.order_by("-day")
    serializer_class = LedgerRootSerializer
    filterset_class = LedgerRootFilter
    pagination_class = ByDay
    write_scope = Scope.ONCALL
    ordering_fields = ["day"]
