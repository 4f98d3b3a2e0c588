"""A route as the REST API has it."""

from typing import Any

from rest_framework import serializers

from accounts.models import Team, User
from accounts.rest import WholeMixin
from alerts.models import AlertRoute, RouteNotice
from alerts.routes import LONGEST_WAIT_SECONDS, Notice
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy

# What is kept of a stored route where nothing else is given.
KEPT = (
    *("name", "is_enabled", "conditions", "continues", "paging", "escalation_policy", "urgency", "suppress_reason"),
    *("wait_seconds", "declares_incident", "attaches_to_open", "in_triage", "severity", "severity_map"),
    *("incident_type", "name_template", "summary_template", "group_by", "group_minutes", "group_window", "joining"),
)


def route_fields(route: AlertRoute) -> dict[str, Any]:
    """All that can be said about a stored route, but for whom it notifies."""
    return {name: getattr(route, name) for name in KEPT}


class NoticeSerializer(WholeMixin, serializers.Serializer[Any]):
    """Whom a route notifies: a `user` (id), a `team` (slug), or a chat or webhook with its `name` and `address`.

    The address (Apprise's, or an https one) is written and never read; without it a place of that name keeps its own.
    """

    kind = serializers.ChoiceField(choices=RouteNotice.Kind.choices)
    user = serializers.PrimaryKeyRelatedField(
        queryset=User.objects.filter(is_active=True), required=False, allow_null=True
    )
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True)
    name = serializers.CharField(required=False, allow_blank=True, max_length=100)
    address = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=1000)

    def to_internal_value(self, data: Any) -> Any:
        return Notice(**super().to_internal_value(data))


class AlertRouteSerializer(serializers.ModelSerializer[AlertRoute]):
    """One rule of the ordered list; `notices` becomes exactly what is given.

    `severity_map` gives the incident's severity (its slug) by what the alert calls its own; `group_by` holds paths of
    facts, such as `service` and `labels.cluster`.
    """

    escalation_policy = serializers.SlugRelatedField[EscalationPolicy](
        slug_field="slug", queryset=EscalationPolicy.objects.all(), required=False, allow_null=True
    )
    severity = serializers.SlugRelatedField[Severity](
        slug_field="slug", queryset=Severity.objects.all(), required=False, allow_null=True
    )
    incident_type = serializers.SlugRelatedField[IncidentType](
        slug_field="slug", queryset=IncidentType.objects.all(), required=False, allow_null=True
    )
    wait_seconds = serializers.IntegerField(min_value=0, max_value=LONGEST_WAIT_SECONDS, required=False)
    severity_map = serializers.DictField(child=serializers.CharField(max_length=100), required=False)
    group_by = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    notices = NoticeSerializer(many=True, required=False)
    override_reason = serializers.CharField(
        required=False, allow_blank=True, write_only=True, max_length=500, help_text="Why a paging test may break."
    )

    class Meta:
        model = AlertRoute
        fields = ("id", "position", *KEPT, "notices", "override_reason")
        read_only_fields: tuple[str, ...] = ("id", "position")
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}
        # The database's own checks are answered by the action, in words that say what to do.
        validators: list[Any] = []
