"""Things to do now and the checklist of the first minutes in the REST API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import ActionViewSet
from incidents import todo
from incidents.api.naming import person
from incidents.models import ChecklistItem, Incident, IncidentAction

ACTION_ID = OpenApiParameter("action_id", OpenApiTypes.INT, OpenApiParameter.PATH)
SLUG = OpenApiParameter("item", OpenApiTypes.STR, OpenApiParameter.PATH, description="The slug of the line.")
ONE = r"actions/(?P<action_id>\d+)"
LINE = r"checklist/(?P<item>[-\w]+)"


class IncidentActionSerializer(serializers.ModelSerializer[IncidentAction]):
    """Something to do now."""

    class Meta:
        model = IncidentAction
        fields = ["id", "title", "assignee", "created_at", "created_by_name", "done_at", "done_by_name"]


class NewActionSerializer(serializers.Serializer[Any]):
    """Adds something to do now."""

    title = serializers.CharField(max_length=todo.LONGEST_TITLE)
    assignee = person(required=False, allow_null=True)


class AssignActionSerializer(serializers.Serializer[Any]):
    """Who does it; `null` leaves it to anybody."""

    assignee = person(allow_null=True)


class ChecklistLineSerializer(serializers.Serializer[Any]):
    """A line of the first minutes; an automatic one is done by what has happened."""

    item = serializers.SlugField(source="item.slug")
    title = serializers.CharField(source="item.title")
    is_done = serializers.BooleanField()
    is_automatic = serializers.BooleanField()
    done_by_name = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)


class TodoMixin(ActionViewSet):
    """What is to be done while an incident lasts."""

    @extend_schema(responses=IncidentActionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="actions")
    def list_actions(self, request: Request, number: str) -> Response:
        """What is to do and what was done."""
        page = self.paginate_queryset(self.get_object().actions.all())
        return self.get_paginated_response(IncidentActionSerializer(page, many=True).data)

    @extend_schema(request=NewActionSerializer, responses={201: IncidentActionSerializer})
    @list_actions.mapping.post
    def add_action(self, request: Request, number: str) -> Response:
        data = self.validated(NewActionSerializer)
        made = todo.add_action(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return Response(IncidentActionSerializer(made).data, status=201)

    def _one(self, action_id: str) -> IncidentAction:
        found: IncidentAction = get_object_or_404(
            self.get_object().actions.select_related("incident"), pk=int(action_id)
        )
        return found

    @extend_schema(request=AssignActionSerializer, responses=IncidentActionSerializer, parameters=[ACTION_ID])
    @action(detail=True, methods=["post"], url_path=f"{ONE}/assign")
    def assign_action(self, request: Request, number: str, action_id: str) -> Response:
        data = self.validated(AssignActionSerializer)
        changed = todo.assign_action(actor=self.actor, action=self._one(action_id), now=timezone.now(), **data)
        return Response(IncidentActionSerializer(changed).data)

    @extend_schema(request=None, responses=IncidentActionSerializer, parameters=[ACTION_ID])
    @action(detail=True, methods=["post"], url_path=f"{ONE}/done")
    def complete_action(self, request: Request, number: str, action_id: str) -> Response:
        changed = todo.complete_action(actor=self.actor, action=self._one(action_id), now=timezone.now())
        return Response(IncidentActionSerializer(changed).data)

    @extend_schema(request=None, responses=IncidentActionSerializer, parameters=[ACTION_ID])
    @action(detail=True, methods=["post"], url_path=f"{ONE}/reopen")
    def reopen_action(self, request: Request, number: str, action_id: str) -> Response:
        changed = todo.reopen_action(actor=self.actor, action=self._one(action_id), now=timezone.now())
        return Response(IncidentActionSerializer(changed).data)

    @extend_schema(request=None, responses={204: None}, parameters=[ACTION_ID])
    @action(detail=True, methods=["delete"], url_path=ONE)
    def remove_action(self, request: Request, number: str, action_id: str) -> Response:
        """Takes it off the list; the timeline keeps that it was there."""
        todo.remove_action(actor=self.actor, action=self._one(action_id), now=timezone.now())
        return Response(status=204)

    @extend_schema(responses=ChecklistLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def checklist(self, request: Request, number: str) -> Response:
        """The lines of the first minutes; none where the severity shows none."""
        return self._lines(self.get_object())

    def _lines(self, incident: Incident) -> Response:
        return Response(ChecklistLineSerializer(todo.checklist_of(incident), many=True).data)

    @extend_schema(request=None, responses=ChecklistLineSerializer(many=True), parameters=[SLUG], filters=False)
    @action(detail=True, methods=["put"], url_path=LINE, pagination_class=None)
    def tick(self, request: Request, number: str, item: str) -> Response:
        """The line is done."""
        incident, line = self.get_object(), get_object_or_404(ChecklistItem, slug=item)
        todo.tick(actor=self.actor, incident=incident, item=line, now=timezone.now())
        return self._lines(incident)

    @extend_schema(request=None, responses={200: ChecklistLineSerializer(many=True)}, parameters=[SLUG], filters=False)
    @tick.mapping.delete
    def untick(self, request: Request, number: str, item: str) -> Response:
        """The line is not done after all."""
        incident, line = self.get_object(), get_object_or_404(ChecklistItem, slug=item)
        todo.untick(actor=self.actor, incident=incident, item=line, now=timezone.now())
        return self._lines(incident)
