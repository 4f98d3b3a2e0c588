"""The lifecycle of an incident in the REST API: triage, status, severity, merging, streams, times, pauses."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import ActionViewSet
from catalog.models import Service
from events.errors import Invalid
from incidents import actions, kinds, merging, pausing, streams, times, triage
from incidents.api.naming import by_slug, person
from incidents.api.reading import IncidentSerializer
from incidents.models import Incident, IncidentStatus, IncidentType, Severity

CONFIRMED = "Without it, what needs a confirmation is refused with the code `needs_confirmation`."


class ChangeStatusSerializer(serializers.Serializer[Any]):
    """Moves it to a status. Declining and canceling need a reason; `was` is the status that you saw."""

    status = by_slug(IncidentStatus)
    reason = serializers.CharField(required=False, allow_blank=True)
    confirmed = serializers.BooleanField(required=False, help_text=CONFIRMED)
    was = by_slug(IncidentStatus, required=False)


class ChangeSeveritySerializer(serializers.Serializer[Any]):
    """Raises or lowers the severity; `was` is the one that you saw."""

    severity = by_slug(Severity)
    was = by_slug(Severity, required=False)


class ChangeTypeSerializer(serializers.Serializer[Any]):
    incident_type = by_slug(IncidentType)


class AcceptSerializer(serializers.Serializer[Any]):
    """It is an incident; how bad, and what it is called, can be said along with it."""

    severity = by_slug(Severity, required=False)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    status = by_slug(IncidentStatus, required=False)


class DeclineSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()


class CancelSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    confirmed = serializers.BooleanField(required=False, help_text=CONFIRMED)


class EndIncidentSerializer(serializers.Serializer[Any]):
    """Open streams end with their parent only when that is confirmed."""

    confirmed = serializers.BooleanField(required=False, help_text=CONFIRMED)


class MergeSerializer(serializers.Serializer[Any]):
    """Makes it a part of another incident."""

    into = serializers.IntegerField(min_value=1, help_text="The number of the other incident.")
    reason = serializers.CharField(required=False, allow_blank=True)
    confirmed = serializers.BooleanField(required=False, help_text=CONFIRMED)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True)


class DeclareStreamSerializer(serializers.Serializer[Any]):
    """Opens a stream: a part of the incident with a lead, a timeline and updates of its own."""

    name = serializers.CharField(max_length=200)
    summary = serializers.CharField(required=False, allow_blank=True)
    severity = by_slug(Severity, required=False)
    lead = person(required=False)
    services = by_slug(Service, many=True, required=False)


class SetTimeSerializer(serializers.Serializer[Any]):
    """Corrects when something was, for a reason; null: it is not known."""

    which = serializers.ChoiceField(choices=list(times.NAMES))
    value = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class LifecycleMixin(ActionViewSet):
    """The verbs of the lifecycle; each answers the incident."""

    def changed(self, incident: Incident) -> Response:
        raise NotImplementedError

    def act_on(self, act: Any, serializer_class: type[serializers.Serializer[Any]] | None = None) -> Response:
        """Calls one action with what the body says."""
        data = self.validated(serializer_class) if serializer_class else {}
        return self.changed(act(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data))

    @extend_schema(request=ChangeStatusSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"], url_path="status")
    def change_status(self, request: Request, number: str) -> Response:
        return self.act_on(actions.change_status, ChangeStatusSerializer)

    @extend_schema(request=ChangeSeveritySerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"], url_path="severity")
    def change_severity(self, request: Request, number: str) -> Response:
        return self.act_on(actions.change_severity, ChangeSeveritySerializer)

    @extend_schema(request=ChangeTypeSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"], url_path="type")
    def change_type(self, request: Request, number: str) -> Response:
        """Makes it an incident of another type; one that is private by default makes it private."""
        return self.act_on(kinds.change_type, ChangeTypeSerializer)

    @extend_schema(request=AcceptSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, number: str) -> Response:
        """Out of triage: it is an incident."""
        return self.act_on(triage.accept_incident, AcceptSerializer)

    @extend_schema(request=DeclineSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, number: str) -> Response:
        """Out of triage: it is none. It does not count as resolved."""
        return self.act_on(triage.decline_incident, DeclineSerializer)

    @extend_schema(request=CancelSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """It was declared by mistake. It does not count as resolved."""
        return self.act_on(triage.cancel_incident, CancelSerializer)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def mitigate(self, request: Request, number: str) -> Response:
        """The impact is over."""
        return self.act_on(actions.mitigate_incident)

    @extend_schema(request=EndIncidentSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, number: str) -> Response:
        """The cause is fixed."""
        return self.act_on(actions.resolve_incident, EndIncidentSerializer)

    @extend_schema(request=EndIncidentSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        """All follow-up is done."""
        return self.act_on(triage.close_incident, EndIncidentSerializer)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        return self.act_on(actions.reopen_incident)

    @extend_schema(request=MergeSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, number: str) -> Response:
        """Makes it a part of another incident, with all that belongs to it."""
        data = self.validated(MergeSerializer)
        into = Incident.objects.visible_to(self.actor).filter(number=data.pop("into")).first()
        if into is None:
            raise Invalid("There is no such incident.", field="into", remedy="Give the number of one that you can see.")
        merged = merging.merge_incident(
            actor=self.actor, incident=self.get_object(), into=into, now=timezone.now(), **data
        )
        return self.changed(merged)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def unmerge(self, request: Request, number: str) -> Response:
        """Takes a merge back: what moved returns."""
        return self.act_on(merging.unmerge_incident, ReasonSerializer)

    @extend_schema(request=DeclareStreamSerializer, responses={201: IncidentSerializer})
    @action(detail=True, methods=["post"], url_path="streams")
    def declare_stream(self, request: Request, number: str) -> Response:
        """Opens a stream and answers it."""
        data = self.validated(DeclareStreamSerializer)
        stream = streams.declare_stream(actor=self.actor, incident=self.get_object(), now=timezone.now(), **data)
        return self.answer(stream, status=201)

    @extend_schema(responses=IncidentSerializer(many=True), filters=False)
    @declare_stream.mapping.get
    def list_streams(self, request: Request, number: str) -> Response:
        """Its streams, the newest first."""
        page = self.paginate_queryset(self.get_queryset().filter(parent=self.get_object()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, number: str) -> Response:
        """Its timers stand still; paging goes on."""
        return self.act_on(pausing.pause_incident, ReasonSerializer)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, number: str) -> Response:
        """Its timers run on."""
        return self.act_on(pausing.resume_incident)

    @extend_schema(request=SetTimeSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def times(self, request: Request, number: str) -> Response:
        """Corrects when it started, was detected, declared, acknowledged, mitigated, resolved or closed."""
        return self.act_on(times.set_time, SetTimeSerializer)
