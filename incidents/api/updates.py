"""Updates in the REST API: words to start with, corrections, the timer, and the brief."""

import re
from datetime import timedelta
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
from incidents import updates, writing
from incidents.api.reading import AffectedServiceSerializer, IncidentSerializer, IncidentUpdateSerializer
from incidents.brief import brief_of
from incidents.update_words import starts_for

LOCALE = re.compile(r"[A-Za-z-]{2,20}")
UPDATE_ID = OpenApiParameter("update_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class CorrectUpdateSerializer(serializers.Serializer[Any]):
    """What an update says, corrected; what is not given stays."""

    text = serializers.CharField(max_length=writing.LONGEST_TEXT)
    doing = serializers.CharField(max_length=writing.LONGEST_TEXT, required=False, allow_blank=True)


class TimerSerializer(serializers.Serializer[Any]):
    """In how many minutes the next update is due, and each that follows one; `null` stops the timer."""

    minutes = serializers.IntegerField(min_value=1, max_value=10_080, allow_null=True)


class UpdateStartSerializer(serializers.Serializer[Any]):
    """A template, filled as far as the incident is known; `unknown` names the blanks, marked as `[eta?]`."""

    moment = serializers.CharField()
    locale = serializers.CharField()
    text = serializers.CharField()
    unknown = serializers.ListField(child=serializers.CharField())


class BriefSerializer(serializers.Serializer[Any]):
    """An incident in plain words, for those who do not work on it."""

    reference = serializers.CharField(source="incident.reference")
    name = serializers.CharField(source="incident.name")
    severity = serializers.CharField(source="incident.severity.name")
    status = serializers.CharField(source="incident.status.name")
    what = serializers.CharField()
    impact = serializers.CharField()
    services = AffectedServiceSerializer(many=True)
    users_affected = serializers.IntegerField(source="incident.users_affected", allow_null=True)
    since = serializers.DateTimeField()
    lead = serializers.CharField()
    doing = serializers.CharField()
    to_do = serializers.ListField(child=serializers.CharField(), source="left")
    mitigated_at = serializers.DateTimeField(source="incident.mitigated_at", allow_null=True)
    resolved_at = serializers.DateTimeField(source="incident.resolved_at", allow_null=True)
    next_update_due_at = serializers.DateTimeField(source="incident.next_update_due_at", allow_null=True)
    updates = IncidentUpdateSerializer(many=True)


class UpdatesMixin(ActionViewSet):
    """What belongs to the updates of an incident."""

    @extend_schema(request=CorrectUpdateSerializer, responses=IncidentUpdateSerializer, parameters=[UPDATE_ID])
    @action(detail=True, methods=["post"], url_path=r"updates/(?P<update_id>\d+)/correct")
    def correct_update(self, request: Request, number: str, update_id: str) -> Response:
        """Corrects an update; how it stood before is kept with its timeline entry."""
        update = get_object_or_404(self.get_object().updates.select_related("incident"), pk=update_id)
        data = self.validated(CorrectUpdateSerializer)
        updates.correct_update(actor=self.actor, update=update, now=timezone.now(), **data)
        update.refresh_from_db()
        return Response(IncidentUpdateSerializer(update).data)

    @extend_schema(
        responses=UpdateStartSerializer(many=True),
        filters=False,
        parameters=[OpenApiParameter("locale", str, description="The language; without one, that of the request.")],
    )
    @action(detail=True, methods=["get"], url_path="update-starts", pagination_class=None)
    def update_starts(self, request: Request, number: str) -> Response:
        """Words to start an update with, filled from the incident as it is."""
        asked = request.query_params.get("locale", "")
        locale = asked if LOCALE.fullmatch(asked) else request.LANGUAGE_CODE
        return Response(UpdateStartSerializer(starts_for(self.get_object(), locale), many=True).data)

    @extend_schema(request=TimerSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def timer(self, request: Request, number: str) -> Response:
        """Starts the update timer, or stops it."""
        minutes = self.validated(TimerSerializer)["minutes"]
        incident = self.get_object()
        if minutes:
            interval = timedelta(minutes=minutes)
            updates.start_update_timer(actor=self.actor, incident=incident, interval=interval, now=timezone.now())
        else:
            updates.stop_update_timer(actor=self.actor, incident=incident, now=timezone.now())
        return self.answer(incident)

    @extend_schema(responses=BriefSerializer)
    @action(detail=True, methods=["get"])
    def brief(self, request: Request, number: str) -> Response:
        """What is wrong, how bad, since when, what is done, when more is told."""
        return Response(BriefSerializer(brief_of(self.get_object())).data)
