"""Alert sources in the REST API."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, Team
from accounts.rest import ActionViewSet
from alerts import actions
from alerts.addresses import receive_address
from alerts.api.raw_events import NOT_FOR_YOU, RawEventSerializer
from alerts.dialects import DIALECTS
from alerts.filters import AlertSourceFilter
from alerts.mapping import save_mapping
from alerts.models import AlertSource
from alerts.permissions import can_configure
from alerts.traffic import counts_per_day
from alerts.trying import send_test_event
from events.errors import require


class AlertSourceSerializer(serializers.ModelSerializer[AlertSource]):
    """A place where alerts enter. Its address and token are shown to managers only."""

    team = serializers.SlugRelatedField[Team](
        slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True
    )
    slug = serializers.SlugField(required=False)
    dialect = serializers.ChoiceField(choices=[(name, dialect.label) for name, dialect in DIALECTS.items()])
    address = serializers.SerializerMethodField()
    token = serializers.SerializerMethodField()
    signing_secret = serializers.CharField(write_only=True, required=False, allow_blank=True)
    is_signed = serializers.SerializerMethodField()
    mapping = serializers.ListField(child=serializers.DictField(), required=False)
    override_reason = serializers.CharField(
        required=False, allow_blank=True, write_only=True, max_length=500, help_text="Why a paging test may break."
    )

    class Meta:
        model = AlertSource
        fields = [
            "id",
            "name",
            "slug",
            "dialect",
            "description",
            "team",
            "is_enabled",
            "signing_secret",
            "is_signed",
            "kept_days",
            "mapping",
            "override_reason",
            "address",
            "token",
            "created_at",
            "last_event_at",
        ]
        read_only_fields = ["created_at", "last_event_at"]

    def get_is_signed(self, source: AlertSource) -> bool:
        """Whether only what is signed is believed."""
        return bool(source.signing_secret)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_address(self, source: AlertSource) -> str | None:
        view = self.context["view"]
        return receive_address(source) if can_configure(view.actor) else None

    def get_token(self, source: AlertSource) -> str | None:
        """What the sender proves itself with: routing key, bearer token, or a part of the address."""
        return source.token if can_configure(self.context["view"].actor) else None


def _mapping(data: dict[str, Any]) -> dict[str, Any]:
    """What of the given fields belongs to the mapping."""
    return {name: data[name] for name in ("mapping", "override_reason") if name in data}


class DaySerializer(serializers.Serializer[Any]):
    """What came on one day."""

    day = serializers.DateField()
    requests = serializers.IntegerField()
    events = serializers.IntegerField()


class AlertSourceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Alert sources, by slug."""

    write_scope = Scope.ALERTS
    serializer_class = AlertSourceSerializer
    filterset_class = AlertSourceFilter
    ordering_fields = ["id", "name", "last_event_at"]
    lookup_field = "slug"
    queryset = AlertSource.objects.select_related("team")

    @extend_schema(responses={201: AlertSourceSerializer})
    def create(self, request: Request) -> Response:
        data = self.validated()
        data.setdefault("slug", slugify(data["name"]))
        return self.answer(self._save(data), status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        source = self.get_object()
        serializer = self.get_serializer(source, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        names = ("name", "slug", "dialect", "description", "team", "is_enabled", "signing_secret", "kept_days")
        data = {name: serializer.validated_data.get(name, getattr(source, name)) for name in names}
        return self.answer(self._save({"source": source, **data, **_mapping(serializer.validated_data)}))

    @transaction.atomic
    def _save(self, data: dict[str, Any]) -> AlertSource:
        """Saves a source, and its mapping and what that may break if they are given."""
        now, given = timezone.now(), _mapping(data)
        fields = {name: value for name, value in data.items() if name not in given}
        source = actions.save_source(actor=self.actor, now=now, **fields)
        return save_mapping(actor=self.actor, source=source, now=now, **given) if "mapping" in given else source

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, slug: str) -> Response:
        """Gives the source a new address; the old one stops working at once."""
        return self.answer(actions.rotate_token(actor=self.actor, source=self.get_object()))

    @extend_schema(request=None, responses={202: RawEventSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, slug: str) -> Response:
        """Sends it the sample of its format, as its sender would. It is routed as any alert and may page somebody."""
        raw = send_test_event(actor=self.actor, source=self.get_object(), now=timezone.now())
        return Response(RawEventSerializer(raw, context=self.get_serializer_context()).data, status=202)

    @extend_schema(responses=DaySerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def days(self, request: Request, slug: str) -> Response:
        """How many requests and events it sent on each of the last days, the newest first. For managers."""
        require(can_configure(self.actor), NOT_FOR_YOU)
        return Response(DaySerializer(counts_per_day(self.get_object(), timezone.now()), many=True).data)
