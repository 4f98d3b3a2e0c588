"""What stands around an incident in the REST API: custom fields, the blast radius, mitigations, similar incidents."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import ActionViewSet
from catalog.api import BlastRadiusSerializer, MitigationSerializer
from catalog.blast import blast_radius
from catalog.mitigations import mitigations_of
from catalog.models import Mitigation, Service
from incidents import fields as custom_fields
from incidents import paging
from incidents.api.naming import by_slug
from incidents.api.reading import IncidentSerializer, PersonSerializer
from incidents.api.writing import StartedEscalationSerializer
from incidents.models import Incident, IncidentService
from incidents.related import related_incidents
from incidents.standby import standby_of
from oncall.models import Urgency


class ShownFieldSerializer(serializers.Serializer[Any]):
    """A custom field and its value. `is_current` is false where the field is gone, archived or of another type."""

    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    words = serializers.CharField(help_text="The value as people read it.")
    url = serializers.CharField(help_text="Where it leads: a link, a service, a team, a person.")
    is_current = serializers.BooleanField()
    required_at = serializers.CharField(source="field.required_at", default="never")


class SetFieldsSerializer(serializers.Serializer[Any]):
    """Sets custom fields by slug; null clears one. With `was`, what the caller saw, nobody's change is overwritten."""

    values = serializers.DictField(child=serializers.JSONField(allow_null=True))
    was = serializers.DictField(child=serializers.JSONField(allow_null=True), required=False)


class OfServiceSerializer(MitigationSerializer):
    """A mitigation of a service."""

    service = serializers.SlugRelatedField[Service](slug_field="slug", read_only=True)

    class Meta(MitigationSerializer.Meta):
        model = Mitigation
        fields = ["service", *MitigationSerializer.Meta.fields]


class StandbySerializer(serializers.Serializer[Any]):
    """An affected service: who owns it, who is on call for it now, and what pages for it already."""

    service = serializers.SlugField(source="service.slug")
    impact = serializers.ChoiceField(choices=IncidentService.Impact.choices)
    team = serializers.SlugField(source="service.team.slug", allow_null=True, default=None)
    policy = serializers.SlugField(source="service.escalation_policy.slug", allow_null=True, default=None)
    on_call = PersonSerializer(many=True)
    escalation = serializers.IntegerField(source="escalation.pk", allow_null=True, default=None)


class AroundSerializer(BlastRadiusSerializer):
    """The affected services with whoever stands by for them, and what else is hit."""

    services = StandbySerializer(many=True)


class PageServiceSerializer(serializers.Serializer[Any]):
    """Pages whoever is on call for a service."""

    service = by_slug(Service)
    message = serializers.CharField(required=False, allow_blank=True)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)


class PagedServiceSerializer(StartedEscalationSerializer):
    """What pages for the service; `is_new` is false when it paged for the incident already."""

    is_new = serializers.BooleanField(read_only=True)

    class Meta(StartedEscalationSerializer.Meta):
        fields = [*StartedEscalationSerializer.Meta.fields, "is_new"]


class RelatedIncidentSerializer(serializers.Serializer[Any]):
    """A similar incident, and why it is."""

    incident = IncidentSerializer()
    reasons = serializers.ListField(child=serializers.CharField())
    score = serializers.FloatField(help_text="The higher, the more alike.")


class AroundMixin(ActionViewSet):
    """Custom fields, services, mitigations and similar incidents."""

    @extend_schema(responses=ShownFieldSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="fields", pagination_class=None)
    def list_fields(self, request: Request, number: str) -> Response:
        """The custom fields of the incident, those without a value too."""
        return Response(ShownFieldSerializer(custom_fields.show_fields(self.get_object()), many=True).data)

    @extend_schema(request=SetFieldsSerializer, responses=ShownFieldSerializer(many=True))
    @list_fields.mapping.post
    def set_fields(self, request: Request, number: str) -> Response:
        """Sets custom fields."""
        data = self.validated(SetFieldsSerializer)
        incident = custom_fields.set_fields(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return Response(ShownFieldSerializer(custom_fields.show_fields(incident), many=True).data)

    @extend_schema(responses=AroundSerializer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def radius(self, request: Request, number: str) -> Response:
        """The affected services with who is on call for them now, and how far the fault reaches."""
        incident = self.get_object()
        return Response(BlastRadiusSerializer(_radius(incident)).data | {"services": _standby(incident)})

    @extend_schema(responses=OfServiceSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def mitigations(self, request: Request, number: str) -> Response:
        """What helps with the affected services."""
        services = [row.service for row in self.get_object().current_services]
        return Response(OfServiceSerializer(mitigations_of(services), many=True).data)

    @extend_schema(request=PageServiceSerializer, responses={200: PagedServiceSerializer, 201: PagedServiceSerializer})
    @action(detail=True, methods=["post"], url_path="services/page")
    def page_service(self, request: Request, number: str) -> Response:
        """Pages whoever is on call for a service, unless its policy pages for the incident already."""
        paged = paging.page_service(
            actor=self.actor,
            incident=self.get_object(),
            now=timezone.now(),
            **self.validated(PageServiceSerializer),
        )
        data = StartedEscalationSerializer(paged.escalation).data | {"is_new": paged.is_new}
        return Response(data, status=201 if paged.is_new else 200)

    @extend_schema(responses=RelatedIncidentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def related(self, request: Request, number: str) -> Response:
        """Similar incidents, the most alike first, each with its reasons."""
        found = related_incidents(self.actor, self.get_object())
        return Response(RelatedIncidentSerializer(found, many=True, context=self.get_serializer_context()).data)


def _radius(incident: Incident) -> Any:
    return blast_radius(row.service for row in incident.current_services)  # type: ignore[attr-defined]  # for_lists()


def _standby(incident: Incident) -> Any:
    return StandbySerializer(standby_of(incident, timezone.now()), many=True).data
