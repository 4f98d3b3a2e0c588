"""Links and commands of an incident in the REST API."""

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
from incidents import links
from incidents.commands import complete, run_command
from incidents.models import IncidentLink
from incidents.writing import LONGEST_TEXT

LINK_ID = OpenApiParameter("link_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class IncidentLinkSerializer(serializers.ModelSerializer[IncidentLink]):
    """An address that belongs to an incident; without a title the page behind it is asked for its own."""

    kind = serializers.ChoiceField(choices=IncidentLink.Kind.choices, required=False)
    url = serializers.CharField(max_length=1000)
    title = serializers.CharField(max_length=250, required=False, allow_blank=True)

    class Meta:
        model = IncidentLink
        fields = ["id", "kind", "url", "title", "added_at", "added_by_name"]
        read_only_fields = ["added_at", "added_by_name"]


class CommandSerializer(serializers.Serializer[Any]):
    """A command as it is typed into the room, such as `/severity sev2`."""

    text = serializers.CharField(max_length=LONGEST_TEXT)


class CommandAnswerSerializer(serializers.Serializer[Any]):
    """What a command says to whoever sent it, and the sequence of the entry that it wrote."""

    text = serializers.CharField()
    entry = serializers.IntegerField(allow_null=True)


class SuggestionSerializer(serializers.Serializer[Any]):
    """What can stand at the place: what to insert, what it is called, a few words about it."""

    insert = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()


class CompletionSerializer(serializers.Serializer[Any]):
    """What can come next from the place `start` of the text on, and how the command goes that is being typed."""

    start = serializers.IntegerField()
    usage = serializers.CharField()
    help = serializers.CharField()
    suggestions = SuggestionSerializer(many=True)


class RoomMixin(ActionViewSet):
    """What people say and link in an incident."""

    @extend_schema(responses=IncidentLinkSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="links")
    def list_links(self, request: Request, number: str) -> Response:
        page = self.paginate_queryset(self.get_object().links.all())
        return self.get_paginated_response(IncidentLinkSerializer(page, many=True).data)

    @extend_schema(request=IncidentLinkSerializer, responses={201: IncidentLinkSerializer})
    @list_links.mapping.post
    def add_link(self, request: Request, number: str) -> Response:
        data = self.validated(IncidentLinkSerializer)
        link = links.add_link(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return Response(IncidentLinkSerializer(link).data, status=201)

    @extend_schema(responses={204: None}, parameters=[LINK_ID])
    @action(detail=True, methods=["delete"], url_path=r"links/(?P<link_id>\d+)")
    def remove_link(self, request: Request, number: str, link_id: str) -> Response:
        link = get_object_or_404(IncidentLink, incident=self.get_object(), pk=int(link_id))
        links.remove_link(actor=self.actor, link=link, now=timezone.now())
        return Response(status=204)

    @extend_schema(request=CommandSerializer, responses=CommandAnswerSerializer)
    @action(detail=True, methods=["post"], url_path="commands")
    def command(self, request: Request, number: str) -> Response:
        """Does what a command says."""
        text = self.validated(CommandSerializer)["text"]
        answer = run_command(actor=self.actor, incident=self.get_object(), text=text, now=timezone.now())
        entry = answer.entry.sequence if answer.entry else None
        return Response(CommandAnswerSerializer({"text": answer.text, "entry": entry}).data)

    @extend_schema(
        responses=CompletionSerializer,
        filters=False,
        parameters=[OpenApiParameter("text", str, description="What was typed so far.")],
    )
    @command.mapping.get
    def complete_command(self, request: Request, number: str) -> Response:
        """What can come next while a command is typed."""
        text = request.query_params.get("text", "")[:2000]
        found = complete(actor=self.actor, incident=self.get_object(), text=text, now=timezone.now())
        return Response(CompletionSerializer(found).data)
