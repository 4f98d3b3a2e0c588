"""Changes in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from alerts.changes import note_change
from alerts.filters import ChangeFilter
from alerts.models import AlertSource, Change
from catalog.models import Service


class ChangeLinkSerializer(serializers.Serializer[Any]):
    """Where to read more."""

    href = serializers.URLField()
    text = serializers.CharField(required=False, max_length=200)


class ChangeSerializer(serializers.ModelSerializer[Change]):
    """Something that somebody changed; without a source it was noted here."""

    # Field.source, which it hides, is not used.
    source = serializers.SlugRelatedField[AlertSource](  # type: ignore[assignment]  # the wire name
        slug_field="slug", read_only=True
    )
    service = serializers.SlugRelatedField[Service](
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    at = serializers.DateTimeField(required=False, help_text="When it was; now, if it is left out.")
    links = ChangeLinkSerializer(many=True, required=False)
    details = serializers.DictField(required=False)

    class Meta:
        model = Change
        fields = ["id", "summary", "at", "kind", "author", "service", "service_named", "source", "links", "details"]
        read_only_fields = ["service_named"]


class ChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Changes: deployments, merges, switched flags. They page nobody and stand beside what fires soon after."""

    write_scope = Scope.ALERTS
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    ordering_fields = ["id", "at"]
    queryset = Change.objects.select_related("service", "source")

    @extend_schema(responses={201: ChangeSerializer})
    def create(self, request: Request) -> Response:
        return self.answer(note_change(actor=self.actor, now=timezone.now(), **self.validated()), status=201)
