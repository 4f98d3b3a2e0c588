"""Incidents in the REST API."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from incidents import actions, membership, paging, updates
from incidents.api.around import AroundMixin
from incidents.api.followers import FollowersMixin
from incidents.api.lifecycle import LifecycleMixin
from incidents.api.listing import ListingMixin
from incidents.api.people import PeopleMixin
from incidents.api.reading import IncidentSerializer, IncidentUpdateSerializer
from incidents.api.room import RoomMixin
from incidents.api.timeline import TimelineMixin
from incidents.api.todo import TodoMixin
from incidents.api.updates import UpdatesMixin
from incidents.api.writing import (
    AffectServiceSerializer,
    DeclareSerializer,
    EditSerializer,
    MemberSerializer,
    PageSerializer,
    StartedEscalationSerializer,
    UpdateSerializer,
    VisibilitySerializer,
)
from incidents.filters import IncidentFilter
from incidents.models import (
    Incident,
)


class IncidentViewSet(
    LifecycleMixin,
    UpdatesMixin,
    TodoMixin,
    TimelineMixin,
    RoomMixin,
    FollowersMixin,
    PeopleMixin,
    AroundMixin,
    ListingMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    ActionViewSet,
):
    """Incidents, by number. Those that the caller may not see do not exist."""

    write_scope = Scope.INCIDENTS
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    ordering_fields = ["number", "declared_at", "resolved_at", "name"]
    lookup_field = "number"
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> QuerySet[Incident]:
        if getattr(self, "swagger_fake_view", False):
            return Incident.objects.none()
        return Incident.objects.visible_to(self.actor).for_lists().with_required_roles().with_kin(self.actor)

    def changed(self, incident: Incident) -> Response:
        """What the API answers to a change: the incident, or 204 when the caller has just lost sight of it."""
        visible = self.get_queryset().filter(pk=incident.pk).first()
        return Response(self.get_serializer(visible).data) if visible else Response(status=204)

    @extend_schema(request=DeclareSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        incident = actions.declare_incident(actor=self.actor, now=timezone.now(), **self.validated(DeclareSerializer))
        return self.answer(incident, status=201)

    @extend_schema(request=EditSerializer)
    def partial_update(self, request: Request, number: str) -> Response:
        data = self.validated(EditSerializer)
        return self.changed(
            actions.edit_incident(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        )

    @extend_schema(request=UpdateSerializer, responses={201: IncidentUpdateSerializer})
    @action(detail=True, methods=["post"], url_path="updates")
    def post_update(self, request: Request, number: str) -> Response:
        data = self.validated(UpdateSerializer)
        minutes = data.pop("next_update_minutes", None)
        update = updates.post_update(
            actor=self.actor,
            incident=self.get_object(),
            now=timezone.now(),
            next_update_in=timedelta(minutes=minutes) if minutes else None,
            **data,
        )
        return Response(IncidentUpdateSerializer(update).data, status=201)

    @extend_schema(responses=IncidentUpdateSerializer(many=True), filters=False)
    @post_update.mapping.get
    def list_updates(self, request: Request, number: str) -> Response:
        page = self.paginate_queryset(self.get_object().updates.select_related("severity", "status"))
        return self.get_paginated_response(IncidentUpdateSerializer(page, many=True).data)

    def _act(self, act: Any, serializer_class: type[serializers.Serializer[Any]] | None = None) -> Response:
        data = self.validated(serializer_class) if serializer_class else {}
        return self.changed(act(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data))

    @extend_schema(request=AffectServiceSerializer)
    @action(detail=True, methods=["post"])
    def services(self, request: Request, number: str) -> Response:
        return self._act(actions.set_affected_service, AffectServiceSerializer)

    @extend_schema(request=PageSerializer, responses={201: StartedEscalationSerializer})
    @action(detail=True, methods=["post"])
    def pages(self, request: Request, number: str) -> Response:
        """Pages people for the incident."""
        data = self.validated(PageSerializer)
        escalation = paging.page_for_incident(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return Response(StartedEscalationSerializer(escalation).data, status=201)

    @extend_schema(request=MemberSerializer)
    @action(detail=True, methods=["post"])
    def members(self, request: Request, number: str) -> Response:
        """Lets a person see a private incident."""
        return self._act(membership.add_member, MemberSerializer)

    @extend_schema(request=MemberSerializer)
    @action(detail=True, methods=["post"], url_path="members/remove")
    def remove_member(self, request: Request, number: str) -> Response:
        """Takes a person's access to a private incident away."""
        return self._act(membership.remove_member, MemberSerializer)

    @extend_schema(request=VisibilitySerializer)
    @action(detail=True, methods=["post"])
    def visibility(self, request: Request, number: str) -> Response:
        return self._act(membership.set_visibility, VisibilitySerializer)
