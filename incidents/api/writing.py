"""What the REST API takes to change an incident."""

from typing import Any

from rest_framework import serializers

from catalog.models import Service
from incidents import writing
from incidents.api.naming import by_slug, person
from incidents.models import (
    Incident,
    IncidentService,
    IncidentStatus,
    IncidentType,
    Severity,
)
from oncall.models import Escalation, EscalationPolicy, Urgency


class DeclareSerializer(serializers.Serializer[Any]):
    """Declares an incident."""

    name = serializers.CharField(max_length=200)
    severity = by_slug(Severity)
    summary = serializers.CharField(required=False, allow_blank=True)
    incident_type = by_slug(IncidentType, required=False)
    status = by_slug(IncidentStatus, required=False)
    mode = serializers.ChoiceField(choices=Incident.Mode.choices, required=False)
    visibility = serializers.ChoiceField(choices=Incident.Visibility.choices, required=False)
    services = by_slug(Service, many=True, required=False)
    lead = person(required=False)
    started_at = serializers.DateTimeField(required=False)
    detected_at = serializers.DateTimeField(required=False)
    declared_at = serializers.DateTimeField(required=False, help_text="This and the next three: in retrospect only.")
    acknowledged_at = serializers.DateTimeField(required=False)
    mitigated_at = serializers.DateTimeField(required=False)
    resolved_at = serializers.DateTimeField(required=False)
    users_affected = serializers.IntegerField(min_value=0, required=False)
    fields = serializers.DictField(  # type: ignore[assignment]  # the wire name; Serializer.fields is not used
        child=serializers.JSONField(allow_null=True), required=False, help_text="Values of custom fields by slug."
    )


class EditSerializer(serializers.Serializer[Any]):
    """Changes facts. With `was`, what you saw of them, nothing is overwritten that somebody has changed since."""

    name = serializers.CharField(max_length=200, required=False)
    summary = serializers.CharField(required=False, allow_blank=True)
    impact = serializers.CharField(required=False, allow_blank=True)
    root_cause = serializers.CharField(required=False, allow_blank=True)
    call_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    users_affected = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    revenue_lost = serializers.DecimalField(max_digits=14, decimal_places=2, required=False, allow_null=True)
    tickets = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    was = serializers.DictField(child=serializers.CharField(allow_blank=True, allow_null=True), required=False)

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            words = "This is not changed here: severity, status, roles and so on have addresses of their own."
            raise serializers.ValidationError({name: [words] for name in unknown})
        return super().to_internal_value(data)


class UpdateSerializer(serializers.Serializer[Any]):
    """Posts an internal update: what is known, what is done, and when the next one is due (in minutes, or at)."""

    text = serializers.CharField(max_length=writing.LONGEST_TEXT)
    doing = serializers.CharField(max_length=writing.LONGEST_TEXT, required=False, allow_blank=True)
    severity = by_slug(Severity, required=False)
    status = by_slug(IncidentStatus, required=False)
    next_update_minutes = serializers.IntegerField(min_value=1, max_value=10_080, required=False)
    next_update_at = serializers.DateTimeField(required=False)


class AffectServiceSerializer(serializers.Serializer[Any]):
    """Says how much a service is affected; `impact: null` takes it off."""

    service = by_slug(Service)
    impact = serializers.ChoiceField(choices=IncidentService.Impact.choices, allow_null=True)


class PageSerializer(serializers.Serializer[Any]):
    """Pages along a policy, or one person, for the incident."""

    policy = by_slug(EscalationPolicy, required=False)
    user = person(required=False)
    message = serializers.CharField(required=False, allow_blank=True)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)


class StartedEscalationSerializer(serializers.ModelSerializer[Escalation]):
    """The escalation that was started; more at its own address."""

    class Meta:
        model = Escalation
        fields = ["id", "title", "status", "started_at"]


class MemberSerializer(serializers.Serializer[Any]):
    user = person()


class VisibilitySerializer(serializers.Serializer[Any]):
    visibility = serializers.ChoiceField(choices=Incident.Visibility.choices)
