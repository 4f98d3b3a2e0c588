"""Paging people by hand in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from accounts.rest import ActionViewSet
from alerts.by_hand import page_by_hand
from catalog.models import Service
from oncall.api.escalations import EscalationSerializer
from oncall.models import Escalation, EscalationPolicy, Urgency


class ManualPageSerializer(serializers.Serializer[Any]):
    """Whom to page (a person's id, or the slug of a service or a policy: one of them), how loudly, what about."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False, allow_null=True)
    service = serializers.SlugRelatedField(
        slug_field="slug", queryset=Service.objects.all(), required=False, allow_null=True
    )
    policy = serializers.SlugRelatedField(
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )
    title = serializers.CharField(max_length=300)
    detail = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)


class ManualPageViewSet(ActionViewSet):
    """Paging people by hand."""

    queryset = Escalation.objects.none()
    serializer_class = ManualPageSerializer
    write_scope = Scope.ONCALL

    @extend_schema(responses={201: EscalationSerializer})
    def create(self, request: Request) -> Response:
        """Pages somebody; the answer is the escalation that does it."""
        started = page_by_hand(actor=self.actor, now=timezone.now(), **self.validated())
        return Response(EscalationSerializer(started, context=self.get_serializer_context()).data, status=201)
